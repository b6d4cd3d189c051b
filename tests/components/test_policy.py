"""policy.yaml: what it may say, and how a mistake in it is told."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from components.governance import PolicyError, load_policy, policy_for, policy_json_schema
from components.governance.policy import AlertRoute, ComputeSize, Naming, Tier, Waiver

REPOSITORY = Path(__file__).parents[2]

FULL = """\
version: 1
mode: warn
require: [owner, group, kinds, tags, description]
required_tags: [domain]
classifications: [public, personal]
tiers:
  critical: {sla_minutes: 240, description: Urgent.}
  whenever: {}
compute_sizes:
  small: {threads: 2, memory_gb: 2, hourly_cost_usd: 0.1}
  big: {threads: 8, memory_gb: 32.5, hourly_cost_usd: 2, warehouse: WH_BIG}
alert_routes:
  data: {url_env: DATA_ALERTS_URL, owners: [team:data, a@example.com]}
external_assets: ["raw/crm_*"]
naming: {depth: 3, part: "^[a-z]+$"}
waivers:
  - asset: raw/*
    rule: description
    owner: team:data
    reason: Vendor tables.
    expires: 2027-03-31
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    """The lines of the error, without the folder."""
    with pytest.raises(PolicyError) as caught:
        load_policy(written(folder, text))
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_every_part_is_read(tmp_path: Path):
    policy = load_policy(written(tmp_path, FULL))

    assert policy.mode == "warn"
    assert policy.require == ["owner", "group", "kinds", "tags", "description"]
    assert policy.required_tags == ["domain"]
    assert policy.classifications == ["public", "personal"]
    assert policy.tiers == {"critical": Tier(sla_minutes=240, description="Urgent."), "whenever": Tier()}
    assert policy.compute_sizes == {
        "small": ComputeSize(threads=2, memory_gb=2, hourly_cost_usd=0.1),
        "big": ComputeSize(threads=8, memory_gb=32.5, hourly_cost_usd=2, warehouse="WH_BIG"),
    }
    assert policy.alert_routes == {"data": AlertRoute(url_env="DATA_ALERTS_URL", owners=["team:data", "a@example.com"])}
    assert policy.external_assets == ["raw/crm_*"]
    assert policy.naming == Naming(depth=3, part="^[a-z]+$")
    assert policy.waivers == [
        Waiver(
            asset="raw/*",
            rule="description",
            owner="team:data",
            reason="Vendor tables.",
            expires=date(2027, 3, 31),
        )
    ]


def test_the_smallest_policy_is_one_line(tmp_path: Path):
    policy = load_policy(written(tmp_path, "version: 1\n"))

    assert (policy.mode, policy.require, policy.naming.depth, policy.waivers) == ("error", [], 2, [])


def test_the_route_of_the_first_owner_that_has_one_is_found(tmp_path: Path):
    policy = load_policy(written(tmp_path, FULL))

    assert policy.route_of(["b@example.com", "a@example.com"]) == "data"
    assert policy.route_of(["b@example.com"]) is None


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("mode: warn", "mode: strict", "policy.yaml:2: mode: 'strict': expected 'error' or 'warn'"),
        ("mode: warn", "mod: warn", "policy.yaml:2: mod: 'warn': unknown key; did you mean 'mode'?"),
        (
            "tiers:",
            "zzz: 1\ntiers:",
            "policy.yaml:6: zzz: 1: unknown key; expected one of version, mode, require, required_tags, "
            "classifications, tiers, compute_sizes, alert_routes, external_assets, naming, waivers",
        ),
        ("version: 1", "version: 2", "policy.yaml:1: version: 2: expected 1"),
        ("version: 1\n", "", "policy.yaml:1: version: is missing"),
        (
            "[owner,",
            "[owners,",
            "policy.yaml:3: require.0: 'owners': expected 'owner', 'group', 'kinds', 'tags' or 'description'",
        ),
        (
            "sla_minutes: 240",
            "sla_minutes: 0",
            "policy.yaml:7: tiers.critical.sla_minutes: 0: expected greater than or equal to 1",
        ),
        (
            "sla_minutes: 240",
            "sla_minuets: 240",
            "policy.yaml:7: tiers.critical.sla_minuets: 240: unknown key; did you mean 'sla_minutes'?",
        ),
        (
            "threads: 2,",
            'threads: "2",',
            "policy.yaml:10: compute_sizes.small.threads: '2': expected a valid integer",
        ),
        ("threads: 8, ", "", "policy.yaml:11: compute_sizes.big.threads: is missing"),
        (
            "[team:data, a",
            "[data, a",
            "policy.yaml:13: alert_routes.data.owners.0: 'data': expected an e-mail address or team:name",
        ),
        ('"^[a-z]+$"', '"[a-z"', "policy.yaml:15: naming.part: '[a-z': expected a regular expression"),
        ("rule: description", "rule: descripton", "policy.yaml:18: waivers.0.rule: 'descripton': expected 'owner', "),
        (
            "expires: 2027-03-31",
            "expires: soon",
            "policy.yaml:21: waivers.0.expires: 'soon': expected a day as YYYY-MM-DD",
        ),
        ("    reason: Vendor tables.\n", "", "policy.yaml:17: waivers.0.reason: is missing"),
    ],
)
def test_a_mistake_is_named_with_line_key_value_and_what_is_valid(
    before: str, after: str, expected: str, tmp_path: Path
):
    assert FULL.count(before) >= 1

    (line,) = mistakes(tmp_path, FULL.replace(before, after, 1))

    assert line.startswith(expected)


def test_an_address_where_a_variable_belongs_is_refused_and_not_shown(tmp_path: Path):
    (line,) = mistakes(tmp_path, FULL.replace("DATA_ALERTS_URL", "slack://token-a/token-b"))

    assert line == (
        "policy.yaml:13: alert_routes.data.url_env: expected the name of an environment variable, "
        "such as ALERTS_URL; never the address itself"
    )


def test_an_owner_in_two_routes_is_named(tmp_path: Path):
    text = FULL.replace("external_assets", "  web: {url_env: WEB_URL, owners: [team:web, team:data]}\nexternal_assets")

    assert mistakes(tmp_path, text) == [
        "policy.yaml:14: alert_routes.web.owners.1: 'team:data': is in route 'data' already; "
        "expected each owner in one route"
    ]


def test_all_mistakes_are_named_at_once_in_the_order_of_their_lines(tmp_path: Path):
    text = FULL.replace("mode: warn", "mode: strict").replace("threads: 2", "threads: two").replace("public", "5", 1)

    assert [line.split(": ")[0] for line in mistakes(tmp_path, text)] == [
        "policy.yaml:2",
        "policy.yaml:5",
        "policy.yaml:10",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "policy.yaml:1: expected keys and values, starting with version: 1"),
        ("- 1\n", "policy.yaml:1: expected keys and values, starting with version: 1"),
        ("version: 1\nmode: [warn\n", "policy.yaml:3: this is not YAML: expected ',' or ']'"),
    ],
)
def test_a_file_that_is_no_policy_is_named(text: str, expected: str, tmp_path: Path):
    (line,) = mistakes(tmp_path, text)

    assert line.startswith(expected)


def test_a_file_in_another_encoding_is_named(tmp_path: Path):
    (tmp_path / "policy.yaml").write_bytes("mode: é".encode("latin-1"))

    with pytest.raises(PolicyError, match=r"policy\.yaml: this is not YAML: 'utf-8' codec"):
        policy_for(tmp_path)


def test_a_missing_policy_is_named_with_the_smallest_one(tmp_path: Path):
    with pytest.raises(PolicyError, match=r"policy\.yaml is missing. The smallest policy is one line: version: 1"):
        policy_for(tmp_path)


def test_the_file_is_read_again_only_when_it_has_changed(tmp_path: Path):
    path = written(tmp_path, "version: 1\n")
    first = load_policy(path)

    assert load_policy(path) is first
    written(tmp_path, "version: 1\nmode: warn\n")
    assert load_policy(path).mode == "warn"


def test_the_schema_accepts_what_loads_and_refuses_what_does_not():
    validator = Draft202012Validator(policy_json_schema())
    full = json.loads(json.dumps(yaml.safe_load(FULL), default=str))

    assert list(validator.iter_errors(full)) == []
    for wrong in (
        {"mode": "strict"},
        {"mod": "warn"},
        {"alert_routes": {"x": {"url_env": "https://x"}}},
        {"tiers": {"x": {"sla_minutes": 0}}},
        {"waivers": [{"asset": "x", "rule": "zzz", "owner": "team:a", "reason": "r", "expires": "2027-01-01"}]},
    ):
        assert not validator.is_valid({**full, **wrong})
    assert not validator.is_valid({"mode": "warn"})


def test_every_key_of_the_schema_is_described():
    schema = policy_json_schema()

    for part in (schema, *schema["$defs"].values()):
        for name, prop in part["properties"].items():
            assert prop.get("description"), name


def test_the_starters_policy_is_valid_and_shows_every_key(default_project: Path):
    policy = policy_for(default_project)
    (route,) = policy.alert_routes.values()

    assert policy.route_of(route.owners) == "data"
    assert policy.mode == "error"
    assert {"small", "medium", "large"} <= set(policy.compute_sizes)
    assert set(yaml.safe_load((default_project / "policy.yaml").read_text())) == set(policy_json_schema()["properties"])


def test_the_waiver_that_the_starter_shows_in_its_comment_is_valid(default_project: Path, tmp_path: Path):
    lines = (default_project / "policy.yaml").read_text().splitlines()
    shown = [line.removeprefix("# ") for line in lines if line.startswith("#   ")]

    (waiver,) = load_policy(written(tmp_path, "version: 1\nwaivers:\n" + "\n".join(shown))).waivers

    assert waiver.rule == "description"


def test_importing_governance_imports_no_data_library():
    heavy = "pandas numpy duckdb dlt dbt dagster_dbt apprise sqlalchemy_utils polars"
    code = f"import sys, components.governance; print([m for m in {heavy.split()!r} if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
