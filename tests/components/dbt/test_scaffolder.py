"""The first defs.yaml."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.dbt import GovernedDbtProjectComponent
from tests.components.dbt.harness import Platform


def scaffold(platform: Platform, **params: Any) -> str:
    folder: Path = platform.sandbox.scaffold_component(
        component_cls=GovernedDbtProjectComponent, defs_path="my_dbt", scaffold_params=params
    )
    return (folder / "defs.yaml").read_text()


def test_a_scaffolded_folder_loads_as_it_stands(platform: Platform) -> None:
    written = scaffold(platform, project_path=str(platform.dbt), owner="team:sales")
    attributes = yaml.safe_load(written)["attributes"]
    assert attributes == {"project": "{{ context.project_root }}/transform", "assets": {"owners": ["team:sales"]}}
    keys = {spec.key.to_user_string() for spec in platform.load(**attributes).resolve_all_asset_specs()}
    assert "marts/customers" in keys


def test_the_comments_show_options_that_are_valid_when_uncommented(platform: Platform) -> None:
    written = scaffold(platform, project_path=str(platform.dbt))
    head, _, tail = written.partition("  # Sources whose assets have another name than source/table:\n")
    uncommented = head + tail.replace("  # ", "  ")
    attributes = yaml.safe_load(uncommented)["attributes"]
    assert set(attributes) == {"project", "assets", "upstream", "schedule", "dbt", "monitoring"}
    attributes["dbt"]["select"] = "tag:nightly"
    platform.load(**attributes)


def test_a_scaffolded_repository_names_url_and_subfolder(platform: Platform) -> None:
    written = scaffold(platform, git_url="https://git.acme.com/analytics.git", subfolder="dbt")
    assert yaml.safe_load(written)["attributes"]["project"] == {
        "git": "https://git.acme.com/analytics.git",
        "subfolder": "dbt",
    }
    assert "dg utils refresh-defs-state" in written


def test_a_folder_that_is_no_dbt_project_is_refused_and_leaves_nothing(platform: Platform) -> None:
    with pytest.raises(ValueError, match=r"--project-path: 'nope' has no dbt_project\.yml"):
        scaffold(platform, project_path="nope")
    assert not (platform.sandbox.defs_folder_path / "my_dbt").exists()


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({}, "either --project-path or --git-url"),
        ({"project_path": "a", "git_url": "b"}, "either --project-path or --git-url"),
        ({"project_path": "a", "subfolder": "b"}, "--subfolder goes with --git-url"),
    ],
)
def test_options_that_do_not_go_together_are_refused(platform: Platform, params: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        scaffold(platform, **params)
