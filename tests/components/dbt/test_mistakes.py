"""Each mistake in the YAML ends in one message that names file, key, value and what is valid."""

from typing import Any

import pytest
from dagster.components.core.component_tree import ComponentTreeException
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from components.dbt import GovernedDbtProjectComponent
from tests.components.dbt.harness import PROJECT, Platform

FILE = "defs/transform/defs.yaml: "


def test_a_folder_that_does_not_exist_is_named_with_the_dbt_projects_there_are(platform: Platform) -> None:
    message = platform.refusal(project="{{ context.project_root }}/transfrm")
    assert FILE + "project: " in message
    assert "transfrm does not exist" in message
    assert "dbt projects here: transform" in message


def test_a_folder_without_dbt_project_yml_is_named(platform: Platform) -> None:
    (platform.root / "empty").mkdir()
    message = platform.refusal(project="{{ context.project_root }}/empty")
    assert "has no dbt_project.yml" in message
    assert "dbt projects here: transform" in message


def test_a_file_instead_of_a_folder_is_named(platform: Platform) -> None:
    message = platform.refusal(project=PROJECT + "/dbt_project.yml")
    assert "is not a folder" in message


@pytest.mark.parametrize(
    ("attributes", "key", "problem", "valid"),
    [
        ({"dbt": {"target": "producton"}}, "dbt.target: 'producton'", "profile 'warehouse'", "'production'"),
        ({"dbt": {"profile": "warehose"}}, "dbt.profile: 'warehose'", "profiles.yml", "'warehouse'"),
        ({"dbt": {"profiles_dir": "conf"}}, "dbt.profiles_dir: 'conf'", "has no profiles.yml", "conf"),
        ({"dbt": {"selector": "nightley"}}, "dbt.selector: 'nightley'", "is not in selectors.yml", "'nightly'"),
        (
            {"dbt": {"selector": "nightly", "exclude_models": ["customers"]}},
            "dbt.selector: 'nightly'",
            "excludes dbt.exclude_models",
            "selectors.yml",
        ),
        ({"dbt": {"exclude_models": ["staging_*"]}}, "dbt.exclude_models: 'staging_*'", "fits no model", "stg_orders"),
        ({"dbt": {"select": "tag:nightley"}}, "dbt.select: 'tag:nightley'", "selects no model", "seed or snapshot"),
        (
            {"dbt": {"vars": {"day": "{{ partition.start }}"}}},
            "dbt.vars.day: '{{ partition.start }}'",
            "needs partitions",
            "type: daily",
        ),
        (
            {
                "dbt": {"vars": {"day": "{{ partition.begin }}"}},
                "partitions": {"type": "daily", "start_date": "2024-01-01"},
            },
            "dbt.vars.day: '{{ partition.begin }}'",
            "asks for partition.begin",
            "partition.start",
        ),
        (
            {"partitions": {"type": "daily", "start_date": "2024-02-31"}},
            "partitions.start_date: '2024-02-31'",
            "is no date",
            "2024-01-31",
        ),
        (
            {"partitions": {"type": "daily", "start_date": "2024-01-02", "end_date": "2024-01-01"}},
            "partitions.end_date: '2024-01-01'",
            "is not after",
            "2024-01-02",
        ),
        (
            {
                "partitions": {"type": "daily", "start_date": "2024-01-01"},
                "dbt": {"vars": {"day": "{{ partition.key }}"}},
                "full_refresh_schedule": {"cron": "@weekly"},
            },
            "full_refresh_schedule.cron: '@weekly'",
            "partition.key",
            "use start and end",
        ),
    ],
)
def test_a_value_that_cannot_work_is_refused_at_load(
    platform: Platform, attributes: dict[str, Any], key: str, problem: str, valid: str
) -> None:
    message = platform.refusal(**attributes)
    assert FILE + key in message
    assert problem in message
    assert valid in message


def test_the_target_that_the_environment_names_must_be_in_the_profile(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    profiles = platform.root / "profiles.yml"
    profiles.write_text(profiles.read_text().replace("production:", "prod:"))
    message = platform.refusal()
    assert "dbt.target (from WAREHOUSE_TARGET): 'production'" in message
    assert "valid: prod, local" in message


def test_without_any_profiles_yml_the_message_says_where_it_was_looked_for(platform: Platform) -> None:
    (platform.root / "profiles.yml").unlink()
    message = platform.refusal()
    assert "dbt.profiles_dir" in message
    assert str(platform.root) in message
    assert str(platform.dbt) in message


def test_a_broken_profiles_yml_is_named(platform: Platform) -> None:
    (platform.root / "profiles.yml").write_text("warehouse: [")
    assert "profiles.yml: is not valid YAML" in platform.refusal()


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"dbt": {"test_severity": "none"}}, "declared, warn, error"),
        ({"dbt": {"threads": "many"}}, "int"),
        ({"dbt": {"targt": "local"}}, "targt"),
        ({"partitions": {"type": "yearly", "start_date": "2024-01-01"}}, "hourly, daily, weekly, monthly"),
        ({"schedule": {"cron": "daily"}}, "cron: 'daily' is not valid; expected minute (0-59), hour (0-23)"),
        ({"full_refresh_schedule": {"cron": "0 25 * * 0"}}, "cron: '0 25 * * 0' is not valid; expected minute"),
        ({"schedule": {"cron": "0 6 * * *", "timezone": "America/NewYork"}}, "did you mean America/New_York"),
        (
            {"partitions": {"type": "weekly", "start_date": "2024-01-01", "timezone": "Europa/Rome"}},
            "timezone: 'Europa/Rome' is not valid; did you mean Europe/Rome",
        ),
        ({"assets": {"owners": ["analytics"]}}, "'analytics' is not valid; expected an e-mail address, or a team"),
        ({"assets": {"tags": {"domain": "a b"}}}, "'a b' is not valid; expected at most 63 letters"),
        ({"schedule": {"cron": "0 6 * * *", "status": "on"}}, "running, stopped"),
        ({"monitoring": {"sla_minutes": "two hours"}}, "int"),
        ({"upstream": {"match": "sometimes"}}, "bool"),
        ({"project": {"git": "--upload-pack=touch x"}}, "does not match"),
        ({"project": {"git": "https://host/r.git", "ref": "-x"}}, "does not match"),
        ({"project": {"repository": "https://host/r.git"}}, "repository"),
        ({"shedule": {"cron": "0 6 * * *"}}, "shedule"),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused_by_the_schema(
    platform: Platform, attributes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ComponentTreeException) as caught:
        platform.load(**attributes)
    assert told in str(caught.value.__cause__)


def test_the_editor_schema_describes_every_attribute_and_bounds_numbers() -> None:
    model = GovernedDbtProjectComponent.get_model_cls()
    assert model is not None
    schema = TypeAdapter(model).json_schema()
    options = schema["$defs"]
    [dbt] = [found for name, found in options.items() if name.startswith("DbtOptions")]
    [monitoring] = [found for name, found in options.items() if name.startswith("Monitoring")]
    assert "declared" in str(dbt["properties"]["test_severity"])
    assert monitoring["properties"]["sla_minutes"]["else"]["minimum"] == 1
    undescribed = [name for name, found in dbt["properties"].items() if "description" not in found]
    assert undescribed == []


def test_an_sla_of_no_minutes_is_refused(platform: Platform) -> None:
    model = GovernedDbtProjectComponent.get_model_cls()
    assert model is not None
    validator = Draft202012Validator(TypeAdapter(model).json_schema())
    mistakes = list(validator.iter_errors({"project": "x", "monitoring": {"sla_minutes": 0}}))
    assert any("0 is less than the minimum of 1" in str(mistake) for mistake in mistakes)
    assert not list(validator.iter_errors({"project": "x", "monitoring": {"sla_minutes": 1}}))
