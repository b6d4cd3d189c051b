"""dbt parses when something changed, and at no other time."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from components.dbt.command import dbt_executable
from components.dbt.prepare import ParsedProject
from tests.components.dbt.harness import Platform, new_platform

Starts = Callable[[], list[str]]


def test_loading_an_unchanged_project_does_not_start_dbt(platform: Platform, dbt_starts: Starts) -> None:
    platform.load()
    platform.load(assets={"owners": ["team:analytics"]}, monitoring={"sla_minutes": 60})
    assert dbt_starts() == []


def test_a_project_that_moved_as_a_whole_does_not_start_dbt(parsed_sample: Path, dbt_starts: Starts) -> None:
    with new_platform(parsed_sample) as elsewhere:
        assert elsewhere.root != parsed_sample
        elsewhere.load()
    assert dbt_starts() == []


def test_a_file_that_was_only_touched_does_not_start_dbt(platform: Platform, dbt_starts: Starts) -> None:
    os.utime(platform.dbt / "models/marts/customers.sql", (1, 1))
    platform.load()
    assert dbt_starts() == []


def test_what_a_dbt_in_a_shell_leaves_in_target_is_not_read(platform: Platform, dbt_starts: Starts) -> None:
    (platform.dbt / "target/manifest.json").write_text("{}")
    platform.load()
    assert dbt_starts() == []


@pytest.mark.e2e
def test_a_changed_model_starts_dbt_parse_once_and_is_seen(platform: Platform, dbt_starts: Starts) -> None:
    (platform.dbt / "models/marts/more.sql").write_text("select 1 as one from {{ ref('customers') }}")
    keys = {spec.key.to_user_string() for spec in platform.load().resolve_all_asset_specs()}
    platform.load()
    assert "marts/more" in keys
    [start] = dbt_starts()
    assert start.startswith("parse --quiet")


@pytest.mark.e2e
@pytest.mark.parametrize(
    "attributes", [{"dbt": {"vars": {"greeting": "hello"}}}, {"dbt": {"target": "production"}}], ids=["vars", "target"]
)
def test_other_vars_and_another_target_are_parsed_once(
    platform: Platform, dbt_starts: Starts, attributes: dict[str, dict[str, object]]
) -> None:
    platform.load(**attributes)
    platform.load(**attributes)
    [start] = dbt_starts()
    assert "hello" in start or "--target production" in start


@pytest.mark.e2e
def test_an_environment_variable_that_a_model_reads_counts_as_a_change(
    platform: Platform, dbt_starts: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOT_READ", "1")
    platform.load()
    assert dbt_starts() == []
    monkeypatch.setenv("DBT_QUERY_TAG", "nightly")
    platform.load()
    assert len(dbt_starts()) == 1


@pytest.mark.e2e
def test_two_loads_at_once_parse_once(platform: Platform, dbt_starts: Starts) -> None:
    from components.dbt.command import DbtCommand

    (platform.dbt / "models/marts/more.sql").write_text("select 1 as one")
    command = DbtCommand(platform.dbt, platform.root, None, "local", {"WAREHOUSE_DUCKDB_FILE": str(platform.warehouse)})
    loads = [threading.Thread(target=ParsedProject.of(command, "transform").prepare, args=({},)) for _ in range(3)]
    for load in loads:
        load.start()
    for load in loads:
        load.join()
    assert len(dbt_starts()) == 1


@pytest.mark.e2e
def test_a_project_that_dbt_refuses_ends_in_dbts_own_words_and_keeps_the_last_manifest(platform: Platform) -> None:
    (platform.dbt / "models/marts/customers.sql").write_text("select * from {{ ref('stg_custmers') }}")
    [manifest] = platform.dbt.glob("target/dagster/*/manifest.json")
    before = manifest.read_bytes()
    message = platform.refusal()
    assert "dbt cannot parse the project" in message
    assert "stg_custmers" in message
    assert "models/marts/customers.sql" in message
    assert manifest.read_bytes() == before
    assert not list(manifest.parent.glob(".parsing-*"))


def test_packages_that_must_be_downloaded_are_named_and_not_fetched_while_loading(
    platform: Platform, dbt_starts: Starts
) -> None:
    (platform.dbt / "packages.yml").write_text("packages: [{package: dbt-labs/dbt_utils, version: 1.3.0}]")
    message = platform.refusal()
    assert "packages are not installed (dbt-labs/dbt_utils); run: dg utils refresh-defs-state" in message
    assert dbt_starts() == []


@pytest.mark.e2e
def test_a_local_package_is_installed_once_while_loading(platform: Platform, dbt_starts: Starts) -> None:
    package = platform.root / "package"
    (package / "models").mkdir(parents=True)
    (package / "dbt_project.yml").write_text("name: shared\nversion: '1.0.0'\n")
    (package / "models/calendar.sql").write_text("select date '2024-01-01' as day")
    (platform.dbt / "packages.yml").write_text("packages: [{local: ../package}]")
    keys = {spec.key.to_user_string() for spec in platform.load().resolve_all_asset_specs()}
    platform.load()
    assert "shared/calendar" in keys
    assert [start.split()[0] for start in dbt_starts()] == ["deps", "parse"]


def test_a_target_folder_that_cannot_be_written_is_named(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    (platform.dbt / "models/marts/more.sql").write_text("select 1 as one")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(platform.dbt / "target"))

    monkeypatch.setattr(Path, "mkdir", refuse)
    command_message = _prepare_message(platform)
    assert "cannot be written" in command_message
    assert "dg utils refresh-defs-state" in command_message


def _prepare_message(platform: Platform) -> str:
    from components.dbt.command import DbtCommand
    from components.dbt.faults import DbtProjectError

    with pytest.raises(DbtProjectError) as caught:
        ParsedProject.of(DbtCommand(platform.dbt, platform.root, None, "local"), "transform").prepare({})
    return str(caught.value)


def test_dbt_is_found_beside_python_with_nothing_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert Path(dbt_executable()).is_file()


def test_dbt_never_reports_usage(platform: Platform) -> None:
    from components.dbt.command import DbtCommand

    environment = DbtCommand(platform.dbt, platform.root, None, None).environment()
    assert environment["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"
