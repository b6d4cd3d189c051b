"""Tables and expectations of a pipeline, as assets and asset checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import dagster as dg

from ...warehouse.lakehouse import TableName
from ..target import Target
from .spec import DataSet, DatasetResult, Expectation, PipelineSpec, source_version


@dataclass(frozen=True)
class Assets:
    """What Dagster sees of a pipeline.

    Args:
        spec: The pipeline.
        depends_on: Further upstream assets by table.
        descriptions: Descriptions by table.
        owners: Owners of every asset.
        group: Asset group; the table's schema when None.
        tags: Tags of every asset.
        where: File and component, for messages.
    """

    spec: PipelineSpec
    depends_on: Mapping[str, Sequence[str]]
    descriptions: Mapping[str, str]
    owners: Sequence[str]
    group: str | None
    tags: Mapping[str, str]
    where: str

    def specs(self, target: Target) -> list[dg.AssetSpec]:
        """The asset of each table.

        Raises:
            DagsterInvalidDefinitionError: the YAML speaks of a table that the files do not make.
        """
        names = [one.name for one in self.spec.stored]
        for attribute in ("depends_on", "descriptions"):
            if unknown := [name for name in getattr(self, attribute) if name not in names]:
                raise dg.DagsterInvalidDefinitionError(
                    f"{self.where}: {attribute}: {', '.join(unknown)} is not made by the files; expected one of "
                    f"{', '.join(names)}"
                )
        version = source_version(self.spec.files)
        place = "databricks" if target == "workspace" else "spark"
        return [
            dg.AssetSpec(
                self.key(one.name),
                deps=[*self._upstream(one), *map(dg.AssetKey.from_user_string, self.depends_on.get(one.name, ()))],
                description=self.descriptions.get(one.name) or one.comment or None,
                owners=list(self.owners),
                group_name=self.group or self.key(one.name).path[0],
                tags=dict(self.tags),
                kinds={place, "delta", one.kind.replace("_", "")},
                code_version=version,
                metadata={
                    "dagster/table_name": str(self.full_name(one.name)),
                    "data_set": one.kind.replace("_", " "),
                    "declared_in": one.origin.rpartition("/")[2],
                },
            )
            for one in self.spec.stored
        ]

    def check_specs(self) -> list[dg.AssetCheckSpec]:
        """The check of each expectation; those of a temporary view are checks of the first table that reads it."""
        return [
            dg.AssetCheckSpec(
                check,
                asset=key,
                description=f"{one.condition} ({_WHAT_HAPPENS[one.action]})",
                blocking=one.action == "fail",
            )
            for (_, _), (key, check, one) in self.checks.items()
        ]

    @cached_property
    def checks(self) -> dict[tuple[str, str], tuple[dg.AssetKey, str, Expectation]]:
        """Asset, check and expectation, by data set and the expectation's name."""
        found: dict[tuple[str, str], tuple[dg.AssetKey, str, Expectation]] = {}
        used: set[tuple[dg.AssetKey, str]] = set()
        for one in self.spec.data_sets:
            reader = one.name if one.kind != "temporary_view" else self._reader(one.name)
            if reader is None:
                continue
            for expectation in one.expectations:
                prefix = "" if reader == one.name else f"{one.name}_"
                check = base = _identifier(prefix + expectation.name)
                number = 2
                while (self.key(reader), check) in used:
                    check, number = f"{base}_{number}", number + 1
                used.add((self.key(reader), check))
                found[one.name, expectation.name] = (self.key(reader), check, expectation)
        return found

    def check_results(self, name: str, result: DatasetResult) -> list[dg.AssetCheckResult]:
        """How the expectations of one data set fared."""
        made = []
        for expectation, (passed, failed) in result.expectations.items():
            if (name, expectation) not in self.checks:
                continue
            key, check, one = self.checks[name, expectation]
            made.append(
                dg.AssetCheckResult(
                    passed=not failed,
                    asset_key=key,
                    check_name=check,
                    severity=dg.AssetCheckSeverity.ERROR if one.action == "fail" else dg.AssetCheckSeverity.WARN,
                    description=f"{failed:,} of {passed + failed:,} rows break: {one.condition}" if failed else None,
                    metadata={"passed": passed, "failed": failed, "action": one.action, "condition": one.condition},
                )
            )
        return made

    def key(self, name: str) -> dg.AssetKey:
        """The asset key of a table: schema and table."""
        full = self.full_name(name)
        return dg.AssetKey([full.schema, full.table])

    def full_name(self, name: str) -> TableName:
        """A table's three names."""
        return TableName.parse(name, self.spec.catalog, self.spec.schema)

    def _upstream(self, data_set: DataSet) -> list[dg.AssetKey]:
        """What a table reads, through temporary views."""
        found: dict[dg.AssetKey, None] = {}
        for name in data_set.reads:
            read = self.spec.find(name)
            if read is not None and read.kind == "temporary_view":
                found |= dict.fromkeys(self._upstream(read))
            elif name != data_set.name:
                found[self.key(name)] = None
        return list(found)

    def _reader(self, view: str) -> str | None:
        for one in self.spec.data_sets:
            if view in one.reads:
                return one.name if one.kind != "temporary_view" else self._reader(one.name)
        return None


_WHAT_HAPPENS = {
    "warn": "rows that break it are kept",
    "drop": "rows that break it are dropped",
    "fail": "fails the update",
}


def _identifier(text: str) -> str:
    made = "".join(part if part.isascii() and part.isalnum() else "_" for part in text)
    return made.strip("_") or "expectation"
