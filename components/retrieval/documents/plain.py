"""Plain text and reStructuredText: underlined headings, indented code, paragraphs."""

import re

from .blocks import Block, Document

_UNDERLINE = re.compile(r"^([-=~^\"'*+#:.`])\1{2,}\s*$")
_TABLE_RULE = re.compile(r"^\s*(\+[-=+]+\+|=+( +=+)+|\|[-| :]+\|)\s*$")


def read_plain(text: str) -> Document:
    """The blocks of a text; the marks under headings tell their levels by the order in which they come."""
    levels: dict[str, int] = {}
    blocks: list[Block] = []
    paragraph: list[str] = []

    def close() -> None:
        if paragraph:
            blocks.append(_block(paragraph, blocks[-1].text if blocks else ""))
            paragraph.clear()

    lines = text.splitlines()
    for at, line in enumerate(lines):
        below = lines[at + 1] if at + 1 < len(lines) else ""
        found = _UNDERLINE.match(below)
        is_heading = found and line.strip() and not line.startswith(" ") and len(below.strip()) >= len(line.strip()) - 2
        if found and is_heading and not _UNDERLINE.match(line):
            close()
            level = levels.setdefault(found.group(1), len(levels) + 1)
            blocks.append(Block(line.strip(), "heading", level))
        elif _UNDERLINE.match(line) and not line.startswith(" "):
            close()  # the mark of a heading, or a rule
        elif not line.strip():
            close()
        else:
            paragraph.append(line.rstrip())
    close()
    title = next((block.text for block in blocks if block.kind == "heading"), "")
    return Document(title, _joined(blocks))


def _block(lines: list[str], before: str) -> Block:
    text = "\n".join(lines)
    if any(_TABLE_RULE.match(line) for line in lines):
        return Block(text, "table")
    indented = all(line.startswith(("   ", "\t")) for line in lines)
    is_code = indented and (before.endswith(":") or ">>>" in text or "::=" in text)
    return Block(text, "code" if is_code else "text")


def _joined(blocks: list[Block]) -> list[Block]:
    """The blocks, with pieces of code that only blank lines part put together."""
    joined: list[Block] = []
    for block in blocks:
        if joined and block.kind == "text" and joined[-1].kind == "code" and block.text.startswith("   "):
            block = Block(block.text, "code")
        if joined and block.kind == joined[-1].kind == "code":
            joined[-1] = Block(f"{joined[-1].text}\n\n{block.text}", "code")
        else:
            joined.append(block)
    return joined
