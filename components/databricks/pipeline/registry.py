"""The pipelines module that files of a pipeline import on this machine, and the register it fills."""

import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

from .spec import Action, Expectation, PipelineError
from .sql_source import Cdc, SqlStatement

_ALIASES = {
    "create_table": "table",
    "view": "temporary_view",
    "create_target_table": "create_streaming_table",
    "create_streaming_live_table": "create_streaming_table",
}
_MARK = "__expectations__"
_LOCK = threading.Lock()  # the names that files import are those of the whole process


@dataclass
class Registered:
    """What the files of a pipeline said when they ran, by names as they are written.

    Args:
        outputs: Data sets.
        flows: Query functions by the data set that they feed.
        changes: AUTO CDC by the data set that it feeds.
        expectations: Expectations that code declared, by data set.
        ignored: Arguments that mean nothing on this machine.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    flows: dict[str, list[tuple[str, Callable[[], Any]]]] = field(default_factory=dict)
    changes: dict[str, list[Any]] = field(default_factory=dict)
    expectations: dict[str, list[Expectation]] = field(default_factory=dict)
    ignored: set[str] = field(default_factory=set)


def run_files(spark: Any, files: list[Path], sql: Mapping[Path, list[SqlStatement]]) -> Registered:
    """Run the Python files, and take the statements of the SQL files.

    Args:
        spark: A local session, which files see as ``spark``.
        files: All files, in order.
        sql: The statements of each SQL file.

    Raises:
        PipelineError: a file fails; the message has its line.
    """
    from pyspark.pipelines.graph_element_registry import graph_element_registration_context

    register = _registry()
    with _LOCK, graph_element_registration_context(register), _imported(_module(spark, register.found)):
        for file in files:
            if file.suffix == ".sql":
                for number, statement in enumerate(sql[file]):
                    _take(spark, register.found, statement, f"{file.stem}_{number}")
                continue
            try:
                code = compile(file.read_text(encoding="utf-8"), str(file), "exec")
                exec(code, {"__name__": file.stem, "__file__": str(file), "spark": spark})  # noqa: S102 - the user's own
            except Exception as error:
                raise PipelineError(explained(error, [file])) from error
    return register.found


def explained(error: Exception, files: list[Path]) -> str:
    """An error with the line of the pipeline's own file that it came from."""
    names = {str(file) for file in files}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in names]
    place = f"{frames[-1].filename}:{frames[-1].lineno}: " if frames else ""
    words = " ".join(str(error).split("JVM stacktrace")[0].split())[:600]
    return f"{place}{type(error).__name__}: {words}" if words else f"{place}{type(error).__name__}"


def _registry() -> Any:
    from pyspark.pipelines.graph_element_registry import GraphElementRegistry

    class LocalRegistry(GraphElementRegistry):
        """Keeps what pyspark's own decorators hand over."""

        def __init__(self) -> None:
            self.found = Registered()

        def register_output(self, output: Any) -> None:
            self.found.outputs[output.name] = output

        def register_flow(self, flow: Any) -> None:
            self.found.flows.setdefault(flow.target, []).append((flow.name, flow.func))
            self.found.expectations.setdefault(flow.target, []).extend(getattr(flow.func, _MARK, ()))

        def register_auto_cdc_flow(self, flow: Any) -> None:
            self.found.changes.setdefault(flow.target, []).append(flow)

        def register_sql(self, sql_text: str, file_path: Path) -> None:
            raise PipelineError(f"{file_path}: SQL files are named in the YAML, not registered by code")

    return LocalRegistry()


def _take(spark: Any, found: Registered, statement: SqlStatement, flow: str) -> None:
    if statement.kind is not None:
        found.outputs[statement.target] = statement
        found.expectations.setdefault(statement.target, []).extend(statement.expectations)
    if statement.query is not None:
        query = statement.query
        found.flows.setdefault(statement.target, []).append((flow, lambda: spark.sql(query)))
    if statement.cdc is not None:
        found.changes.setdefault(statement.target, []).append(statement.cdc)


def _module(spark: Any, found: Registered) -> ModuleType:
    """What ``from pyspark import pipelines`` and ``import dlt`` give while the files run."""
    from pyspark import pipelines

    made = ModuleType("pyspark.pipelines")
    for name in pipelines.__all__:
        setattr(made, name, _lenient(getattr(pipelines, name), found))
    made.create_streaming_table = _streaming_table(made.create_streaming_table, found)  # type: ignore[attr-defined]
    made.create_auto_cdc_flow = _auto_cdc(found)  # type: ignore[attr-defined]
    made.apply_changes = made.create_auto_cdc_flow  # type: ignore[attr-defined]
    for alias, name in _ALIASES.items():
        setattr(made, alias, getattr(made, name))
    made.read = spark.table  # type: ignore[attr-defined]
    made.read_stream = spark.readStream.table  # type: ignore[attr-defined]
    actions: dict[str, Action] = {"": "warn", "_or_drop": "drop", "_or_fail": "fail"}
    for ending, action in actions.items():
        setattr(made, f"expect{ending}", _expect(found, action))
        setattr(made, f"expect_all{ending}", _expect_all(found, action))
    return made


def _lenient(function: Callable[..., Any], found: Registered) -> Callable[..., Any]:
    """A function of pyspark that passes over arguments which only Databricks has."""
    known = set(signature(function).parameters)

    def called(*args: Any, **kwargs: Any) -> Any:
        found.ignored |= set(kwargs) - known
        return function(*args, **{key: value for key, value in kwargs.items() if key in known})

    return called


def _streaming_table(function: Callable[..., Any], found: Registered) -> Callable[..., Any]:
    actions: dict[str, Action] = {"expect_all": "warn", "expect_all_or_drop": "drop", "expect_all_or_fail": "fail"}

    def create_streaming_table(name: str, **kwargs: Any) -> None:
        for key, action in actions.items():
            pairs = kwargs.pop(key, None) or {}
            found.expectations.setdefault(name, []).extend(
                Expectation(key, value, action) for key, value in pairs.items()
            )
        function(name, **kwargs)

    return create_streaming_table


def _auto_cdc(found: Registered) -> Callable[..., None]:
    """``create_auto_cdc_flow``: pyspark's own knows no SCD type 2."""

    def create_auto_cdc_flow(
        target: str,
        source: str,
        keys: list[Any],
        sequence_by: Any,
        apply_as_deletes: Any = None,
        column_list: list[Any] | None = None,
        except_column_list: list[Any] | None = None,
        stored_as_scd_type: Any = 1,
        **others: Any,
    ) -> None:
        found.ignored |= {key for key, value in others.items() if value and key not in ("name",)}
        scd = int(stored_as_scd_type or 1)
        columns = None if column_list is None else tuple(column_list)
        source = source[5:] if source.lower().startswith("live.") else source
        made = Cdc(source, tuple(keys), sequence_by, apply_as_deletes, columns, tuple(except_column_list or ()), scd)
        found.changes.setdefault(target, []).append(made)

    return create_auto_cdc_flow


def _expect(found: Registered, action: Action) -> Callable[..., Any]:
    return lambda name, inv=None, condition=None: _marking(found, [Expectation(name, inv or condition, action)])


def _expect_all(found: Registered, action: Action) -> Callable[..., Any]:
    return lambda expectations: _marking(
        found, [Expectation(key, value, action) for key, value in expectations.items()]
    )


def _marking(found: Registered, made: list[Expectation]) -> Callable[[Any], Any]:
    def mark(function: Any) -> Any:
        if (
            function is None
        ):  # it stands above the decorator that declares the data set, and pyspark's gives nothing back
            found.expectations.setdefault(list(found.outputs)[-1], []).extend(made)
        else:
            setattr(function, _MARK, [*getattr(function, _MARK, ()), *made])
        return function

    return mark


@contextmanager
def _imported(module: ModuleType) -> Iterator[None]:
    """Make ``module`` what the two names import; the loader of the same name ``dlt`` comes back afterwards."""
    import pyspark
    from pyspark import pipelines

    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name == "dlt" or name.startswith("dlt.")}
    sys.modules |= {"dlt": module, "pyspark.pipelines": module}
    pyspark.pipelines = module
    try:
        yield
    finally:
        del sys.modules["dlt"]
        sys.modules |= {**hidden, "pyspark.pipelines": pipelines}
        pyspark.pipelines = pipelines
