"""From a document's bytes to its blocks, whatever its format; what cannot be read says why."""

import codecs
from pathlib import PurePosixPath
from typing import Literal

from .blocks import Document, DocumentError, tidy

Format = Literal["markdown", "html", "pdf", "docx", "text"]
FORMATS: dict[str, Format] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".txt": "text",
    ".text": "text",
    ".rst": "text",
}
_BOMS = [(codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")]
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
_CONTROL_SHARE = 0.01


def format_of(name: str) -> Format | None:
    """The format that a file name tells; None if it tells none that is read here."""
    return FORMATS.get(PurePosixPath(name.lower()).suffix)


def read_document(data: bytes, kind: Format, name: str) -> Document:
    """A document's title and blocks.

    Args:
        data: The whole content.
        kind: Its format.
        name: Stands in for a title that the document does not have.

    Raises:
        DocumentError: it cannot be read, or has no text.
    """
    notes: list[str] = []
    if kind == "pdf":
        from .pdf import read_pdf

        document = read_pdf(data)
    elif kind == "docx":
        from .docx import read_docx

        document = read_docx(data)
    elif kind == "html":
        from .html import read_html

        _refuse_binary(data)
        document = read_html(data)
    else:
        text, notes = _decoded(data)
        if kind == "markdown":
            from .markdown import read_markdown

            document = read_markdown(text)
        else:
            from .plain import read_plain

            document = read_plain(text)
    document.blocks = list(tidy(document.blocks))
    document.title = " ".join(document.title.split()) or PurePosixPath(name).stem
    document.notes += notes
    if not any(block.kind != "heading" for block in document.blocks):
        raise DocumentError("has no text")
    return document


def _decoded(data: bytes) -> tuple[str, list[str]]:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), []
            except UnicodeDecodeError:
                raise DocumentError(f"begins as {encoding} but is not") from None
    _refuse_binary(data)
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError as error:
        # Windows-1252 takes nearly every byte, so that nothing is lost; whether it is right nobody can know.
        return data.decode("cp1252", "replace"), [f"is not UTF-8 (byte {error.start}); read as Windows-1252"]


def _refuse_binary(data: bytes) -> None:
    head = data[:65_536]
    if not head.strip():
        raise DocumentError("is empty")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if b"\x00" in head or controls > _CONTROL_SHARE * len(head) or head.startswith((b"%PDF-", b"PK\x03\x04")):
        raise DocumentError("is binary, not text as its name says")
