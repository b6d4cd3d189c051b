"""The medallion holds together: what reads what, and what every table promises."""

import dagster as dg
import pytest


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> dict[str, dg.AssetSpec]:
    """Every asset of the project by its key, as text."""
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def above(graph: dict[str, dg.AssetSpec], key: str) -> set[str]:
    """Everything that an asset comes from."""
    parents = {dep.asset_key.to_user_string() for dep in graph[key].deps}
    return parents.union(*(above(graph, parent) for parent in parents if parent in graph))


def is_in(layer: str, key: str) -> bool:
    """Whether an asset's schema is that layer: gold, or a team's own, such as flights_gold."""
    return f"_{key.partition('/')[0]}".endswith(f"_{layer}")


def test_every_dependency_is_an_asset_of_this_project(graph: dict[str, dg.AssetSpec]):
    assert {parent for key in graph for parent in above(graph, key)} - set(graph) == set()


def test_gold_comes_from_silver_silver_from_bronze_and_bronze_from_what_landed(graph: dict[str, dg.AssetSpec]):
    for layer, source in {"gold": "silver", "silver": "bronze", "bronze": "landing"}.items():
        for key in [key for key in graph if is_in(layer, key)]:
            assert any(is_in(source, parent) for parent in above(graph, key)), key


def test_what_would_spoil_gold_stops_the_update(definitions: dg.Definitions):
    checks = definitions.resolve_asset_graph().asset_check_keys
    held = {check.name for check in checks if is_in("silver", check.asset_key.to_user_string())}
    assert "scheduled_in_2013" in held
