"""A project's assets, held against its policy."""

import logging
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from components.governance import PolicyViolations, governed
from tests.components.governance.policies import POLICY, good, violations


def broken(spec: dg.AssetSpec, root: Path) -> list[tuple[str, str]]:
    """The rules that one asset breaks, each with its message."""
    found = violations(dg.Definitions(assets=[spec]), root)
    assert {violation.asset for violation in found} == {spec.key.to_user_string()}
    return [(violation.rule, violation.message) for violation in found]


@pytest.mark.parametrize(
    ("changes", "rule", "message"),
    [
        ({"owners": []}, "owner", "owners are missing; expected e-mail addresses or team:name"),
        ({"group_name": None}, "group", "the group is missing; expected a name other than default"),
        ({"group_name": "default"}, "group", "the group is missing; expected a name other than default"),
        ({"kinds": set()}, "kinds", "kinds are missing; expected what it is made with, such as dbt or duckdb"),
        (
            {"description": " "},
            "description",
            "the description is missing; expected what a row is and what the data is for",
        ),
        ({"tags": {}}, "tags", "the tag domain is missing; expected tags: {domain: …}"),
        ({"tags": {"domain": ""}}, "tags", "the tag domain is missing; expected tags: {domain: …}"),
        (
            {"tags": {"domain": "x", "classification": "secret"}},
            "classification",
            "the tag classification is 'secret'; expected one of public, personal (classifications of policy.yaml)",
        ),
        (
            {"tags": {"domain": "x", "tier": "critcal"}},
            "tier",
            "the tag tier is 'critcal'; expected one of critical, standard, whenever; did you mean critical? "
            "(tiers of policy.yaml)",
        ),
        (
            {"tags": {"domain": "x", "alert_route": "ops"}},
            "alert_route",
            "the tag alert_route is 'ops'; expected one of data, web (alert_routes of policy.yaml)",
        ),
        (
            {"metadata": {"sla_minutes": "soon"}},
            "sla_minutes",
            "the metadata sla_minutes is 'soon'; expected a whole number of minutes, 1 or more",
        ),
    ],
)
def test_a_broken_rule_is_named_with_what_is_missing_and_valid(
    changes: dict[str, Any], rule: str, message: str, project: Callable[..., Path]
):
    assert broken(good("raw/orders", **changes), project()) == [(rule, message)]


def test_an_asset_that_follows_the_policy_passes(project: Callable[..., Path]):
    spec = good(
        "raw/orders", tags={"domain": "x", "classification": "personal", "tier": "critical", "alert_route": "web"}
    )

    assert governed(dg.Definitions(assets=[spec]), project()).resolve_all_asset_keys() == [spec.key]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("orders", "the key has 1 part; expected 2 parts, such as marts/orders"),
        ("a/b/orders", "the key has 3 parts; expected 2 parts, such as b/orders"),
        ("raw/or-ders", "'or-ders' in the key does not match ^[A-Za-z0-9_]+$ (naming of policy.yaml)"),
    ],
)
def test_a_key_of_another_shape_is_named(key: str, message: str, project: Callable[..., Path]):
    assert broken(good(key), project()) == [("key", message)]


def test_what_the_policy_does_not_require_may_be_missing(project: Callable[..., Path]):
    root = project(policy="version: 1\n")

    governed(
        dg.Definitions(assets=[dg.AssetSpec(["raw", "orders"], tags={"tier": "any", "classification": "any"})]), root
    )


def test_any_tag_will_do_where_none_is_named(project: Callable[..., Path]):
    root = project(policy="version: 1\nrequire: [tags]\n")

    assert broken(good("raw/orders", tags={}), root) == [("tags", "tags are missing; expected one at least")]
    governed(dg.Definitions(assets=[good("raw/orders", tags={"team": "a"})]), root)


def test_a_dependency_that_nothing_makes_is_named_with_what_is_near(project: Callable[..., Path]):
    defs = dg.Definitions(assets=[good("raw/orders"), good("marts/orders", deps=[["raw", "order"], ["raw", "orders"]])])

    (violation,) = violations(defs, project())

    assert (violation.asset, violation.rule) == ("marts/orders", "unknown_upstream")
    assert violation.message == (
        "it depends on raw/order, which no asset of this project makes; did you mean raw/orders? "
        "If not, load it, map it to an asset, or list it under external_assets in policy.yaml"
    )


def test_dependencies_that_the_policy_calls_external_are_exempt(project: Callable[..., Path]):
    defs = dg.Definitions(assets=[good("marts/orders", deps=[["crm", "accounts"]])])

    governed(defs, project('external_assets: ["crm/*"]\n'))


def test_a_dependency_that_dagster_finds_by_its_table_is_no_violation(project: Callable[..., Path]):
    raw = good("raw/orders", metadata={"dagster/table_name": "raw.orders"})
    mart = good("marts/orders", deps=[dg.AssetDep("orders", metadata={"dagster/table_name": "raw.orders"})])

    governed(dg.Definitions(assets=[raw, mart]), project())


def test_all_violations_are_listed_at_once_by_asset(project: Callable[..., Path]):
    specs = [good("raw/b", owners=[], kinds=set()), good("raw/a", description=None), good("raw/fine")]

    with pytest.raises(PolicyViolations) as caught:
        governed(dg.Definitions(assets=specs), project())

    assert str(caught.value) == textwrap.dedent("""\
        3 violations of policy.yaml in 2 places

        raw/a
          description: the description is missing; expected what a row is and what the data is for

        raw/b
          kinds: kinds are missing; expected what it is made with, such as dbt or duckdb
          owner: owners are missing; expected e-mail addresses or team:name

        Mend them, or waive a rule for an asset under waivers in policy.yaml.""")


def test_in_mode_warn_one_warning_says_it_and_the_project_loads(
    project: Callable[..., Path], caplog: pytest.LogCaptureFixture
):
    defs = dg.Definitions(assets=[good("raw/a", owners=[]), good("raw/b", owners=[])])

    loaded = governed(defs, project("mode: warn\n"))

    assert len(loaded.resolve_all_asset_keys()) == 2
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "2 violations of policy.yaml in 2 places" in record.message


def test_a_missing_group_in_python_is_named_with_file_and_line(project: Callable[..., Path]):
    @dg.asset(key=["raw", "orders"], owners=["team:data"], kinds={"x"}, tags={"domain": "x"}, description="x")
    def orders(): ...

    (violation,) = violations(dg.Definitions(assets=[orders]), project())

    assert violation.place.endswith(f"test_rules.py:{orders.node_def.compute_fn.decorated_fn.__code__.co_firstlineno}")


def test_a_missing_owner_of_a_stock_component_is_named_with_its_yaml_and_line(project: Callable[..., Path]):
    project()
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.defs_folder_path / "stock"
        folder.mkdir()
        (folder / "script.py").write_text("print()")
        (folder / "defs.yaml").write_text(
            textwrap.dedent("""\
                type: dagster.PythonScriptComponent
                attributes:
                  execution: {path: script.py}
                  assets:
                    - {key: raw/one, group_name: g, kinds: [a], tags: {domain: x}, description: d, owners: ["team:a"]}
                ---
                type: dagster.PythonScriptComponent
                attributes:
                  execution: {name: second, path: script.py}
                  assets:
                    - {key: raw/two, group_name: g, kinds: [python], tags: {domain: x}, description: d}
                """)
        )
        (sandbox.project_root / "policy.yaml").write_text(POLICY)
        with sandbox.build_all_defs() as defs, pytest.raises(PolicyViolations) as caught:
            governed(defs, sandbox.project_root)

    (violation,) = caught.value.violations
    assert (violation.asset, violation.rule) == ("raw/two", "owner")
    assert violation.place == f"src/{sandbox.project_name}/defs/stock/defs.yaml:7"


def test_the_most_specific_file_is_named(project: Callable[..., Path]):
    root = project()
    references = [
        dg.LocalFileCodeReference(file_path=str(root / "transform" / "models" / "orders.sql")),
        dg.LocalFileCodeReference(file_path=str(root / "src" / "defs.yaml"), line_number=3),
    ]
    metadata = {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=references)}

    (violation,) = violations(dg.Definitions(assets=[good("marts/orders", owners=[], metadata=metadata)]), root)

    assert violation.place == "transform/models/orders.sql"
