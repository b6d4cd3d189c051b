"""How mistakes in policy.yaml are told: line, key, value and what is valid."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.governance import PolicyError, load_policy, policy_for
from tests.components.governance.policies import FULL, written


def mistakes(folder: Path, text: str) -> list[str]:
    """The lines of the error, without the folder."""
    with pytest.raises(PolicyError) as caught:
        load_policy(written(folder, text))
    return str(caught.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("mode: warn", "mode: strict", "policy.yaml:3: mode: 'strict': expected 'error' or 'warn'"),
        ("mode: warn", "mod: warn", "policy.yaml:3: mod: 'warn': unknown key; did you mean 'mode'?"),
        (
            "tiers:",
            "zzz: 1\ntiers:",
            "policy.yaml:17: zzz: 1: unknown key; expected one of version, revision, mode, require, required_tags, "
            "classifications, destinations, compliance, tiers, max_runtime_minutes, compute_sizes, compute_profiles, "
            "query_prices, budgets, secrets, alert_routes, external_assets, audit, naming, databricks, "
            "waivers",
        ),
        ("version: 1", "version: 2", "policy.yaml:1: version: 2: expected 1"),
        ("version: 1\n", "", "policy.yaml:1: version: is missing"),
        (
            "[owner,",
            "[owners,",
            "policy.yaml:4: require.0: 'owners': expected 'owner', 'group', 'kinds', 'tags', 'description', "
            "'classification' or 'tier'",
        ),
        ("  public: {}", "  public: 5", "policy.yaml:7: classifications.public: 5: expected keys and values"),
        (
            "    destinations: [duckdb,",
            "    destination: [duckdb,",
            "policy.yaml:10: classifications.personal.destination: unknown key; did you mean 'destinations'?",
        ),
        (
            'tags: {pii: "yes"}',
            "tags: {pii: yes}",
            "policy.yaml:11: classifications.personal.tags.pii: True: expected a valid string",
        ),
        (
            "compliance: [gdpr]\ntiers",
            "compliance: [gdpr, hippa]\ntiers",
            "policy.yaml:16: compliance.1: 'hippa': expected 'gdpr', 'hipaa', 'pci' or 'soc2'",
        ),
        (
            "sla_minutes: 240",
            "sla_minutes: 0",
            "policy.yaml:18: tiers.critical.sla_minutes: 0: expected greater than or equal to 1",
        ),
        (
            "sla_minutes: 240",
            "sla_minuets: 240",
            "policy.yaml:18: tiers.critical.sla_minuets: 240: unknown key; did you mean 'sla_minutes'?",
        ),
        ("threads: 2,", 'threads: "2",', "policy.yaml:22: compute_sizes.small.threads: '2': expected a valid integer"),
        ("threads: 8, ", "", "policy.yaml:23: compute_sizes.big.threads: is missing"),
        (
            "runs_on: kubernetes",
            "runs_on: kubernets",
            "policy.yaml:26: compute_profiles.cluster.runs_on: 'kubernets': expected one of "
            "'local', 'container', 'kubernetes', 'databricks'",
        ),
        (
            "{runs_on: databricks}",
            "{workspace_folder: /x}",
            "policy.yaml:27: compute_profiles.workspace.runs_on: is missing",
        ),
        (
            'runs_on: container, image: "jobs:1"',
            "runs_on: container",
            "policy.yaml:25: compute_profiles.box.image: is missing",
        ),
        (
            "namespace: ml",
            "namspace: ml",
            "policy.yaml:26: compute_profiles.cluster.namspace: 'ml': unknown key; did you mean 'namespace'?",
        ),
        ("{runs_on: local}", "local", "policy.yaml:28: compute_profiles.here: 'local': expected keys and values"),
        ("monthly_usd: 500", "monthly_usd: -1", "policy.yaml:30: budgets.team:data.monthly_usd: -1: expected greater"),
        ("team:data: {", "data: {", "policy.yaml:30: budgets.data: 'data': expected an e-mail address or team:name"),
        ("store: vault", "store: vaullt", "policy.yaml:31: secrets.store: 'vaullt': expected one of 'environment', "),
        ("vault, path: data/platform", "vault", "policy.yaml:31: secrets.path: is missing"),
        (
            "[team:data, a",
            "[data, a",
            "policy.yaml:33: alert_routes.data.owners.0: 'data': expected an e-mail address or team:name",
        ),
        ("audit: {file: data/audit.jsonl}", "audit: on", "policy.yaml:35: audit: True: expected keys and values"),
        ('"^[a-z]+$"', '"[a-z"', "policy.yaml:36: naming.part: '[a-z': expected a regular expression"),
        ("rule: description", "rule: descripton", "policy.yaml:39: waivers.0.rule: 'descripton': expected 'owner', "),
        (
            "expires: 2027-03-31",
            "expires: soon",
            "policy.yaml:42: waivers.0.expires: 'soon': expected a day as YYYY-MM-DD",
        ),
        (
            "{bigquery: {per",
            "{bigquerry: {per",
            "policy.yaml:43: query_prices.bigquerry: 'bigquerry': expected 'bigquery'",
        ),
        ("as_of: 2026-11-01", "as_of: then", "policy.yaml:43: query_prices.bigquery.as_of: 'then': expected a day"),
        ("    reason: Vendor tables.\n", "", "policy.yaml:38: waivers.0.reason: is missing"),
        (
            "expires: 2027-03-31",
            "expires: 2027-02-30",
            "policy.yaml:42: waivers.0.expires: '2027-02-30': expected a day",
        ),
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
        "policy.yaml:33: alert_routes.data.url_env: expected the name of an environment variable, "
        "such as ALERTS_URL; never the address itself"
    )


def test_an_owner_in_two_routes_is_named(tmp_path: Path):
    text = FULL.replace("external_assets", "  web: {url_env: WEB_URL, owners: [team:web, team:data]}\nexternal_assets")

    assert mistakes(tmp_path, text) == [
        "policy.yaml:34: alert_routes.web.owners.1: 'team:data': is in route 'data' already; "
        "expected each owner in one route"
    ]


def test_all_mistakes_are_named_at_once_in_the_order_of_their_lines(tmp_path: Path):
    text = (
        FULL.replace("mode: warn", "mode: strict")
        .replace("threads: 2", "threads: two")
        .replace("[gdpr]\ntiers", "[x]\ntiers")
    )

    assert [line.split(": ")[0] for line in mistakes(tmp_path, text)] == [
        "policy.yaml:3",
        "policy.yaml:16",
        "policy.yaml:22",
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

    with pytest.raises(PolicyError, match=r"policy\.yaml:1: this is not YAML: 'utf-8' codec"):
        policy_for(tmp_path)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a YAML value below its root."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in pairs for found in [(*path, key), *places(inner, (*path, key))]]


KEYS = "{}[]:-#&*!|>'\"%@`,? \n\t0aé\0\\"
PLACES = places(yaml.safe_load(FULL))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.dates(),
    st.sampled_from([[], {}, [{}], {"x": 1}, [[1]], {1: 2}, "kubernetes", "gdpr"]),
)


def is_told(folder: Path, text: str) -> None:
    """It loads, or each line of the one error names the file and a line that the file has."""
    path = written(folder, text)
    told = ""
    try:
        load_policy(path)
    except PolicyError as error:
        told = str(error)
    for line in told.splitlines() if "this is not YAML" not in told else told.splitlines()[:1]:
        found = re.match(r"policy\.yaml:(\d+): .", line.removeprefix(f"{folder}/"))
        assert found, told
        assert 1 <= int(found[1]) <= text.count("\n") + 2


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), value=st.one_of(VALUES, st.just("\0delete"), st.just("\0rename")))
def test_no_value_in_any_place_gives_anything_but_a_policy_error_with_a_line(
    place: tuple[Any, ...], value: Any, tmp_path: Path
):
    content = yaml.safe_load(FULL)
    holder = content
    for key in place[:-1]:
        holder = holder[key]
    if value == "\0delete":
        del holder[place[-1]]
    elif value == "\0rename" and isinstance(holder, dict):
        holder[f"{place[-1]}x"] = holder.pop(place[-1])
    else:
        holder[place[-1]] = value

    is_told(tmp_path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.integers(0, len(FULL)),
    removed=st.integers(0, 6),
    typed=st.text("{}[]:-#&*!|>'\"%@`,? \n\t0aé\0\\", max_size=4),
)
def test_no_slip_of_the_keyboard_gives_anything_but_a_policy_error_with_a_line(
    start: int, removed: int, typed: str, tmp_path: Path
):
    is_told(tmp_path, FULL[:start] + typed + FULL[start + removed :])
