"""Compute sizes and alert routes are those of policy.yaml, and what they mean reaches dbt."""

from typing import Any

import dagster as dg
import pytest

from components.governance import governed
from tests.components.dbt.harness import Platform, built, raw_tables

POLICY = """
version: 1
require: [owner, group, description]
compute_sizes:
  small: {threads: 2, memory_gb: 0.5, hourly_cost_usd: 0.25}
  large: {threads: 8, memory_gb: 16, hourly_cost_usd: 4, warehouse: LARGE_WH}
alert_routes:
  analytics: {url_env: ANALYTICS_ALERT_URL, owners: ["team:analytics"]}
"""


@pytest.fixture
def governed_platform(platform: Platform) -> Platform:
    (platform.root / "policy.yaml").write_text(POLICY)
    return platform


def spec_of(defs: dg.Definitions, key: str = "marts/customers") -> dg.AssetSpec:
    return next(spec for spec in defs.resolve_all_asset_specs() if spec.key.to_user_string() == key)


@pytest.mark.e2e
def test_a_compute_size_is_a_tag_and_its_cost_metadata(governed_platform: Platform) -> None:
    defs = governed_platform.load(
        compute={"warehouse_size": "large", "query_tag": "nightly"}, schedule={"cron": "@daily"}
    )
    spec = spec_of(defs)
    assert spec.tags["compute_size"] == "large"
    assert spec.metadata["hourly_cost_usd"] == 4.0
    assert spec.metadata["query_tag"] == "nightly"
    merged = dg.Definitions.merge(defs, dg.Definitions(assets=[raw_tables]))
    assert merged.resolve_job_def("dbt_transform_job").tags["compute_size"] == "large"
    assert merged.resolve_job_def("dbt_transform_job").tags["hourly_cost_usd"] == "4"


def test_an_alert_route_is_a_tag_of_every_model(governed_platform: Platform) -> None:
    assert spec_of(governed_platform.load(monitoring={"alert_route": "analytics"})).tags["alert_route"] == "analytics"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (
            {"compute": {"warehouse_size": "lrge"}},
            "compute.warehouse_size: 'lrge' is not among compute_sizes in policy.yaml; "
            "did you mean 'large'? valid: large, small",
        ),
        (
            {"monitoring": {"alert_route": "analytcs"}},
            "monitoring.alert_route: 'analytcs' is not among alert_routes in policy.yaml; "
            "did you mean 'analytics'? valid: analytics",
        ),
    ],
)
def test_what_the_policy_lacks_is_named_with_what_it_has(
    governed_platform: Platform, attributes: dict[str, Any], message: str
) -> None:
    assert "defs/transform/defs.yaml: " + message in governed_platform.refusal(**attributes)


def test_a_model_without_description_breaks_a_policy_that_asks_for_one(governed_platform: Platform) -> None:
    defs = governed_platform.load(assets={"owners": ["team:analytics"]})
    with pytest.raises(Exception, match=r"marts/settings") as caught:
        governed(defs, governed_platform.root)
    assert "models/marts/settings.sql" in str(caught.value)
    assert "marts/customers (" not in str(caught.value)


@pytest.mark.e2e
def test_size_and_query_tag_reach_dbt(governed_platform: Platform) -> None:
    defs = governed_platform.load(compute={"warehouse_size": "large", "query_tag": "nightly"})
    assert built(governed_platform.run(defs, "marts/settings")) == {"marts/settings"}
    assert governed_platform.sql("select threads, query_tag, memory_limit, warehouse from marts.settings") == [
        (8, "nightly", "16GB", "LARGE_WH")
    ]


@pytest.mark.e2e
def test_threads_of_the_yaml_win_over_those_of_the_size(governed_platform: Platform) -> None:
    defs = governed_platform.load(compute={"warehouse_size": "small"}, dbt={"threads": 5})
    assert built(governed_platform.run(defs, "marts/settings")) == {"marts/settings"}
    assert governed_platform.sql("select threads, memory_limit from marts.settings") == [(5, "0.5GB")]
