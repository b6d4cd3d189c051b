"""The component that runs replications of Sling, into the project's warehouse."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
import yaml

from ..attributes import Group, Owners, Tags
from ..base import StrictComponent
from ..warehouse.kind import engine_kind
from ..warehouse.settings import warehouse_target
from .files import SourceError, SourceUnreachableError
from .sling_attributes import SlingConnection

REPLICATION = """\
# What Sling replicates: https://docs.slingdata.io. The target WAREHOUSE is the project's own; object says which table.
source: LOCAL
target: WAREHOUSE
defaults: {mode: full-refresh}
streams:
  file://orders.csv:
    object: raw.orders
    meta: {dagster: {description: "One row an order: say who makes it."}}
"""


class SlingReplicationScaffolder(dg.Scaffolder):
    """Writes a replication of one file."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write ``defs.yaml``, ``replication.yaml`` and ``orders.csv``."""
        dg.scaffold_component(request, {"replication": "replication.yaml", "group": "ingestion"})
        (request.target_path / "replication.yaml").write_text(REPLICATION, encoding="utf-8")
        (request.target_path / "orders.csv").write_text("id,amount\n1,42.50\n2,129.99\n", encoding="utf-8")


@dg.scaffold_with(SlingReplicationScaffolder)
@dataclass(kw_only=True)
class SlingReplicationComponent(StrictComponent):
    """Streams of a Sling replication, one asset a stream, with the company's keys, owners and secrets.

    The replication is Sling's own YAML. Each stream names its ``object`` as ``schema.table``, which is its asset key;
    the target ``WAREHOUSE`` is the project's warehouse (DuckDB or Postgres), and a relative ``file://`` starts at this
    folder. Sling's free edition reads databases and files, no SaaS.

    .. code-block:: yaml

        type: components.SlingReplicationComponent
        attributes:
          replication: replication.yaml
          connections:
            SHOP:
              type: postgres
              variables: {host: SHOP_DB_HOST, database: SHOP_DB_NAME, user: SHOP_DB_USER}
              secrets: {password: SHOP_DB_PASSWORD}
              options: {port: 5432}
          owners: [team:data]
          group: raw
          tags: {classification: internal}
    """

    replication: Annotated[
        str,
        dg.Resolver.default(
            description="Sling's replication file, beside this one.",
            examples=["replication.yaml"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ]
    connections: Annotated[
        dict[str, SlingConnection],
        dg.Resolver.default(description="Connections by the names that the replication calls them."),
    ] = field(default_factory=dict)
    sample: Annotated[
        str | None,
        dg.Resolver.default(
            description="Replication file for local work while no variable of the connections is set.",
            examples=["sample.yaml"],
        ),
    ] = None
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """The environment variables of the connections that are not set."""
        return [name for connection in self.connections.values() for name in connection.missing]

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One subsettable multi-asset with an asset for each stream.

        Raises:
            DagsterInvalidDefinitionError: a replication file is missing, a stream does not say its table, or
                dagster-sling is not installed.
        """
        try:
            from dagster_sling import DagsterSlingTranslator
            from dagster_sling.asset_decorator import get_sling_asset_specs
        except ImportError:
            raise dg.DagsterInvalidDefinitionError(
                "SlingReplicationComponent needs the package dagster-sling. Add it to the project's dependencies."
            ) from None

        folder, root = context.path, context.project_root
        config = _replication(folder / self.replication)
        wanted = {name for connection in self.connections.values() for name in connection.variables.values()}
        sampled = bool(self.sample and wanted and set(self.missing) == wanted and warehouse_target() == "local")
        if self.sample:
            sample = _replication(folder / self.sample)
            if (left := _objects(config)) != (right := _objects(sample)):
                raise dg.DagsterInvalidDefinitionError(
                    f"{folder / self.sample}: the sample makes {', '.join(sorted(right))}; expected what "
                    f"{self.replication} makes: {', '.join(sorted(left))}"
                )
            config = sample if sampled else config
        engine = engine_kind(context) if config.get("target") == "WAREHOUSE" else set()
        component = self

        class Translator(DagsterSlingTranslator):
            """Specs that meet the standards."""

            def get_asset_spec(self, stream_definition: Mapping[str, Any]) -> dg.AssetSpec:
                """The spec of one stream."""
                return component._spec(super().get_asset_spec(stream_definition), stream_definition["config"], engine)

        place = "_".join(folder.relative_to(context.defs_module_path).parts) or "sling"
        name = "".join(char if char.isalnum() else "_" for char in place)

        translator = Translator()
        specs = get_sling_asset_specs(config, translator)

        @dg.multi_asset(name=f"sling_{name}", specs=specs, can_subset=True, required_resource_keys={"warehouse"})
        def replicate(context: dg.AssetExecutionContext) -> Iterator[Any]:
            from .sling_run import SlingRun

            try:
                yield from SlingRun(component, context, config, root, sampled=sampled).results()
            except SourceError as error:
                again = isinstance(error, SourceUnreachableError)
                raise dg.Failure(description=str(error), allow_retries=again) from None

        return dg.Definitions(assets=[replicate])

    def _spec(self, spec: dg.AssetSpec, config: Mapping[str, Any], engine: set[str]) -> dg.AssetSpec:
        return spec.replace_attributes(
            key=_object(config),
            deps=[],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"sling"} | engine,
        ).merge_attributes(metadata={"dagster/table_name": ".".join(_object(config))})


def _replication(file: Path) -> dict[str, Any]:
    """A replication whose streams all say their table.

    Raises:
        DagsterInvalidDefinitionError: the file is missing or none.
    """
    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise dg.DagsterInvalidDefinitionError(f"{file} does not exist; expected a replication of Sling") from None
    except yaml.YAMLError as error:
        raise dg.DagsterInvalidDefinitionError(f"{file}: {error}") from None
    for key in ("source", "target", "streams"):
        if not isinstance(config, dict) or not config.get(key):
            raise dg.DagsterInvalidDefinitionError(f"{file}: no {key}; expected source, target and streams")
    for stream, settings in config["streams"].items():
        name = str((settings or {}).get("object", ""))
        if name.count(".") != 1 or "{" in name or not all(name.split(".")):
            raise dg.DagsterInvalidDefinitionError(
                f"{file}: streams: {stream}: object: {name!r} is not valid; expected schema.table, as raw.orders"
            )
    config["streams"] = {_absolute(stream, file.parent): settings for stream, settings in config["streams"].items()}
    return config


def _absolute(stream: str, folder: Path) -> str:
    path = stream.removeprefix("file://")
    local = stream.startswith("file://") and not Path(path).is_absolute()
    return f"file://{(folder / path).absolute().as_posix()}" if local else stream


def _object(config: Mapping[str, Any]) -> list[str]:
    return str(config["object"]).split(".")


def _objects(config: Mapping[str, Any]) -> set[str]:
    return {str(settings["object"]) for settings in config["streams"].values()}
