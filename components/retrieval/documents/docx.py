"""Word files, by python-docx: paragraphs and tables in their order, headings by style."""

import io
import re
import zipfile
from typing import Any

from .blocks import Block, Document, DocumentError

_HEADING = re.compile(r"^heading (\d)$", re.IGNORECASE)
_UNPACKED_BYTES = 500 << 20


def read_docx(data: bytes) -> Document:
    """The blocks of a Word file.

    Raises:
        DocumentError: damaged, or no Word file at all.
    """
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from docx.table import Table

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(item.file_size for item in archive.infolist()) > _UNPACKED_BYTES:
                raise DocumentError("unpacks to more than 500 MB")
        file = docx.Document(io.BytesIO(data))
        blocks = [_table(item) if isinstance(item, Table) else _paragraph(item) for item in file.iter_inner_content()]
        title = file.core_properties.title or ""
    except (zipfile.BadZipFile, PackageNotFoundError, KeyError, ValueError, SyntaxError) as error:
        raise DocumentError(f"is no readable Word file ({type(error).__name__}: {str(error)[:120]})") from None
    first = next((block.text for block in blocks if block.kind == "heading"), "")
    return Document(title or first, blocks)


def _paragraph(paragraph: Any) -> Block:
    style = paragraph.style.name if paragraph.style is not None else ""
    if style == "Title":
        return Block(paragraph.text, "heading", 1)
    if found := _HEADING.match(style or ""):
        return Block(paragraph.text, "heading", int(found.group(1)))
    return Block(f"- {paragraph.text}" if (style or "").startswith("List") else paragraph.text)


def _table(table: Any) -> Block:
    rows = [" | ".join(" ".join(cell.text.split()) for cell in row.cells) for row in table.rows]
    return Block("\n".join(f"| {row} |" for row in rows), "table")
