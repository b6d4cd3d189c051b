"""dbt nodes as assets: keys, groups, owners and tags, with defaults where the dbt project declares nothing."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject
from dagster_dbt.asset_utils import default_asset_key_fn, default_group_from_dbt_resource_props

from .attributes import AssetDefaults, TestSeverity
from .declared import declared_meta, declared_sla, declared_tags
from .upstream import UpstreamMapping

Translation = Callable[[dg.AssetSpec, Mapping[str, Any]], dg.AssetSpec]
_SETTINGS = DagsterDbtTranslatorSettings(enable_code_references=True, enable_source_tests_as_checks=True)


@dataclass(frozen=True)
class Standards:
    """What every asset of the component gets.

    Args:
        tags: Tags of the asset.
        metadata: Metadata of the asset.
        freshness: Its freshness policy.
        partitions: Its partitions.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    freshness: dg.FreshnessPolicy | None = None
    partitions: dg.PartitionsDefinition | None = None


class GovernedTranslator(DagsterDbtTranslator):
    """Turns each node into its asset once, parents before children, so that depth and number of models do not matter.

    Args:
        upstream: Asset keys of sources.
        defaults: What models get where they declare nothing.
        standards: What all of them get.
        translation: The YAML's ``translation``; sources keep the key that ``upstream`` gives them.
        severity: ``test_severity``.
        settings: What dagster-dbt adds.
    """

    def __init__(
        self,
        upstream: UpstreamMapping,
        defaults: AssetDefaults,
        standards: Standards,
        translation: Translation | None = None,
        severity: TestSeverity = "declared",
        settings: DagsterDbtTranslatorSettings = _SETTINGS,
    ) -> None:
        super().__init__(settings)
        self._upstream = upstream
        self._defaults = defaults
        self._standards = standards
        self._translation = translation
        self._severity = severity
        self._specs: dict[str, dg.AssetSpec] = {}

    def translate_all(self, manifest: Mapping[str, Any], project: DbtProject | None) -> None:
        """Make every spec, parents first: recursion along a long chain of models would end in a RecursionError."""
        members = {**manifest["nodes"], **manifest["sources"]}
        parents = {
            unique_id: [parent for parent in manifest["parent_map"].get(unique_id, ()) if parent in members]
            for unique_id, node in members.items()
            if node["resource_type"] in ("model", "seed", "snapshot", "source")
        }
        for unique_id in TopologicalSorter(parents).static_order():
            self.get_asset_spec(manifest, unique_id, project)

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The asset of one node."""
        if unique_id not in self._specs:
            spec = super().get_asset_spec(manifest, unique_id, project)
            props = self.get_resource_props(manifest, unique_id)
            if props["resource_type"] != "source":
                if self._translation is not None:
                    spec = self._translation(spec, props)
                # A deadline of the model's own becomes its freshness policy where the policy is applied.
                own = declared_sla(declared_meta(props))
                if self._standards.freshness is not None and spec.freshness_policy is None and own is None:
                    spec = spec.replace_attributes(freshness_policy=self._standards.freshness)
            self._specs[unique_id] = spec
        return self._specs[unique_id]

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """The check of one test; whether it stops what follows is up to ``test_severity``."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None or self._severity == "declared":
            return spec
        return spec._replace(blocking=self._severity == "error")

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Two levels: the schema the node asks for, else the dbt project's name; then the node's name."""
        known = self._specs.get(dbt_resource_props["unique_id"])
        if known is not None:
            return known.key
        if dbt_resource_props["resource_type"] == "source":
            return self._upstream.key(dbt_resource_props)
        stock = default_asset_key_fn(dbt_resource_props)
        if declared_meta(dbt_resource_props).get("dagster", {}).get("asset_key"):
            return stock
        config = dbt_resource_props["config"]
        schema = config.get("schema") or config.get("target_schema") or dbt_resource_props["package_name"]
        return dg.AssetKey([str(schema), stock.path[-1]])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """What dbt's docs say; nothing where they say nothing, so that the policy can report it."""
        return dbt_resource_props.get("description") or ""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The group that dbt declares, else the YAML's, else the folder under ``models/``."""
        meta = declared_meta(dbt_resource_props)
        declared = default_group_from_dbt_resource_props({**dbt_resource_props, "meta": meta})
        if declared or self._defaults.group:
            return _slug(declared or self._defaults.group or "")
        if dbt_resource_props["resource_type"] != "model":
            return f"{dbt_resource_props['resource_type']}s"
        fqn = dbt_resource_props["fqn"]
        folders = fqn[1:-2] if dbt_resource_props.get("version") else fqn[1:-1]
        return _slug(folders[0] if folders else fqn[0])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:
        """The owners in the node's meta, else its dbt group's owner, else the YAML's."""
        meta = declared_meta(dbt_resource_props)
        group = dbt_resource_props.get("group")
        owner = (group.get("owner") or {}) if isinstance(group, Mapping) else {}
        for declared in (
            meta.get("dagster", {}).get("owners"),
            meta.get("owner"),
            owner.get("email"),
            owner.get("name"),
        ):
            if declared:
                found = [declared] if isinstance(declared, str) else list(declared)
                return [_owner(str(one)) for one in found]
        return self._defaults.owners

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """dbt's tags, the YAML's, the standards', and what the node's meta says: classification and tier."""
        stock = super().get_tags(dbt_resource_props)
        declared = declared_tags(declared_meta(dbt_resource_props))
        return {**self._defaults.tags, **stock, **self._standards.tags, **declared}

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """Columns and relation name as stock has them, the standards', and the deadline in the node's meta."""
        stock = super().get_metadata(dbt_resource_props)
        if dbt_resource_props["resource_type"] == "source":
            return stock
        sla = declared_sla(declared_meta(dbt_resource_props))
        return {**stock, **self._standards.metadata, **({} if sla is None else {"sla_minutes": sla})}

    def get_partitions_def(self, dbt_resource_props: Mapping[str, Any]) -> dg.PartitionsDefinition | None:
        """The component's partitions, for everything that dbt builds."""
        return None if dbt_resource_props["resource_type"] == "source" else self._standards.partitions


def _slug(name: str) -> str:
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def _owner(declared: str) -> str:
    """An owner in Dagster's spelling: what is neither an address nor a team is taken for a team's name."""
    text = declared.strip()
    if "@" in text or text.startswith("team:"):
        return text
    return "team:" + re.sub(r"[^\w.-]+", "_", text)
