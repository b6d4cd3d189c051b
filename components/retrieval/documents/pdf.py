"""PDF, by pypdf: text page by page; what has no text, as a scan, is refused."""

import io
import logging

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from .blocks import Block, Document, DocumentError

_PAGES = 5000


def read_pdf(data: bytes) -> Document:
    """The paragraphs of each page.

    Raises:
        DocumentError: damaged, locked by a password, or without text.
    """
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of each small fault that it mends
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentError("is locked by a password")
        if len(reader.pages) > _PAGES:
            raise DocumentError(f"has more than {_PAGES} pages")
        texts = [page.extract_text() for page in reader.pages]
        title = str(reader.metadata.title or "") if reader.metadata else ""
    except DocumentError:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RecursionError) as error:
        raise DocumentError(f"is no readable PDF ({type(error).__name__}: {str(error)[:120]})") from None
    blocks: list[Block] = []
    for number, text in enumerate(texts, 1):
        paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
        if paragraphs and len(texts) > 1:
            blocks.append(Block(f"Page {number}", "heading", 6))
        blocks += [Block(part) for part in paragraphs]
    if not blocks:
        raise DocumentError("has no text; a scan has to be read by OCR first")
    return Document(title, blocks)
