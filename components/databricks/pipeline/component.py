"""The component that runs a declarative pipeline, on this machine or in the workspace."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import dagster as dg

from ...attributes import Group, Owners, Tags
from ...base import StrictComponent
from ...compute.sizes import approved_size
from ...governance.policy import policy_for
from ...spark.attributes import SparkEngine, SparkRemoteEnv
from ...warehouse.lakehouse import default_catalog
from ..attributes import CatalogName, SchemaName
from ..lakehouse.remembered import remembered
from ..target import databricks_target
from .assets import Assets
from .attributes import DeclaredDataSet
from .scaffolder import PipelineScaffolder
from .spec import DataSet, PipelineError, PipelineSpec, find_files

FULL_REFRESH = "full_refresh"
Place = tuple[str, str, dict[str, str], dict[str, DataSet]]  # catalog, schema, configuration, declared data sets


@dg.scaffold_with(PipelineScaffolder)
@dataclass
class DeclarativePipelineComponent(StrictComponent):
    """A declarative pipeline (Lakeflow, Delta Live Tables): its tables are assets, its expectations asset checks.

    The same Python and SQL files run on this machine by Spark without Java, as Delta tables below the project, and in
    the workspace that ``DATABRICKS_HOST`` names. What they declare is read without running them. Streaming tables that
    read files take new files only; those that read tables are computed as snapshots on this machine.

    .. code-block:: yaml

        type: components.DeclarativePipelineComponent
        attributes:
          name: orders
          files: [orders.py]
          catalog: main
          default_schema: silver
          configuration: {minimum_amount: "0"}
          serverless: true
          max_runtime_minutes: 30
          owners: ["team:data"]
          tags: {domain: sales}
    """

    name: Annotated[
        str,
        dg.Resolver.default(
            description="Name of the pipeline in the workspace.",
            examples=["flights"],
            json_schema_extra={"pattern": r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$"},
        ),
    ]
    files: Annotated[
        list[str],
        dg.Resolver.default(
            description="Python and SQL files beside this one, or patterns of them.",
            examples=[["transformations/**"]],
            json_schema_extra={"minItems": 1},
        ),
    ]
    default_schema: SchemaName
    catalog: CatalogName = None
    configuration: Annotated[
        dict[str, str],
        dg.Resolver.default(description="Parameters: spark.conf.get in Python, ${name} in SQL."),
    ] = field(default_factory=dict)
    declared: Annotated[
        list[DeclaredDataSet],
        dg.Resolver.default(description="What the files do not write down as text, such as names made in a loop."),
    ] = field(default_factory=list)
    depends_on: Annotated[
        dict[str, list[str]],
        dg.Resolver.default(
            description="Further upstream assets by table, such as the files it reads.",
            examples=[{"bronze.orders": ["landing/orders"]}],
        ),
    ] = field(default_factory=dict)
    descriptions: Annotated[
        dict[str, str], dg.Resolver.default(description="Descriptions by table, instead of comments in the files.")
    ] = field(default_factory=dict)
    spark_engine: SparkEngine = None
    spark_remote_env: SparkRemoteEnv = "SPARK_REMOTE"
    compute_size: Annotated[
        str | None,
        dg.Resolver.default(description="Approved size of policy.yaml: what Spark may use here, and clusters there."),
    ] = None
    serverless: Annotated[
        bool, dg.Resolver.default(description="Whether the workspace runs it on serverless compute.")
    ] = True
    workspace_folder: Annotated[
        str | None,
        dg.Resolver.default(
            description="Folder of the workspace that the files are written to; the login's own when left out.",
            examples=["/Workspace/Shared/pipelines/orders"],
            json_schema_extra={"pattern": "^/"},
        ),
    ] = None
    max_runtime_minutes: Annotated[
        float | None,
        dg.Resolver.default(
            description="Minutes after which an update of the workspace is stopped.",
            json_schema_extra={"exclusiveMinimum": 0},
        ),
    ] = None
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError where attributes contradict each other."""
        if not self.serverless and self.compute_size is None:
            raise ValueError("compute_size: expected an approved size of policy.yaml where serverless is false")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One step with an asset for each table and a check for each expectation."""
        folder = context.path if context.path.is_dir() else context.path.parent
        where = f"{folder / 'defs.yaml'}: {self.name}"
        target = databricks_target()
        spec = self.spec(folder, context.project_root)
        size = None
        if self.compute_size is not None:
            size = approved_size(policy_for(context.project_root), self.compute_size, where)
        assets = Assets(spec, self.depends_on, self.descriptions, self.owners, self.group, self.tags, where)
        identifier = "".join(part if part.isalnum() else "_" for part in self.name.lower())

        @dg.multi_asset(
            name=f"pipeline_{identifier}",
            specs=assets.specs(target),
            check_specs=assets.check_specs(),
            can_subset=True,
            config_schema={
                FULL_REFRESH: dg.Field(
                    bool, default_value=False, description="Compute every table anew, and read all files again."
                )
            },
        )
        def pipeline(context: dg.AssetExecutionContext) -> Iterator[Any]:
            from .run import run_pipeline

            yield from run_pipeline(context, assets, spec, self, size, project_root)

        project_root = context.project_root
        return dg.Definitions(assets=[pipeline])

    def spec(self, folder: Path, project_root: Path) -> PipelineSpec:
        """The pipeline, read from its files.

        Args:
            folder: Folder of the YAML.
            project_root: Root of the project, where what was read is kept until a file changes.

        Raises:
            DagsterInvalidDefinitionError: a file is missing, cannot be read, or hides what it makes.
        """
        catalog = (self.catalog or default_catalog()).lower()
        told = str(folder / "defs.yaml")
        try:
            files = find_files(folder, self.files)
            declared = {one.name: one.data_set() for one in self.declared}
            place = (catalog, self.default_schema.lower(), self.configuration, declared)
            texts = [(str(file), file.read_bytes()) for file in files]
            kept = remembered(
                project_root,
                f"pipeline {self.name}",
                (texts, place),
                lambda: _read(files, place, told),
            )
            data_sets = tuple(map(DataSet.of, kept))
        except PipelineError as error:
            raise dg.DagsterInvalidDefinitionError(str(error)) from None
        return PipelineSpec(
            name=self.name,
            files=files,
            root=folder,
            catalog=catalog,
            schema=self.default_schema.lower(),
            data_sets=data_sets,
            configuration=self.configuration,
            serverless=self.serverless,
            compute_size=self.compute_size,
            workspace_folder=self.workspace_folder,
            max_runtime_minutes=self.max_runtime_minutes,
            owner=self.owners[0] if self.owners else None,
        )


def _read(files: tuple[Path, ...], place: Place, told: str) -> list[dict[str, Any]]:
    from .sources import read_pipeline

    return [asdict(one) for one in read_pipeline(files, *place, told)]
