"""Asset keys line up from end to end: ingestion, dbt sources, marts, dashboards and activation."""

from fnmatch import fnmatch

import dagster as dg
import pytest
import yaml

from .conftest import ROOT


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> dict[str, dg.AssetSpec]:
    """Every asset of the project by its key, as text."""
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def external() -> list[str]:
    """The patterns of assets that policy.yaml says are made elsewhere."""
    return yaml.safe_load((ROOT / "policy.yaml").read_text()).get("external_assets") or []


def parents(spec: dg.AssetSpec) -> list[str]:
    """The keys of an asset's dependencies."""
    return [dep.asset_key.to_user_string() for dep in spec.deps]


def roots(graph: dict[str, dg.AssetSpec], key: str) -> set[str]:
    """Where an asset's data comes from: its ancestors that depend on nothing."""
    found, queue, seen = set(), [key], set()
    while queue:
        key = queue.pop()
        if key in seen:
            continue
        seen.add(key)
        above = parents(graph[key]) if key in graph else []
        queue += above
        if not above:
            found.add(key)
    return found


def test_every_asset_key_has_two_levels(graph: dict[str, dg.AssetSpec]):
    assert [key for key in graph if key.count("/") != 1] == []


def test_every_dependency_is_an_asset_of_this_project(graph: dict[str, dg.AssetSpec], external: list[str]):
    made = {key for key, spec in graph.items() if spec.metadata.get("dagster/asset_execution_type") is None}
    missing = {
        key: [parent for parent in parents(spec) if parent not in made]
        for key, spec in graph.items()
        if any(parent not in made and not any(fnmatch(parent, p) for p in external) for parent in parents(spec))
    }
    assert missing == {}, "map the dbt source to an asset (upstream), load it, or list it under external_assets"


def test_every_mart_comes_from_what_is_ingested(graph: dict[str, dg.AssetSpec], external: list[str]):
    for key, spec in graph.items():
        if spec.group_name == "marts":
            unexplained = [
                root
                for root in roots(graph, key)
                if graph.get(root) is None or graph[root].group_name != "ingestion"
                if not any(fnmatch(root, pattern) for pattern in external)
            ]
            assert unexplained == [], f"{key} rests on data that nothing here loads"


def test_dashboards_and_activation_read_marts(graph: dict[str, dg.AssetSpec], external: list[str]):
    marts = {key for key, spec in graph.items() if spec.group_name == "marts"}
    for key, spec in graph.items():
        if spec.group_name in ("dashboards", "activation"):
            read = parents(spec)
            assert any(parent in marts or any(fnmatch(parent, p) for p in external) for parent in read), key
