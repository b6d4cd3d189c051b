"""The component that transforms data on Spark by SQL or a Python function."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import dagster as dg

from ..attributes import AssetKeyText, Description, Group, Owners, SqlFile, Tags
from ..base import StrictComponent
from ..governance.policy import policy_for
from ..partitions import TimePartition
from ..warehouse.sql import PARTITION_PLACEHOLDERS, load_sql
from .attributes import (
    DependsOn,
    Environment,
    Expectation,
    ProfileName,
    Resources,
    SecretNames,
    SizeName,
    SparkEngine,
    SparkRemoteEnv,
    TransformInput,
    TransformOutput,
)
from .jobs import Compute
from .scripts import find_scripts
from .transform_run import TransformRun
from .transform_scaffolder import SparkTransformScaffolder


@dg.scaffold_with(SparkTransformScaffolder)
@dataclass
class SparkTransformComponent(StrictComponent):
    """Data made on Spark from other data, by SQL or by a Python function.

    Expectations are looked at before the result is published: readers see the earlier result or the new one, never
    half of one. With ``partition``, each run replaces its own partition and leaves all others. SQL may use
    ``{{ partition.key }}``, ``{{ partition.start }}`` and ``{{ partition.end }}``.

    .. code-block:: yaml

        type: components.SparkTransformComponent
        attributes:
          key: data/delays
          description: Average delay of each route. Input of the delay model.
          compute_size: small
          inputs:
            flights: {source: data/flights}
          sql: SELECT origin, dest, avg(arr_delay) AS delay FROM flights GROUP BY origin, dest
          output: {path: data/delays}
          expectations:
            - {rule: unique, columns: [origin, dest]}
    """

    key: AssetKeyText
    description: Description
    compute_size: SizeName
    inputs: Annotated[
        dict[str, TransformInput],
        dg.Resolver.default(description="Inputs by the name that the SQL or the function knows them by."),
    ]
    output: Annotated[TransformOutput, dg.Resolver.default(description="Where the result goes.")]
    sql: Annotated[str | None, dg.Resolver.default(description="The query.")] = None
    sql_file: SqlFile = None
    entry_point: Annotated[
        str | None,
        dg.Resolver.default(
            description="Python file beside this one that defines transform(context); instead of SQL.",
            examples=["transform.py"],
            json_schema_extra={"pattern": r"^[A-Za-z_]\w*\.py$"},
        ),
    ] = None
    parameters: Annotated[
        dict[str, Any], dg.Resolver.default(description="Parameters of the function, as context.parameters.")
    ] = field(default_factory=dict)
    expectations: Annotated[
        list[Expectation], dg.Resolver.default(description="What must hold for the result; each is an asset check.")
    ] = field(default_factory=list)
    resources: Annotated[Resources, dg.Resolver.default(description="Caps and priority.")] = field(
        default_factory=Resources
    )
    compute_profile: ProfileName = None
    spark_engine: SparkEngine = None
    spark_remote_env: SparkRemoteEnv = "SPARK_REMOTE"
    secrets: SecretNames = field(default_factory=list)
    environment: Environment = field(default_factory=dict)
    depends_on: DependsOn = field(default_factory=list)
    partition: Annotated[
        TimePartition | None,
        dg.Resolver.default(description="Time partitions; a result without them is replaced whole."),
    ] = None
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    @classmethod
    def get_additional_scope(cls) -> dict[str, Any]:
        """``partition`` in the YAML's SQL, which stays a template until the query runs."""
        return {"partition": PARTITION_PLACEHOLDERS}

    def __post_init__(self) -> None:
        if self.output.format == "parquet" and "://" in self.output.path:
            raise ValueError(
                f"output: {self.output.path!r} is an address, where Parquet files cannot change places with others; "
                "expected format: delta, or a path in the project"
            )
        if self.entry_point and (self.sql is not None or self.sql_file):
            raise ValueError(f"{self.key}: expected one of sql, sql_file and entry_point")
        for expectation in self.expectations:
            _check_expectation(expectation)
        names = [expectation.check_name for expectation in self.expectations]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expectations: {', '.join(twice)} stands there twice; expected each rule once")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset and its checks.

        Raises:
            DagsterInvalidDefinitionError: the size is not approved, or the function does not exist.
            ValueError: there is no SQL, or it cannot be read.
        """
        folder = context.path if context.path.is_dir() else context.path.parent
        where = str(folder / "defs.yaml")
        policy = policy_for(context.project_root)
        Compute.of(self, policy, self.owners, where)
        scripts, sql = None, None
        if self.entry_point:
            scripts = find_scripts(folder, context.project_root, self.entry_point, "transform", None)
        else:
            sql = load_sql(self.sql, self.sql_file, folder, partitioned=self.partition is not None)
        key = dg.AssetKey.from_user_string(self.key)
        project_root = context.project_root

        @dg.asset(
            key=key,
            description=self.description,
            deps=[dg.AssetKey.from_user_string(upstream) for upstream in self.depends_on],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"spark", "python" if scripts else "sql", self.output.format},
            code_version=scripts.version if scripts else sql.version if sql else None,
            partitions_def=self.partition.definition() if self.partition else None,
            check_specs=[dg.AssetCheckSpec(each.check_name, asset=key) for each in self.expectations],
            op_tags=self.resources.run_tags,
        )
        def spark_data(
            context: dg.AssetExecutionContext,
        ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
            compute = Compute.of(self, policy, self.owners, where)
            yield from TransformRun(self, context, policy, compute, scripts, sql, folder, project_root).materialize()

        return dg.Definitions(assets=[spark_data])


def _check_expectation(expectation: Expectation) -> None:
    limits = [limit for limit in (expectation.minimum, expectation.maximum) if limit is not None]
    if expectation.rule == "range" and (not limits or len(expectation.columns) != 1):
        raise ValueError("expectations: a range has one column, and minimum, maximum or both")
    if expectation.rule != "range" and limits:
        raise ValueError(f"expectations: minimum and maximum belong to a range, not to {expectation.rule}")
