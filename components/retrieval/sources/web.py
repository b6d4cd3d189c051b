"""Web pages that were fetched before: WARC files, and folders of HTML."""

import os
from collections.abc import Iterator
from pathlib import Path

from ..documents.html import canonical_url
from ..documents.reading import format_of
from .attributes import DocumentSource
from .base import SourceDocument, SourceError

_WARC = (".warc", ".warc.gz")
_PAGE_BYTES = 20 << 20


def web_documents(source: DocumentSource, project_root: Path) -> Iterator[SourceDocument]:
    """Pages in the order of their files; raises SourceError where nothing is there or a WARC file is broken."""
    top = project_root / (source.web or "")
    if not top.exists():
        raise SourceError(f"source {source.name}: there is no {source.web!r} in {project_root}")
    seen: set[str] = set()
    for file in [top] if top.is_file() else _files(top):
        if file.name.endswith(_WARC):
            yield from _archived(source, file, seen)
        elif format_of(file.name) == "html":
            path = file.relative_to(top.parent if top.is_file() else top).as_posix()
            if source.takes(path):
                yield _page(source, file, path)


def _files(top: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(top):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names))


def _page(source: DocumentSource, file: Path, path: str) -> SourceDocument:
    with file.open("rb") as opened:
        url = canonical_url(opened.read(65_536)) or source.address(path)
    return SourceDocument(path, "html", file.read_bytes, file.stat().st_size, url=url)


def _archived(source: DocumentSource, file: Path, seen: set[str]) -> Iterator[SourceDocument]:
    """The HTML responses of a WARC file; of several of one address the first."""
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    try:
        with file.open("rb") as stream:
            for record in ArchiveIterator(stream):
                headers = record.http_headers
                url = record.rec_headers.get_header("WARC-Target-URI") or ""
                if record.rec_type != "response" or headers is None or headers.get_statuscode() != "200":
                    continue
                path = url.partition("://")[2] or url
                if "html" not in (headers.get_header("Content-Type") or "") or path in seen or not source.takes(path):
                    continue
                seen.add(path)
                content = record.content_stream().read(_PAGE_BYTES)
                yield SourceDocument(path, "html", lambda content=content: content, len(content), url=url)  # type: ignore[misc]
    except (ArchiveLoadFailed, EOFError, OSError) as error:
        raise SourceError(f"source {source.name}: {file.name} is no readable WARC file: {error}") from None
