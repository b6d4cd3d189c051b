"""What a component's docstring says: its summary, its prose and its example."""

import inspect
import re
from dataclasses import dataclass
from textwrap import dedent

_BLOCK = re.compile(r"^\.\. code-block:: yaml\n\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)
_ROLE = re.compile(r":\w+:(`[^`]+`)")


@dataclass(frozen=True)
class Doc:
    """A docstring, taken apart.

    Args:
        summary: Its first paragraph, on one line.
        prose: The rest as Markdown, without the example.
        example: The text of its first YAML block; empty if there is none.
    """

    summary: str
    prose: str
    example: str


def read_doc(text: str | None) -> Doc:
    """The parts of a docstring."""
    cleaned = inspect.cleandoc(text or "") + "\n"
    found = _BLOCK.search(cleaned)
    example = dedent(found[1]).strip() + "\n" if found else ""
    rest = _BLOCK.sub("", cleaned, count=1)
    summary, _, prose = rest.partition("\n\n")
    return Doc(" ".join(summary.split()), markdown(prose), example)


def markdown(text: str) -> str:
    """Docstring text as Markdown: fenced blocks, no roles, no runs of empty lines."""
    fenced = _BLOCK.sub(lambda block: f"```yaml\n{dedent(block[1]).strip()}\n```\n", text.rstrip() + "\n")
    return re.sub(r"\n{3,}", "\n\n", _ROLE.sub(r"\1", fenced)).strip()


def as_used(example: str, package: str) -> str:
    """An example with the types that a project writes.

    Args:
        example: YAML whose types begin with ``components.``, as in the library.
        package: The package that has the components.
    """
    return re.sub(r"\bcomponents\.(\w+)", rf"{package}.\1", example)
