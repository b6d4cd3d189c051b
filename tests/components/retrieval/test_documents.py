"""Documents of every format, and how they are cut."""

import io
from itertools import pairwise

import pytest

from components.retrieval.chunking import Chunking
from components.retrieval.cutting import chunks_of
from components.retrieval.documents.blocks import Block, Document
from components.retrieval.documents.reading import read_document

pytestmark = pytest.mark.slot("ai", "documents/ingest", "embedded")
chunk_slot = pytest.mark.slot("ai", "documents/chunk", "embedded")

MARKDOWN = """\
---
title: "The manual"
---
Before all.

# Install

Two ways:

- by hand
- by machine

## Code

```python
# no heading
print("a")

print("b")
```

| name | size |
| ---- | ---- |
| a    | 1    |

# Use
Read on.
"""
HTML = b"""<html><head><title>Shop | Acme</title><script>var x = "no text";</script></head><body>
<nav><a href="/">Home</a></nav><main><h1>The <em>shop</em></h1><p>Open <b>daily</b> from nine.</p>
<div>Loose words <span>in a row</span></div><ul><li>bread</li><li>milk</li></ul>
<h2>Prices</h2><table><tr><th>what</th><th>price</th></tr><tr><td>bread</td><td>2</td></tr></table>
<pre>one
  two</pre></main><footer>Imprint</footer></body></html>"""


def kinds(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in document.blocks]


def docx() -> bytes:
    import docx

    file = docx.Document()
    file.add_heading("Travel", 1)
    file.add_paragraph("Tickets are booked by the office.")
    file.add_heading("Costs", 2)
    table = file.add_table(rows=0, cols=2)
    for row in (("train", "50"), ("plane", "200")):
        cells = table.add_row().cells
        cells[0].text, cells[1].text = row
    written = io.BytesIO()
    file.save(written)
    return written.getvalue()


def pdf(*pages: str) -> bytes:
    """A PDF with a line of text on each page, written by hand: the library reads only."""
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(pages)))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"]
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for at, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        size = "/MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R {size} /Contents {5 + 2 * at} 0 R >>")
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    written, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n{content}\nendobj\n"
    start = len(written)
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    written += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return f"{written}startxref\n{start}\n%%EOF".encode()


def test_markdown_keeps_headings_tables_and_code_whole() -> None:
    document = read_document(MARKDOWN.encode(), "markdown", "manual.md")
    assert document.title == "The manual"
    assert [kind for kind, _ in kinds(document)] == [
        "text", "heading", "text", "text", "heading", "code", "table", "heading", "text"
    ]  # fmt: skip
    assert document.blocks[5].text.endswith('print("a")\n\nprint("b")\n```')
    assert [(block.text, block.level) for block in document.blocks if block.kind == "heading"] == [
        ("Install", 1), ("Code", 2), ("Use", 1)
    ]  # fmt: skip


def test_a_page_gives_what_a_reader_reads() -> None:
    document = read_document(HTML, "html", "shop.html")
    assert document.title == "The shop"
    assert kinds(document) == [
        ("heading", "The shop"),
        ("text", "Open daily from nine."),
        ("text", "Loose words in a row"),
        ("text", "- bread\n- milk"),
        ("heading", "Prices"),
        ("table", "| what | price |\n| bread | 2 |"),
        ("code", "one\n  two"),
    ]


def test_a_page_is_decoded_by_its_own_declaration() -> None:
    page = '<meta charset="iso-8859-1"><p>Grüße</p>'.encode("latin-1")
    assert read_document(page, "html", "x.html").text == "Grüße"


def test_a_word_file_gives_paragraphs_and_tables_in_their_order() -> None:
    document = read_document(docx(), "docx", "travel.docx")
    assert document.title == "Travel"
    assert kinds(document) == [
        ("heading", "Travel"),
        ("text", "Tickets are booked by the office."),
        ("heading", "Costs"),
        ("table", "| train | 50 |\n| plane | 200 |"),
    ]


def test_a_pdf_gives_its_pages() -> None:
    document = read_document(pdf("The first page.", "The second page."), "pdf", "paper.pdf")
    assert document.title == "paper"
    assert kinds(document) == [
        ("heading", "Page 1"),
        ("text", "The first page."),
        ("heading", "Page 2"),
        ("text", "The second page."),
    ]


def test_plain_text_has_underlined_headings_and_indented_code() -> None:
    text = "Title\n*****\n\nUse it so:\n\n   >>> f(1)\n\n   >>> f(2)\n\nPart\n====\n\nwords\nmore words\n"
    document = read_document(text.encode(), "text", "x.rst")
    assert document.title == "Title"
    assert kinds(document)[1:] == [
        ("text", "Use it so:"),
        ("code", "   >>> f(1)\n\n   >>> f(2)"),
        ("heading", "Part"),
        ("text", "words\nmore words"),
    ]


@chunk_slot
def test_every_chunk_is_a_slice_of_the_document_under_its_headings() -> None:
    document = read_document(MARKDOWN.encode(), "markdown", "manual.md")
    chunks = list(chunks_of(document, Chunking(size=100, overlap=0)))
    assert all(document.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert [chunk.heading for chunk in chunks] == ["", "Install", "Install > Code", "Use"]
    assert chunks[2].text.count("print") == 2
    assert chunks[2].embedded("The manual").startswith("The manual > Install > Code\n")


@chunk_slot
def test_long_text_is_cut_at_sentences_with_an_overlap() -> None:
    sentences = [f"Sentence number {at} says something about the thing." for at in range(60)]
    document = Document("t", [Block(" ".join(sentences))])
    chunks = list(chunks_of(document, Chunking(size=400, overlap=80)))
    assert max(len(chunk.text) for chunk in chunks) <= 480
    assert all(chunk.text.startswith("Sentence") and chunk.text.endswith(".") for chunk in chunks)
    for before, after in pairwise(chunks):
        assert 0 < before.end - after.start <= 80
    assert " ".join(sentences)[: chunks[-1].end] == " ".join(sentences)


@chunk_slot
def test_a_table_stays_whole_up_to_twice_the_size_and_is_cut_between_rows_beyond() -> None:
    def table(rows: int) -> Document:
        return Document(
            "t", [Block("Before."), Block("\n".join(f"| row {at:03d} | x |" for at in range(rows)), "table")]
        )

    whole = list(chunks_of(table(12), Chunking(size=100, overlap=0)))
    assert [chunk.text.count("row") for chunk in whole] == [0, 12]
    cut = list(chunks_of(table(40), Chunking(size=100, overlap=0)))
    assert sum(chunk.text.count("row") for chunk in cut) == 40
    assert all(
        line.startswith("| row") and line.endswith("| x |") for chunk in cut[1:] for line in chunk.text.splitlines()
    )


@chunk_slot
def test_a_word_without_end_is_cut_all_the_same() -> None:
    chunks = list(chunks_of(Document("t", [Block("x" * 1000)]), Chunking(size=300, overlap=50)))
    assert "".join(chunk.text for chunk in chunks).count("x") >= 1000
    assert max(len(chunk.text) for chunk in chunks) <= 350


@chunk_slot
def test_an_overlap_of_more_than_half_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap 200 is more than half of size 300"):
        Chunking(size=300, overlap=200)
