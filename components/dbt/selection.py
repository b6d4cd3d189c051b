"""What of a dbt project takes part, and what of that one run asks for, as dbt's own arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt.asset_utils import DAGSTER_DBT_UNIQUE_ID_METADATA_KEY, DBT_DEFAULT_SELECT

from .attributes import DbtOptions
from .faults import Where
from .profiles import read_yaml


@dataclass(frozen=True)
class Selection:
    """The part of the project that the YAML asks for.

    Args:
        select: dbt selection string.
        exclude: dbt selection string of what is left out.
        selector: Name of a selector; the other two are empty then.
    """

    select: str = DBT_DEFAULT_SELECT
    exclude: str = ""
    selector: str = ""

    def arguments(self) -> list[str]:
        """The options that name this part to dbt."""
        if self.selector:
            return ["--selector", self.selector]
        chosen = ["--select", *self.select.split()] if self.select != DBT_DEFAULT_SELECT else []
        return chosen + (["--exclude", *self.exclude.split()] if self.exclude else [])


def choose(options: DbtOptions, where: Where, folder: Path, manifest: Mapping[str, Any]) -> Selection:
    """Read ``select``, ``selector`` and ``exclude_models``.

    Raises:
        DbtProjectError: the selector is not in selectors.yml, a pattern fits no model, or they cannot be combined.
    """
    if options.selector:
        if options.select or options.exclude_models:
            other = "dbt.select" if options.select else "dbt.exclude_models"
            raise where.fault(
                "dbt.selector", options.selector, f"excludes {other}, as dbt does; write both into selectors.yml"
            )
        names = [found.get("name") for found in read_yaml(folder / "selectors.yml").get("selectors") or []]
        if options.selector not in names:
            problem = "is not in selectors.yml of the dbt project (a selection string such as tag:daily is dbt.select)"
            raise where.fault("dbt.selector", options.selector, problem, map(str, names))
    models = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    for pattern in options.exclude_models:
        if not any(fnmatchcase(name, pattern) for name in models):
            raise where.fault("dbt.exclude_models", pattern, "fits no model of the dbt project", models)
    exclude = " ".join(f"fqn:{pattern},resource_type:model" for pattern in options.exclude_models)
    return Selection("" if options.selector else options.select or DBT_DEFAULT_SELECT, exclude, options.selector or "")


@dataclass(frozen=True)
class RunSelection:
    """What one run asks for, looked up once per project.

    Args:
        whole: The part of the project that the component covers.
        assets: Unique ids of nodes by asset key.
        tests: Unique ids of tests by check key.
        manifest: What dbt parsed.
    """

    whole: Selection
    assets: Mapping[dg.AssetKey, str]
    tests: Mapping[dg.AssetCheckKey, str]
    manifest: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        whole: Selection,
        specs: list[dg.AssetSpec],
        checks: list[dg.AssetCheckSpec],
        manifest: Mapping[str, Any],
    ) -> "RunSelection":
        """Index what dbt's specs say about their nodes."""
        return cls(
            whole,
            {spec.key: spec.metadata[DAGSTER_DBT_UNIQUE_ID_METADATA_KEY] for spec in specs},
            {check.key: (check.metadata or {})[DAGSTER_DBT_UNIQUE_ID_METADATA_KEY] for check in checks},
            manifest,
        )

    def arguments(self, context: dg.AssetExecutionContext) -> list[str] | None:
        """dbt's options for the assets and checks that a run selected; None where there is nothing for dbt to do.

        dbt takes the tests of selected nodes along by itself; of those, the ones not asked for are excluded by name,
        and tests asked for without their node are added.
        """
        assets = {self.assets[key] for key in context.selected_asset_keys}
        parents = self.manifest["parent_map"]
        sources = {parent for node in assets for parent in parents.get(node, ()) if parent.startswith("source.")}
        wanted = {self.tests[key] for key in context.selected_asset_check_keys if key in self.tests}
        wanted |= {test for test in self.tests.values() if sources.intersection(parents.get(test, ()))}
        if len(assets) == len(self.assets) and wanted == set(self.tests.values()):
            return self.whole.arguments()
        if not assets and not wanted:
            return None
        taken_along = {test for test in self.tests.values() if assets.intersection(parents.get(test, ()))}
        chosen = sorted(self._name(node) for node in assets | (wanted - taken_along))
        left_out = sorted(self._name(test) for test in taken_along - wanted)
        if assets and not wanted:
            return ["--select", *chosen, "--exclude-resource-type", "test"]
        return ["--select", *chosen, *(["--exclude", *left_out] if left_out else [])]

    def _name(self, unique_id: str) -> str:
        return "fqn:" + ".".join(self.manifest["nodes"][unique_id]["fqn"])
