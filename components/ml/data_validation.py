"""The component that holds data against a file of rules before anything is built on it."""

from dataclasses import dataclass, field
from typing import Annotated

import dagster as dg
from pydantic import BaseModel, Field

from ..attributes import Description, Group, Owners, Tags
from ..base import StrictComponent
from ..warehouse.engines.base import WarehouseError
from ..warehouse.sql_table import SqlPartition
from .attributes import KEY_PATTERN, DependsOn, Key
from .data import DataSource, Place, place_of, window_of
from .example import FILE, TARGET, write_wine
from .rows import Rows
from .rule_results import Finding, findings
from .rules import RulesFile
from .yaml_files import read_model

EXAMPLE_RULES = f"""# Each rule becomes an asset check. severity: error stops what is downstream, warn only tells.
rules:
  - check: row_count
    minimum: 100
  - check: not_null
    columns: [wine, alcohol, proline]
  - check: unique
    columns: [wine]
  - check: range
    columns: [alcohol]
    minimum: 10
    maximum: 16
  - check: accepted_values
    columns: [{TARGET}]
    values: [cultivar_0, cultivar_1, cultivar_2]
  - check: regex
    columns: [wine]
    pattern: ^W[0-9]+$
    severity: warn
  - check: sql
    name: more_phenols_than_flavanoids_are_not_phenols
    expression: nonflavanoid_phenols <= total_phenols
"""


class DataValidationParams(BaseModel):
    """What the scaffolder asks."""

    key: str = Field(default="ml/wine_data_checks", description="Asset key, group/name", pattern=KEY_PATTERN)


class DataValidationScaffolder(dg.Scaffolder[DataValidationParams]):
    """Writes rules and real data that they hold for."""

    @classmethod
    def get_scaffold_params(cls) -> type[DataValidationParams]:
        """The asset key."""
        return DataValidationParams

    def scaffold(self, request: dg.ScaffoldRequest[DataValidationParams]) -> None:
        """Write ``defs.yaml``, ``rules.yaml`` and the data beside them."""
        write_wine(request.target_path)
        if not (request.target_path / "rules.yaml").exists():
            (request.target_path / "rules.yaml").write_text(EXAMPLE_RULES, encoding="utf-8")
        attributes = {
            "key": request.params.key,
            "description": "The wines that models are trained on, held against the rules.",
            "data": {"path": FILE},
            "rules": "rules.yaml",
            "group": "ml",
        }
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(DataValidationScaffolder)
@dataclass
class DataValidationComponent(StrictComponent):
    """Data held against a file of rules; each rule is an asset check, and a broken one stops what is downstream.

    The rules run as SQL where the data is. What must wait for them names this asset in ``depends_on``.

    .. code-block:: yaml

        type: components.DataValidationComponent
        attributes:
          key: ml/wine_data_checks
          description: The wines that models are trained on.
          data:
            path: wine.csv
          rules: rules.yaml
          personal_columns: [wine]
          owners: ["team:data-science"]
          group: ml
    """

    key: Key
    description: Description
    data: Annotated[DataSource, dg.Resolver.default(description="Rows to check.")]
    rules: Annotated[
        str,
        dg.Resolver.default(
            description="YAML file with the rules, beside this one.",
            examples=["ml_data_quality_rules.yaml"],
            json_schema_extra={"pattern": r"\.ya?ml$"},
        ),
    ]
    personal_columns: Annotated[
        list[str],
        dg.Resolver.default(description="Columns with personal data: samples of failing rows hide them."),
    ] = field(default_factory=list)
    partition: Annotated[
        SqlPartition | None, dg.Resolver.default(description="Time partitions; a run checks the rows of its period.")
    ] = None
    depends_on: DependsOn = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset and its checks."""
        place = place_of(context)
        file = place.folder / self.rules
        checked = read_model(file, RulesFile, f"{place.file}: rules")
        self._check_references(checked, f"{file}")
        asset_key = dg.AssetKey.from_user_string(self.key)
        references = [rule.references for rule in checked.rules if rule.references and self.data.path is None]
        upstream = {
            *self.data.upstream,
            *(dg.AssetKey.from_user_string(key) for key in [*self.depends_on, *references]),
        }

        @dg.asset(
            key=asset_key,
            description=self.description,
            deps=sorted(upstream),
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"sql", "quality"},
            partitions_def=self.partition.definition() if self.partition else None,
            check_specs=[
                dg.AssetCheckSpec(
                    rule.check_name, asset=asset_key, description=rule.words, blocking=rule.severity == "error"
                )
                for rule in checked.rules
            ],
            required_resource_keys=self.data.resources,
        )
        def data_validation(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            try:
                return self._check(context, place, checked, asset_key)
            except WarehouseError as error:
                raise dg.Failure(description=f"{self.key} ({file}): {error}") from None

        return dg.Definitions(assets=[data_validation])

    def _check_references(self, checked: RulesFile, file: str) -> None:
        for number, rule in enumerate(checked.rules):
            if rule.references and rule.references.endswith((".csv", ".parquet")) != (self.data.path is not None):
                expected = "a Parquet or CSV file" if self.data.path else "a table as schema/table"
                raise dg.DagsterInvalidDefinitionError(
                    f"{file}: rules.{number}.references: {rule.references!r} is not valid; expected {expected}, "
                    "as data is one"
                )

    def _check(
        self, context: dg.AssetExecutionContext, place: Place, checked: RulesFile, key: dg.AssetKey
    ) -> dg.MaterializeResult:
        column = self.partition.column if self.partition else ""
        rows = self.data.opened(context, place, window_of(context, self.partition), column)

        def referenced(name: str) -> Rows:
            kind = "path" if self.data.path else "table"
            return DataSource(**{kind: name}).opened(context, place)

        count = int(rows.query(f"SELECT count(*) FROM {rows.relation} AS r").rows[0][0])  # noqa: S608 - quoted
        found = findings(checked.rules, rows, referenced, self.personal_columns)
        broken = [finding for finding in found if not finding.passed]
        for finding in broken:
            context.log.warning(f"{finding.rule.check_name}: {finding.summary}")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": count,
                "data": rows.origin,
                "rules": len(found),
                "broken_rules": len(broken),
                "report": dg.MetadataValue.md(_report(found)),
            },
            check_results=[finding.check_result(key) for finding in found],
        )


def _report(found: list[Finding]) -> str:
    lines = ["| rule | severity | kept | found |", "| --- | --- | --- | --- |"]
    for finding in found:
        rule, words = finding.rule, finding.summary.replace("|", "\\|")
        lines.append(f"| {rule.check_name} | {rule.severity} | {'yes' if finding.passed else 'no'} | {words} |")
    return "\n".join(lines)
