"""A pipeline on this machine: each data set is made in turn by the session's Spark, one Delta commit each."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...warehouse.lakehouse import Lakehouse, TableName
from ..lakehouse.checkpoints import Checkpoint, Taken
from ..lakehouse.engine_way import LocalEngine
from ..lakehouse.files import StreamError
from ..lakehouse.local_spark import StreamLog
from ..lakehouse.session import lakehouse_session
from ..lakehouse.store import DeltaStore, SchemaChangedError
from .changes import applied
from .registry import Registered, explained, run_files
from .rows import checked, dropped
from .sources import short_name
from .spec import DataSet, DatasetResult, PipelineError, PipelineSpec, selected
from .sql_source import Cdc, read_sql


@dataclass(frozen=True)
class LocalSettings:
    """How Spark runs here.

    Args:
        engine: The engine.
        threads: Cores it may use.
        memory_gb: Memory of the engine ``jvm``.
        remote_env: Variable with the address of a server, for the engine ``connect``.
    """

    engine: LocalEngine = "sail"
    threads: int = 2
    memory_gb: float = 2
    remote_env: str = "SPARK_REMOTE"


def run_local(
    lakehouse: Lakehouse,
    spec: PipelineSpec,
    refresh_selection: Sequence[str],
    log: Callable[[str], None],
    settings: LocalSettings | None = None,
) -> Iterator[tuple[str, DatasetResult]]:
    """Make the selected data sets, each after what it reads, and give each result as soon as it is there.

    A data set that fails keeps its old table; what reads it is not made, the others are.

    Args:
        lakehouse: The folders.
        spec: The pipeline.
        refresh_selection: Names of data sets; all where it is empty.
        log: Takes progress.
        settings: How Spark runs.

    Raises:
        PipelineError: a file fails when it runs.
        SessionError: the engine is not there.
    """
    how = settings or LocalSettings()
    with lakehouse_session(
        lakehouse,
        spec.catalog,
        spec.schema,
        engine=how.engine,
        threads=how.threads,
        memory_gb=how.memory_gb,
        remote_env=how.remote_env,
    ) as spark:
        for key, value in spec.configuration.items():
            spark.conf.set(key, value)
        sql = {file: read_sql(file, spec.configuration) for file in spec.files if file.suffix == ".sql"}
        registered = run_files(spark, list(spec.files), sql)
        update = _Update(spark, lakehouse, spec, registered, log)
        update.check_names()
        yield from update.run([found.name for found in selected(spec, refresh_selection)])


class _Update:
    """One update: what is made, and what failed so far."""

    def __init__(
        self, spark: Any, lakehouse: Lakehouse, spec: PipelineSpec, found: Registered, log: Callable[[str], None]
    ) -> None:
        self.spark, self.lakehouse, self.spec, self.log = spark, lakehouse, spec, log
        self.store = DeltaStore(spark, lakehouse)
        self.views = [one.name for one in spec.data_sets if one.kind == "temporary_view"]
        self.outputs = {self._short(name): output for name, output in found.outputs.items()}
        self.flows = self._by_name(found.flows)
        self.changes = self._by_name(found.changes)
        self.expectations = self._by_name(found.expectations)
        if found.ignored:
            log(f"Means nothing on this machine: {', '.join(sorted(found.ignored))}")

    def check_names(self) -> None:
        """Raise PipelineError where running the files gave other data sets or expectations than reading them."""
        known = {one.name: one for one in self.spec.data_sets}
        files = ", ".join(file.name for file in self.spec.files)
        for name in self.outputs:
            if name not in known:
                raise PipelineError(f"{files}: {name} is made, which reading did not tell: name it under declared")
            told = set(self.expectations.get(name, ())) - set(known[name].expectations)
            if told:
                names = ", ".join(sorted(one.name for one in told))
                raise PipelineError(f"{files}: {name} has the expectations {names} too: name them under declared")

    def run(self, wanted: Sequence[str]) -> Iterator[tuple[str, DatasetResult]]:
        """Make data sets in order, and temporary views where something wanted reads them."""
        needed, failed = self._with_views(set(wanted)), {}
        for data_set in self.spec.data_sets:
            if data_set.name not in needed:
                continue
            broken = [read for read in data_set.reads if read in failed]
            if broken:
                failed[data_set.name] = DatasetResult(error=f"not made: {', '.join(broken)} was not made")
            else:
                began = time.monotonic()
                result = self._attempt(data_set, began)
                if result.error is not None:
                    failed[data_set.name] = result
                else:
                    if data_set.kind != "temporary_view":
                        self.log(f"{data_set.name}: {result.rows:,} rows in {result.seconds:.1f} s")
                    yield data_set.name, result
                    continue
            self.log(f"{data_set.name}: {failed[data_set.name].error}")
            yield data_set.name, failed[data_set.name]

    def _attempt(self, data_set: DataSet, began: float) -> DatasetResult:
        try:
            return self._made(data_set, began)
        except _ViolatedError as violated:
            return DatasetResult(
                seconds=time.monotonic() - began, expectations=violated.counts, error=f"{data_set.origin}: {violated}"
            )
        except (StreamError, SchemaChangedError, PipelineError) as error:
            return DatasetResult(seconds=time.monotonic() - began, error=f"{data_set.origin}: {error}")
        except Exception as error:
            words = explained(error, list(self.spec.files))
            place = "" if words.startswith(tuple(map(str, self.spec.files))) else f"{data_set.origin}: "
            return DatasetResult(seconds=time.monotonic() - began, error=place + words)

    def _made(self, data_set: DataSet, began: float) -> DatasetResult:
        if data_set.kind == "temporary_view":
            rows = self._query(data_set, StreamLog(), {})
            rows, counts = self._checked(data_set, rows)
            rows.createOrReplaceTempView(data_set.name)
            return DatasetResult(expectations=counts)
        name = TableName.parse(data_set.name, self.spec.catalog, self.spec.schema)
        version = self.store.version(name)
        checkpoint = Checkpoint.load(self.lakehouse, name, None if self.spec.full_refresh else version)
        log = StreamLog()
        found: Taken = {}
        rows = self._query(data_set, log, found, checkpoint.taken)
        incremental = log.streams_files and not log.streams_tables and data_set.kind == "streaming_table"
        if not incremental and checkpoint.taken:
            log, found = StreamLog(), {}
            rows = self._query(data_set, log, found)
        rows, counts = self._checked(data_set, rows)
        output = self.outputs[data_set.name]
        partition_by = list(getattr(output, "partition_cols", None) or getattr(output, "partition_by", None) or ())
        details: dict[str, Any] = {"mode": "append new files" if incremental else "snapshot"}
        if not incremental:
            changes = self.store.replace(name, rows, partition_by=partition_by)
            checkpoint.forget()
        else:
            details["new_files"] = log.new
            taken = {flow: {**checkpoint.taken.get(flow, {}), **folders} for flow, folders in found.items()}
            changes = []
            if log.new or version is None or self.spec.full_refresh:
                checkpoint.announce(taken, version)
                first = version is None or self.spec.full_refresh
                write = self.store.replace if first else self.store.append
                changes = write(name, rows, partition_by=partition_by)
                checkpoint.settle(taken)
        properties = dict(getattr(output, "table_properties", None) or getattr(output, "properties", None) or {})
        self.store.describe(name, data_set.comment, properties=properties)
        if changes:
            details["schema_changes"] = "; ".join(changes)
        details["version"] = self.store.version(name) or 0
        details["path"] = str(self.lakehouse.folder(name))
        return DatasetResult(self.store.rows(name), time.monotonic() - began, counts, None, details)

    def _query(self, data_set: DataSet, log: StreamLog, found: Taken, taken: Taken | None = None) -> Any:
        """The rows of all flows into a data set; ``log`` and ``found`` say what they stream from."""
        if not self.flows.get(data_set.name) and not self.changes.get(data_set.name):
            raise PipelineError(f"nothing feeds {data_set.name}: give it a query or a flow")
        parts = []
        for cdc in self.changes.get(data_set.name, ()):
            parts.append(self._applied(cdc))
            log.streams_tables = True
        for flow, function in self.flows.get(data_set.name, ()):
            self.spark.stream_log = one = StreamLog((taken or {}).get(flow, {}))
            rows = function()
            if rows is None or not hasattr(rows, "schema"):
                raise PipelineError(f"the query of {flow} gives {type(rows).__name__}; expected a DataFrame")
            parts.append(rows)
            found[flow] = one.found
            log.new += one.new
            log.streams_files |= one.streams_files
            log.streams_tables |= one.streams_tables or not one.streams_files
        made = parts[0]
        for part in parts[1:]:
            made = made.unionByName(part, allowMissingColumns=True)
        return self._shaped(data_set, made)

    def _shaped(self, data_set: DataSet, rows: Any) -> Any:
        """Rows in the types of the declared schema, where the code declares one."""
        schema = getattr(self.outputs[data_set.name], "schema", None)
        if not schema:
            return rows
        fields = self.spark.createDataFrame([], schema).schema.fields
        if missing := [field.name for field in fields if field.name not in rows.columns]:
            raise PipelineError(f"the query has no column {', '.join(missing)}, which the schema declares")
        return rows.select(*[rows[field.name].cast(field.dataType).alias(field.name) for field in fields])

    def _applied(self, cdc: Cdc) -> Any:
        source = self._short(cdc.source)
        return applied(cdc, self.spark.table(cdc.source if source not in self.views else source))

    def _checked(self, data_set: DataSet, rows: Any) -> tuple[Any, dict[str, tuple[int, int]]]:
        counts = checked(rows, data_set.expectations)
        broken = [one for one in data_set.expectations if one.action == "fail" and counts[one.name][1]]
        if broken:
            said = "; ".join(f"{counts[one.name][1]:,} rows break {one.name} ({one.condition})" for one in broken)
            raise _ViolatedError(f"{said}; the table stays as it was", counts)
        return dropped(rows, data_set.expectations), counts

    def _with_views(self, wanted: set[str]) -> set[str]:
        needed = set(wanted)
        for data_set in reversed(self.spec.data_sets):
            if data_set.name in needed:
                needed |= {read for read in data_set.reads if read in self.views}
        return needed

    def _by_name(self, found: dict[str, list[Any]]) -> dict[str, list[Any]]:
        made: dict[str, list[Any]] = {}
        for name, items in found.items():
            made.setdefault(self._short(name), []).extend(items)
        return made

    def _short(self, name: str) -> str:
        return short_name(name, self.spec.catalog, self.spec.schema, self.views)


class _ViolatedError(Exception):
    """Rows break an expectation that fails the update."""

    def __init__(self, message: str, counts: dict[str, tuple[int, int]]) -> None:
        super().__init__(message)
        self.counts = counts
