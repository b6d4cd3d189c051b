"""Prompts as files: instructions in Markdown, with front matter, whose version is the hash of their content."""

import difflib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = "prompts"
NAME_PATTERN = r"^[A-Za-z0-9_]+$"
_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*\n", re.DOTALL)
_KEYS = {"description", "max_output_tokens"}


class PromptError(ValueError):
    """A prompt file that is missing or broken; names the file and what is valid."""


@dataclass(frozen=True)
class Prompt:
    """Instructions for a model.

    Args:
        name: Name of the file, without its end.
        file: The file.
        text: The instructions.
        description: What they are for.
        max_output_tokens: Most tokens of an answer; None leaves it to the component.
    """

    name: str
    file: Path
    text: str
    description: str = ""
    max_output_tokens: int | None = None

    @property
    def version(self) -> str:
        """Twelve digits that change with everything a model is told."""
        return hashlib.sha256(f"{self.max_output_tokens}\n{self.text}".encode()).hexdigest()[:12]


def read_prompt(file: Path) -> Prompt:
    """The prompt in a file.

    Raises:
        PromptError: it is missing, not text, empty, or its front matter is broken.
    """
    try:
        raw = file.read_text(encoding="utf-8").replace("\r\n", "\n")
    except FileNotFoundError:
        raise PromptError(f"{file} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{file}: cannot be read as UTF-8 text: {error}") from None
    front = _FRONT.match(raw)
    about = _front_matter(file, front[1]) if front else {}
    text = raw[front.end() :].strip() if front else raw.strip()
    if not text:
        raise PromptError(f"{file}: the prompt is empty; expected instructions below the front matter")
    return Prompt(file.stem, file, text, str(about.get("description", "")), about.get("max_output_tokens"))


def find_prompt(name: str, *folders: Path) -> Prompt:
    """The prompt of a name in the first of some folders that has it, in ``prompts/``.

    Raises:
        PromptError: no folder has it, or it is broken.
    """
    for folder in folders:
        if (file := folder / FOLDER / f"{name}.md").is_file():
            return read_prompt(file)
    present = sorted({file.stem for folder in folders for file in (folder / FOLDER).glob("*.md")})
    places = " or ".join(str(folder / FOLDER) for folder in folders)
    raise PromptError(
        f"prompt {name!r}: there is no {name}.md in {places}; prompts there: {', '.join(present) or 'none'}"
    )


def difference(before: str, after: str, name: str) -> str:
    """What changed between two versions of a prompt, as a unified diff; empty where nothing did."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} before", f"{name} now", lineterm="", n=2
    )
    return "\n".join(lines)


def _front_matter(file: Path, text: str) -> dict[str, Any]:
    try:
        about = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise PromptError(f"{file}: the front matter is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(about, dict) or (unknown := sorted(set(map(str, about)) - _KEYS)):
        found = ", ".join(map(repr, unknown)) if isinstance(about, dict) else repr(about)
        raise PromptError(f"{file}: front matter: {found} is not valid; expected {', '.join(sorted(_KEYS))}")
    most = about.get("max_output_tokens")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        raise PromptError(f"{file}: max_output_tokens: {most!r} is not valid; expected a number from 1 on")
    return about
