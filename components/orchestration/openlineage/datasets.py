"""Assets as OpenLineage's datasets: columns, where they come from, owners, rows and checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
from openlineage.client import event_v2 as ol
from openlineage.client import facet_v2 as facets

from ..story import Made, Step

_COLUMNS, _LINEAGE = "dagster/column_schema", "dagster/column_lineage"
_RELATION = ("dagster/relation_identifier", "dagster/table_name")


@dataclass
class Datasets:
    """Makes the datasets of one step.

    Args:
        namespace: Of all of them.
        graph: The code location's assets.
        step: What the step made and checked.
    """

    namespace: str
    graph: Any
    step: Step

    def input(self, key: dg.AssetKey) -> ol.InputDataset:
        """An asset that is read, with the checks of it that the step made."""
        said = self._declared(key)
        checks = [check for check in self.step.checks if check.key == key]
        found = facets.data_quality_assertions_dataset
        held = [found.Assertion(assertion=check.name, success=check.passed) for check in checks]
        quality: dict[str, Any] = {}
        if held:
            quality["dataQualityAssertions"] = found.DataQualityAssertionsDatasetFacet(held)
        return ol.InputDataset(self.namespace, _name(key), inputFacets=quality, facets=self._facets(key, said))

    def output(self, key: dg.AssetKey, made: Made | None) -> ol.OutputDataset:
        """An asset that is made, with what its materialisation says."""
        said = {**self._declared(key), **(made.said if made else {})}
        about = self._facets(key, said)
        if lineage := self._lineage(said):
            about["columnLineage"] = lineage
        rows = facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet
        counted: dict[str, Any] = {}
        if made and made.rows is not None:
            counted["outputStatistics"] = rows(rowCount=int(made.rows))
        return ol.OutputDataset(self.namespace, _name(key), outputFacets=counted, facets=about)

    def _declared(self, key: dg.AssetKey) -> Mapping[str, Any]:
        node = self.graph.get(key) if self.graph.has(key) else None
        return node.metadata if node else {}

    def _facets(self, key: dg.AssetKey, said: Mapping[str, Any]) -> dict[str, Any]:
        about: dict[str, Any] = {}
        node = self.graph.get(key) if self.graph.has(key) else None
        if node and node.description:
            about["documentation"] = facets.documentation_dataset.DocumentationDatasetFacet(
                description=node.description
            )
        if node and node.owners:
            about["ownership"] = facets.ownership_dataset.OwnershipDatasetFacet(
                [facets.ownership_dataset.Owner(name=owner, type="OWNER") for owner in node.owners]
            )
        schema = _value(said.get(_COLUMNS))
        if isinstance(schema, dg.TableSchema):
            found = facets.schema_dataset
            columns = [
                found.SchemaDatasetFacetFields(name=column.name, type=column.type, description=column.description)
                for column in schema.columns
            ]
            about["schema"] = found.SchemaDatasetFacet(fields=columns)
        relation = next((str(_value(said[name])) for name in _RELATION if said.get(name)), None)
        if relation:
            same = facets.symlinks_dataset.Identifier(namespace=self.namespace, name=relation, type="TABLE")
            about["symlinks"] = facets.symlinks_dataset.SymlinksDatasetFacet(identifiers=[same])
        return about

    def _lineage(self, said: Mapping[str, Any]) -> Any:
        lineage = _value(said.get(_LINEAGE))
        if not isinstance(lineage, dg.TableColumnLineage):
            return None
        found = facets.column_lineage_dataset
        fields = {
            column: found.Fields(
                inputFields=[found.InputField(self.namespace, _name(dep.asset_key), dep.column_name) for dep in deps]
            )
            for column, deps in lineage.deps_by_column.items()
        }
        return found.ColumnLineageDatasetFacet(fields=fields)


def _name(key: dg.AssetKey) -> str:
    return ".".join(key.path)


def _value(metadata: Any) -> Any:
    """What a metadata value holds."""
    return getattr(metadata, "value", metadata)
