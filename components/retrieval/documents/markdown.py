"""Markdown, by its own parser: tables and code stay whole, headings keep their level."""

import re

from markdown_it import MarkdownIt

from .blocks import Block, Document

_FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE)
_KINDS = {"fence": "code", "code_block": "code", "table_open": "table"}


def read_markdown(text: str) -> Document:
    """The blocks of a Markdown text; its title is the front matter's, or the first heading's."""
    title = ""
    if front := _FRONT_MATTER.match(text):
        found = _TITLE.search(front.group(1))
        title = found.group(1) if found else ""
        text = text[front.end() :]
    lines = text.splitlines()
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    blocks: list[Block] = []
    for at, token in enumerate(tokens):
        if token.level or not token.map or token.nesting < 0:
            continue
        if token.type == "heading_open":
            content = tokens[at + 1].content
            blocks.append(Block(content, "heading", int(token.tag[1])))
            title = title or content
            continue
        raw = "\n".join(lines[token.map[0] : token.map[1]])
        blocks.append(Block(raw, _KINDS.get(token.type, "text")))  # type: ignore[arg-type]  # the kinds above
    return Document(title, blocks)
