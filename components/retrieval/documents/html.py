"""HTML pages: what a reader reads, without menus and scripts."""

from collections.abc import Iterator

from bs4 import BeautifulSoup, NavigableString, Tag

from .blocks import Block, Document

_NOISE = ["script", "style", "noscript", "template", "nav", "aside", "footer", "form", "svg", "iframe", "button"]
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CONTAINERS = {"main", "body", "div", "section", "article", "header", "figure", "details", "center"}
_WHOLE = {"p", "li", "dt", "dd", "blockquote", "figcaption", "summary", "caption", "address"}
_BLOCKS = {*_HEADINGS, *_CONTAINERS, *_WHOLE, "pre", "table", "ul", "ol", "dl", "br", "hr"}


def read_html(data: bytes | str) -> Document:
    """The blocks of a page's main part; bytes are decoded by the page's own declaration."""
    soup = BeautifulSoup(data, "html.parser")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    for element in soup.find_all(_NOISE):
        element.decompose()
    top = soup.find("main") or soup.find("article") or soup.body or soup
    blocks = list(_blocks(top)) if isinstance(top, Tag) else []
    first = next((block.text for block in blocks if block.kind == "heading"), "")
    notes = ["some characters could not be decoded"] if soup.contains_replacement_characters else []
    return Document(first or title, blocks, notes)


def canonical_url(data: bytes) -> str:
    """The address that a page names as its own; empty if it names none."""
    link = BeautifulSoup(data[:65_536], "html.parser").find("link", rel="canonical")
    return str(link.get("href") or "") if isinstance(link, Tag) else ""


def _blocks(element: Tag) -> Iterator[Block]:
    loose: list[str] = []
    for child in element.children:
        if isinstance(child, NavigableString):
            if type(child) is NavigableString:
                loose.append(str(child))
            continue
        if not isinstance(child, Tag):
            continue
        found = list(_of(child))
        if not found and child.name not in ("br", "hr"):
            continue
        if len(found) == 1 and found[0].kind == "text" and _is_inline(child):
            loose.append(child.get_text())
            continue
        yield from _text(loose)
        loose = []
        yield from found
    yield from _text(loose)


def _of(element: Tag) -> Iterator[Block]:
    if element.name in _HEADINGS:
        yield Block(element.get_text(" ", strip=True), "heading", _HEADINGS[element.name])
    elif element.name == "pre":
        yield Block(element.get_text(), "code")
    elif element.name == "table":
        yield Block(_table(element), "table")
    elif element.name in ("ul", "ol") and not element.find(["pre", "table", *_HEADINGS]):
        items = [" ".join(item.get_text(" ").split()) for item in element.find_all("li", recursive=False)]
        yield Block("\n".join(f"- {item}" for item in items if item))
    elif (element.name in _WHOLE and not element.find(["pre", "table", "p", "ul", "ol", *_HEADINGS])) or _is_inline(
        element
    ):
        yield from _text([element.get_text()])
    else:
        yield from _blocks(element)


def _is_inline(element: Tag) -> bool:
    return element.name not in _BLOCKS and element.find(list(_BLOCKS)) is None


def _text(parts: list[str]) -> Iterator[Block]:
    if text := " ".join("".join(parts).split()):
        yield Block(text)


def _table(element: Tag) -> str:
    rows = [
        " | ".join(" ".join(cell.get_text(" ").split()) for cell in row.find_all(["th", "td"]))
        for row in element.find_all("tr")
    ]
    return "\n".join(f"| {row} |" for row in rows if row)
