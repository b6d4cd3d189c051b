"""The component that shows every prompt as an asset, with its version and what changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel

from ..attributes import Group, Owners, Tags
from ..base import StrictComponent
from ..warehouse.sql import defs_folder
from .prompts import FOLDER, Prompt, PromptError, difference, read_prompt

_EXAMPLE = """\
---
description: Sentiment and topic of a support ticket.
max_output_tokens: 200
---
You read one support ticket and say what it is about. Judge by its words alone.

- sentiment: how the writer feels about us.
- topic: what the ticket is mainly about.
- summary: one sentence a colleague can act on.
"""


class PromptRegistryScaffolder(dg.Scaffolder[BaseModel]):
    """Writes the component and a first prompt."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write ``defs.yaml`` and ``prompts/support_tickets.md`` beside it."""
        write_example_prompt(request.target_path)
        dg.scaffold_component(request, {"group": "prompts"})


@dg.scaffold_with(PromptRegistryScaffolder)
@dataclass
class PromptRegistryComponent(StrictComponent):
    """Prompts as assets: one for each Markdown file, its version the hash of its content.

    A changed file makes its asset, and what depends on it, out of date. The metadata shows the text, and the
    difference from the version that was materialised before.

    .. code-block:: yaml

        type: components.PromptRegistryComponent
        attributes:
          folder: prompts
          owners: [team:ai]
          group: prompts
          tags:
            domain: support
    """

    folder: Annotated[
        str,
        dg.Resolver.default(
            description="Folder with the .md files, beside this one or below the project's root.",
            examples=["prompts"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ] = FOLDER
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """An asset for each prompt."""
        prompts = list(self.prompts(defs_folder(context), context.project_root))
        return dg.Definitions(assets=[self._asset(prompt) for prompt in prompts])

    def prompts(self, folder: Path, project_root: Path) -> Iterator[Prompt]:
        """The prompts, sorted by name.

        Raises:
            PromptError: there is no such folder, no prompt in it, or a broken one.
        """
        found = next((start / self.folder for start in (folder, project_root) if (start / self.folder).is_dir()), None)
        files = sorted(found.glob("*.md")) if found else []
        if not files:
            raise PromptError(
                f"{folder / 'defs.yaml'}: folder {self.folder!r}: there is no .md file in such a folder beside this "
                f"file or in {project_root}"
            )
        return map(read_prompt, files)

    def _asset(self, prompt: Prompt) -> dg.AssetsDefinition:
        @dg.asset(
            key=prompt_key(prompt.name),
            description=prompt.description or f"Instructions for a model: {prompt.file.name}.",
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"prompt", "markdown"},
            code_version=prompt.version,
        )
        def prompt_asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            now = read_prompt(prompt.file)
            before = _shown_before(context)
            changed = difference(before, now.text, now.name) if before is not None else ""
            return dg.MaterializeResult(
                data_version=dg.DataVersion(now.version),
                metadata={
                    "version": now.version,
                    "text": now.text,
                    "prompt": dg.MetadataValue.md(now.text),
                    "changed": dg.MetadataValue.md(f"```diff\n{changed}\n```" if changed else "nothing"),
                    "file": dg.MetadataValue.path(str(now.file)),
                    "characters": len(now.text),
                },
            )

        return prompt_asset


def prompt_key(name: str) -> dg.AssetKey:
    """The asset key of a prompt."""
    return dg.AssetKey([FOLDER, name])


def write_example_prompt(folder: Path) -> None:
    """Write the prompt of the worked example, unless there is one."""
    file = folder / FOLDER / "support_tickets.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text(_EXAMPLE, encoding="utf-8")


def _shown_before(context: dg.AssetExecutionContext) -> str | None:
    """The text of the last materialisation."""
    event = context.instance.get_latest_materialization_event(context.asset_key)
    found = event.asset_materialization if event else None
    text = found.metadata.get("text") if found else None
    return str(text.value) if text else None
