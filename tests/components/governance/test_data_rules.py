"""Where classified data may go, and who is told when it goes elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from components.governance import governed
from tests.components.governance.policies import good, violations

POLICY = """\
version: 1
classifications:
  public: {}
  internal: {destinations: [duckdb, "file:exports/*"]}
  personal: {destinations: [duckdb, "s3://secure-*"]}
"""


def classified(key: str, classification: str | None = None, **changes: Any) -> dg.AssetSpec:
    tags = {"domain": "sales", **({"classification": classification} if classification else {})}
    return good(key, tags=tags, **changes)


@pytest.mark.parametrize(
    "spec",
    [
        classified("raw/a", "personal"),
        classified("raw/a", "personal", kinds={"file"}, metadata={"destination": "s3://secure-lake/a"}),
        classified("raw/a", "personal", kinds={"dbt"}, metadata={"dagster/storage_kind": "duckdb"}),
        classified("raw/a", "internal", kinds={"file"}, metadata={"dagster/uri": dg.MetadataValue.text("duckdb")}),
        classified("raw/a", "internal", metadata={"destination": ["duckdb", "file:exports/a.csv"]}),
        classified("raw/a", "public", kinds={"file"}, metadata={"destination": "ftp://anywhere"}),
        classified("raw/a", None, kinds={"file"}),
    ],
)
def test_data_may_go_where_its_classification_allows(spec: dg.AssetSpec, project: Callable[..., Path]):
    governed(dg.Definitions(assets=[spec]), project(policy=POLICY))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            classified("raw/a", "personal", metadata={"destination": "file:exports/a.csv"}),
            "its data is personal, and the destination file:exports/a.csv is not allowed for it; "
            "expected duckdb, s3://secure-* (classifications.personal of policy.yaml)",
        ),
        (
            classified("raw/a", "personal", metadata={"destination": ["duckdb", "s3://open/a"]}),
            "its data is personal, and the destination s3://open/a is not allowed for it; "
            "expected duckdb, s3://secure-* (classifications.personal of policy.yaml)",
        ),
        (
            classified("raw/a", "personal", kinds={"csv", "file"}),
            "its data is personal, and neither its metadata destination nor its kinds (csv, file) name an allowed "
            "place; expected duckdb, s3://secure-* (classifications.personal of policy.yaml)",
        ),
    ],
)
def test_a_destination_that_is_not_allowed_is_named_with_those_that_are(
    spec: dg.AssetSpec, message: str, project: Callable[..., Path]
):
    (violation,) = violations(dg.Definitions(assets=[spec]), project(policy=POLICY))

    assert (violation.rule, violation.message) == ("destination", message)


def test_an_export_that_says_nothing_is_handled_like_the_strictest_it_reads(project: Callable[..., Path]):
    specs = [
        classified("raw/people", "personal"),
        classified("raw/shops", "internal"),
        classified("marts/both", None, deps=[["raw", "shops"], ["raw", "people"]]),
        classified(
            "activation/list", None, deps=[["marts", "both"]], metadata={"destination": "file:exports/list.csv"}
        ),
        classified("activation/totals", "public", deps=[["marts", "both"]], metadata={"destination": "ftp://x"}),
    ]

    (violation,) = violations(dg.Definitions(assets=specs), project(policy=POLICY))

    assert (violation.asset, violation.rule) == ("activation/list", "destination")
    assert violation.message.startswith("its data is personal (from raw/people), and the destination file:exports/")


def test_a_file_export_names_its_file_as_destination(project: Callable[..., Path]):
    from dagster.components.testing import create_defs_folder_sandbox

    from components.activation import FileExportComponent

    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.scaffold_component(
            component_cls=FileExportComponent,
            defs_path="people",
            defs_yaml_contents={
                "type": "components.activation.FileExportComponent",
                "attributes": {
                    "name": "people",
                    "output": "exports/people.csv",
                    "description": "For the post office.",
                    "sql": "select 1 as id",
                    "tags": {"classification": "personal"},
                },
            },
        )
        (sandbox.project_root / "policy.yaml").write_text(POLICY)
        with sandbox.load_component_and_build_defs(defs_path=folder) as (_, defs):
            resources = dg.Definitions(resources={"warehouse": dg.ResourceDefinition.none_resource()})
            (violation,) = violations(dg.Definitions.merge(defs, resources), sandbox.project_root)

    assert (violation.asset, violation.rule) == ("activation/people", "destination")
    assert "the destination file:exports/people.csv is not allowed" in violation.message


def test_a_compute_size_that_is_not_approved_is_named(project: Callable[..., Path]):
    root = project(policy="version: 1\ncompute_sizes: {small: {threads: 1, memory_gb: 1, hourly_cost_usd: 0}}\n")

    (violation,) = violations(dg.Definitions(assets=[good("raw/a", tags={"compute_size": "smal"})]), root)

    assert violation.message == (
        "the tag compute_size is 'smal'; expected one of small; did you mean small? (compute_sizes of policy.yaml)"
    )


@pytest.mark.parametrize(
    ("tags", "metadata", "rules"),
    [
        ({"tier": "critical"}, {}, ["classification", "sla_missing"]),
        ({"tier": "critical", "classification": "public"}, {"sla_minutes": 60}, []),
        ({"classification": "public"}, {}, ["tier"]),
    ],
)
def test_classification_tier_and_the_deadline_of_critical_assets_can_be_required(
    tags: dict[str, str], metadata: dict[str, Any], rules: list[str], project: Callable[..., Path]
):
    root = project(
        policy="version: 1\nrequire: [classification, tier]\nclassifications: [public]\n"
        "tiers: {critical: {sla_required: true}}\n"
    )
    defs = dg.Definitions(assets=[good("raw/a", tags=tags, metadata=metadata)])

    if rules:
        assert [violation.rule for violation in violations(defs, root)] == rules
    else:
        governed(defs, root)
