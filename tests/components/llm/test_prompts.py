"""Prompts as files and as assets."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from components.llm.enrichment import TableEnrichmentComponent
from components.llm.prompt_registry import PromptRegistryComponent
from components.llm.prompts import PromptError, find_prompt, read_prompt
from tests.components.warehouse.project import Project, scaffolded


def materialized(project: Project, instance: dg.DagsterInstance) -> dict[str, Any]:
    with project.definitions() as definitions:
        done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)
    (event,) = done.get_asset_materialization_events()
    tags = event.materialization.tags or {}
    values = {name: value.value for name, value in event.materialization.metadata.items()}
    return values | {"data_version": tags["dagster/data_version"]}


@pytest.mark.slot("ai", "prompts", "embedded")
def test_a_prompt_is_an_asset_whose_version_is_its_content_and_shows_what_changed(project: Project) -> None:
    folder = project.add(PromptRegistryComponent, "prompts", {})
    scaffolded(PromptRegistryComponent, folder)
    file = folder / "prompts" / "support_tickets.md"
    with dg.instance_for_test() as instance:
        first = materialized(project, instance)
        assert (first["version"], first["changed"]) == (read_prompt(file).version, "nothing")
        file.write_text(file.read_text().replace("one support ticket", "one angry ticket"))
        second = materialized(project, instance)
    assert second["version"] == second["data_version"] != first["version"]
    assert "-You read one support ticket" in second["changed"]
    assert "+You read one angry ticket" in second["changed"]
    assert project.spec("prompts/support_tickets").description == "Sentiment and topic of a support ticket."


def test_what_uses_a_prompt_depends_on_its_asset(project: Project) -> None:
    project.file("policy.yaml", "version: 1\n")
    scaffolded(PromptRegistryComponent, project.add(PromptRegistryComponent, "prompts", {}))
    scaffolded(TableEnrichmentComponent, project.add(TableEnrichmentComponent, "tickets", {}))
    upstream = {dep.asset_key.to_user_string() for dep in project.spec("enriched/support_tickets").deps}
    assert upstream == {"prompts/support_tickets"}


def test_the_version_ignores_the_description_and_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "p.md"
    file.write_bytes(b"---\ndescription: One.\n---\nSay it.\n")
    first = read_prompt(file).version
    file.write_bytes(b"---\r\ndescription: Two.\r\n---\r\nSay it.\r\n\r\n")
    assert read_prompt(file).version == first
    file.write_text("---\nmax_output_tokens: 9\n---\nSay it.\n")
    assert read_prompt(file).version != first


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the prompt is empty"),
        (b"---\ndescription: x\n---\n", "the prompt is empty"),
        (
            b"---\nversion: 3\n---\nText",
            "front matter: 'version' is not valid; expected description, max_output_tokens",
        ),
        (b"---\nmax_output_tokens: many\n---\nText", "max_output_tokens: 'many' is not valid"),
        (b"---\n- a\n---\nText", "is not valid; expected description"),
        (b"---\na: [\n---\nText", "the front matter is not YAML"),
        (b"\xff\xfe\x00", "cannot be read as UTF-8 text"),
    ],
)
def test_a_broken_prompt_is_named_with_what_is_valid(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "prompts" / "broken.md"
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(PromptError) as caught:
        find_prompt("broken", tmp_path)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_folder_without_prompts_is_named(project: Project) -> None:
    project.add(PromptRegistryComponent, "prompts", {"folder": "nowhere"})
    assert "folder 'nowhere': there is no .md file" in project.load_error()
