"""One run of a Sling replication: connections, the program, and what it made."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import dagster as dg

from .files import SourceError, SourceUnreachableError
from .sling_program import program_environment

if TYPE_CHECKING:
    from .sling import SlingReplicationComponent

# Tables of a schema that hold rows of a sample, which the real rows are to replace one day.
_SAMPLES = "_sling_samples"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_POSTGRES = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "database": "PGDATABASE"}


class SlingRun:
    """Runs the selected streams.

    Args:
        component: What the YAML says.
        context: The run.
        config: The replication.
        project_root: The project's root, whose policy names the store of secrets.
        sampled: Whether the replication is the sample.
    """

    def __init__(
        self,
        component: "SlingReplicationComponent",
        context: dg.AssetExecutionContext,
        config: Mapping[str, Any],
        project_root: Path,
        *,
        sampled: bool,
    ) -> None:
        self._component, self._context, self._config = component, context, config
        self._project_root, self._sampled = project_root, sampled
        self._warehouse = context.resources.warehouse
        self._secrets: list[str] = []

    def results(self) -> Iterator[Any]:
        """What each stream made.

        Raises:
            SourceError: a variable, a secret or the program is missing, or Sling fails.
        """
        if not self._sampled and (missing := self._component.missing):
            raise SourceError(f"connections: {', '.join(missing)} not set. Set them.")
        if self._sampled:
            self._context.log.warning(f"sample rows are loaded: {', '.join(self._component.missing)} not set")
        keys = sorted(key.path for key in self._context.selected_asset_keys)
        with TemporaryDirectory(prefix="sling-", ignore_cleanup_errors=True) as work:
            connections = self._connections()
            environment = program_environment(Path(work))
            own = self._config["target"] == "WAREHOUSE"
            if own:
                self._keep_apart([list(key) for key in keys])
            yield from self._replicated(connections, environment, own)

    def _replicated(self, connections: list[Any], environment: dict[str, str], own: bool) -> Iterator[Any]:
        from dagster._utils.env import environ
        from dagster_sling import SlingResource

        from ..secrets import redacted

        try:
            with environ(environment):
                made = list(SlingResource(connections=connections).replicate(context=self._context))
        except Exception as error:
            told = _COLOURS.sub("", redacted(str(error), self._secrets))
            reason = " ".join(told.rpartition("fatal:")[2].split())[:1_500]
            raise SourceUnreachableError(f"Sling failed: {reason}") from None
        for result in made:
            key = list(result.asset_key.path) if result.asset_key else []
            metadata = {**(result.metadata or {}), **(self._counted(key) if own else {})}
            if self._sampled:
                metadata["sample"] = True
            yield dg.MaterializeResult(asset_key=result.asset_key, metadata=metadata)

    def _counted(self, key: Any) -> dict[str, Any]:
        engine = self._warehouse.engine
        schema, table = key
        if engine.relation_type(schema, table) is None:
            raise SourceError(f"Sling made no table {schema}.{table}.")
        rows = engine.query(f"SELECT count(*) FROM {engine.qualify(schema, table)}").rows[0][0]  # noqa: S608 - quoted
        columns = [dg.TableColumn(column.name, column.type) for column in engine.columns(schema, table)]
        return {"dagster/row_count": rows, "dagster/column_schema": dg.TableSchema(columns)}

    def _connections(self) -> list[Any]:
        """Sling's connections with the values of variables and secrets."""
        from dagster_sling import SlingConnectionResource

        from ..governance import policy_for
        from ..secrets import SecretError, read_secret

        made = []
        for name, connection in self._component.connections.items() if not self._sampled else ():
            values: dict[str, Any] = dict(connection.options)
            values |= {key: os.environ[variable] for key, variable in connection.variables.items()}
            try:
                store = policy_for(self._project_root).secrets
                secrets = {key: read_secret(store, secret) for key, secret in connection.secrets.items()}
            except SecretError as error:
                raise SourceError(str(error)) from None
            self._secrets += secrets.values()
            made.append(SlingConnectionResource(name=name, type=connection.type, **values, **secrets))
        if self._config["target"] == "WAREHOUSE":
            made.append(SlingConnectionResource(name="WAREHOUSE", **self._own_warehouse()))
        return made

    def _own_warehouse(self) -> dict[str, Any]:
        """The project's warehouse as a connection of Sling."""
        engine = self._warehouse.engine
        if engine.name == "duckdb":
            engine.query("SELECT 1")  # makes the file, and tells who holds it
            # Files, as Sling's other ways need extensions that DuckDB downloads.
            return {"type": "duckdb", "instance": str(engine.file), "copy_method": "csv_files"}
        if engine.name == "postgres":
            engine.check_environment()
            values = {key: os.environ[name] for key, name in _POSTGRES.items() if os.environ.get(name)}
            self._secrets.append(values.get("password", ""))
            return {"type": "postgres", "sslmode": os.environ.get("PGSSLMODE", "prefer"), **values}
        raise SourceError(
            f"target: WAREHOUSE is {engine.title} here, which this component does not hand over to Sling; expected "
            "DuckDB or Postgres. Name a connection of your own as target."
        )

    def _keep_apart(self, keys: list[list[str]]) -> None:
        """Let real rows replace those of the sample, and never the other way round."""
        engine = self._warehouse.engine
        for schema, table in keys:
            samples, relation = engine.qualify(schema, _SAMPLES), engine.qualify(schema, table)
            is_sample = bool(
                engine.relation_type(schema, _SAMPLES)
                and engine.query(f"SELECT 1 FROM {samples} WHERE name = '{table}'").rows  # noqa: S608 - checked names
            )
            present = engine.relation_type(schema, table)
            if self._sampled and present and not is_sample:
                missing = ", ".join(self._component.missing)
                raise SourceError(
                    f"{schema}.{table}: rows of the real source are there, and {missing} not set. Set them, or drop "
                    "the table."
                )
            if self._sampled and not is_sample:
                engine.execute(
                    engine.create_schema(schema),
                    f"CREATE TABLE IF NOT EXISTS {samples} (name VARCHAR(300))",
                    f"INSERT INTO {samples} VALUES ('{table}')",  # noqa: S608 - checked names
                )
            if not self._sampled and is_sample:
                engine.execute(
                    f"DROP TABLE IF EXISTS {relation}",
                    f"DELETE FROM {samples} WHERE name = '{table}'",  # noqa: S608 - checked names
                )
