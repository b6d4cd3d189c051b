"""Documents of every kind of source, and that only what changed there is read."""

import gzip
import io
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.retrieval.sources import files
from components.retrieval.sources.attributes import DocumentSource
from components.retrieval.sources.base import SourceError
from components.retrieval.sources.opening import documents_of
from components.warehouse.resource import WarehouseResource
from tests.components.ingestion.conftest import s3, s3_server
from tests.components.ingestion.stores import S3
from tests.components.retrieval.library import Library

__all__ = ["s3", "s3_server"]

pytestmark = pytest.mark.slot("ai", "documents/ingest", "embedded")

IDENTITY = {f"GIT_{who}_{what}": "someone@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def found(root: Path, warehouse: Any = None, **attributes: Any) -> dict[str, bytes]:
    source = DocumentSource(name="docs", **attributes)
    return {document.path: document.read() for document in documents_of(source, root, warehouse)}


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, env={**os.environ, **IDENTITY})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "docs" / "deep").mkdir(parents=True)
    (folder / "docs" / "a.md").write_text("# A\n\nabout a")
    (folder / "docs" / "deep" / "ünï.md").write_text("# B\n\nabout b")
    (folder / "code.md").write_text("not documents")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_folder_is_read_by_its_patterns(tmp_path: Path) -> None:
    for name in ("a.md", "b.txt", "drafts/c.md", "deep/down/d.md", ".hidden.md", ".git/e.md"):
        file = tmp_path / "docs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    assert list(found(tmp_path, folder="docs")) == ["a.md", "b.txt", "deep/down/d.md", "drafts/c.md"]
    assert list(found(tmp_path, folder="docs", include=["**/*.md"], exclude=["drafts/**"])) == [
        "a.md",
        "deep/down/d.md",
    ]
    assert list(found(tmp_path, folder="docs", include=["*.md"])) == ["a.md"]


def test_a_package_s_folder_is_read_without_importing_it(tmp_path: Path) -> None:
    documents = found(tmp_path, package="sklearn", folder="datasets/descr", include=["iris.rst", "wine_data.rst"])
    assert b"Iris plants dataset" in documents["iris.rst"]
    with pytest.raises(SourceError, match="package 'no_such' is not installed"):
        found(tmp_path, package="no_such", folder="x")


def test_documents_in_s3_are_followed_and_unchanged_ones_are_not_read_again(
    tmp_path: Path, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        s3.put(f"docs/{name}.md", f"# {name}\n\nabout {name}".encode())
    library = Library(tmp_path, sources=[{"name": "docs", "url": f"{s3.url}/docs"}])
    assert library.materialize()["documents_written"] == 3
    reads: list[str] = []
    reader = files._reader
    monkeypatch.setattr(files, "_reader", lambda system, name: lambda: reads.append(name) or reader(system, name)())
    s3.put("docs/a.md", b"# a\n\nnews of a")
    s3.put("docs/deep/d.md", b"# d\n\nabout d")
    s3.delete("docs/c.md")
    changed = library.materialize()
    assert [changed[f"documents_{name}"] for name in ("written", "unchanged", "deleted")] == [2, 1, 1]
    assert sorted(name.rpartition("/docs/")[2] for name in reads) == ["a.md", "deep/d.md"]
    with library.opened() as index:
        hit = index.search("news of a", 1)[0].record
    assert (hit.text, hit.url) == ("news of a", f"{s3.url}/docs/a.md")


def test_an_object_store_is_read_by_its_address(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe({"/bucket/docs/a.md": b"# A\n\nabout a", "/bucket/docs/deep/b.md": b"# B\n\nabout b"})
    assert list(found(tmp_path, url="memory://bucket/docs")) == ["a.md", "deep/b.md"]
    library = Library(tmp_path, sources=[{"name": "docs", "url": "memory://bucket/docs"}])
    assert library.materialize()["documents_written"] == 2
    with library.opened() as index:
        assert index.search("about b", 1)[0].record.url == "memory://bucket/docs/deep/b.md"
    with pytest.raises(SourceError, match="there is nothing at memory://bucket/nowhere"):
        found(tmp_path, url="memory://bucket/nowhere")


def test_a_repository_is_kept_and_only_changed_files_are_read(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(tmp_path, sources=[{"name": "docs", "git": str(repository), "folder": "docs"}])
    assert library.materialize()["documents_written"] == 2
    assert library.documents() == {"docs/a.md", "docs/deep/ünï.md"}
    (repository / "docs" / "a.md").write_text("# A\n\nnews about a")
    git(repository, "commit", "-qam", "second")
    reads = []
    from components.retrieval.sources import git as module

    read = module._Blob.__call__
    monkeypatch.setattr(module._Blob, "__call__", lambda blob: reads.append(blob) or read(blob))
    changed = library.materialize()
    assert (changed["documents_written"], changed["documents_unchanged"], len(reads)) == (1, 1, 1)
    with library.opened() as index:
        assert "news" in index.search("news", 1)[0].record.text


def test_a_branch_is_read_and_a_missing_one_is_named(repository: Path, tmp_path: Path) -> None:
    git(repository, "checkout", "-qb", "next")
    (repository / "docs" / "c.md").write_text("c")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "next")
    git(repository, "checkout", "-q", "main")
    assert "c.md" in found(tmp_path, git=str(repository), folder="docs", ref="next")
    assert "c.md" not in found(tmp_path, git=str(repository), folder="docs")
    with pytest.raises(SourceError, match=r"source docs: the repository cannot be read: .*no_such"):
        found(tmp_path, git=str(repository), ref="no_such")


def test_a_token_is_never_sent_unencrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy.yaml").write_text("version: 1\n")
    monkeypatch.setenv("REPOSITORY_TOKEN", "secret")
    with pytest.raises(SourceError, match="the token would be sent unencrypted; use https"):
        found(tmp_path, git="http://example.com/x.git", token="REPOSITORY_TOKEN")


def test_a_table_is_read_by_its_columns(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    warehouse = WarehouseResource(production_engine="postgres", project_root=str(tmp_path))
    warehouse.execute(
        "CREATE SCHEMA staging",
        "CREATE TABLE staging.articles AS SELECT i AS article, 'Title ' || i AS head, 'Body of ' || i AS body, "
        "'https://example.com/' || i AS link FROM range(1200) t(i)",
    )
    columns = {"id": "article", "text": "body", "title": "head", "url": "link"}
    source = {"name": "articles", "table": "staging/articles", "columns": columns}
    library = Library(tmp_path, sources=[source])
    assert library.materialize(warehouse=warehouse)["documents_written"] == 1200
    with library.opened() as index:
        hit = index.search("Title 77", 1, mode="words")[0].record
    assert (hit.document, hit.title, hit.text, hit.url) == (
        "articles/77", "Title 77", "Body of 77", "https://example.com/77"
    )  # fmt: skip
    warehouse.execute("UPDATE staging.articles SET head = 'Renamed' WHERE article = 5")
    assert library.materialize(warehouse=warehouse)["documents_written"] == 1
    warehouse.execute("INSERT INTO staging.articles VALUES (7, 'x', 'y', 'z')")
    faults = library.materialize(warehouse=warehouse)["source_faults"]
    assert "staging/articles: column article has 7 more than once" in faults[0]


def test_pages_of_a_warc_file_and_of_a_folder_have_their_addresses(tmp_path: Path) -> None:
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    crawl = tmp_path / "crawl"
    crawl.mkdir()
    with (crawl / "site.warc.gz").open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for url, status, kind in [
            ("https://example.com/a", "200 OK", "text/html; charset=utf-8"),
            ("https://example.com/a", "200 OK", "text/html"),
            ("https://example.com/gone", "404 Not Found", "text/html"),
            ("https://example.com/picture", "200 OK", "image/png"),
        ]:
            headers = StatusAndHeaders(status, [("Content-Type", kind)], protocol="HTTP/1.1")
            content = io.BytesIO(b"<h1>Page</h1><p>Content of the page.</p>")
            writer.write_record(writer.create_warc_record(url, "response", payload=content, http_headers=headers))
    (crawl / "saved.html").write_text('<link rel="canonical" href="https://example.com/saved"><p>Saved text.</p>')
    source = DocumentSource(name="web", web="crawl")
    documents = list(documents_of(source, tmp_path, None))
    assert [(document.path, document.url) for document in documents] == [
        ("saved.html", "https://example.com/saved"),
        ("example.com/a", "https://example.com/a"),
    ]
    assert b"Content of the page" in documents[1].read()
    (crawl / "site.warc.gz").write_bytes(gzip.compress(b"no warc"))
    with pytest.raises(SourceError, match=r"site\.warc\.gz is no readable WARC file"):
        list(documents_of(source, tmp_path, None))


def test_texts_of_a_module_are_read_without_running_it(tmp_path: Path) -> None:
    texts = found(tmp_path, module="pydoc_data.topics:topics", include=["break", "lambda"])
    assert sorted(texts) == ["break", "lambda"]
    assert b'The "break" statement' in texts["break"]
    with pytest.raises(SourceError, match="has no dictionary of texts called nothing"):
        found(tmp_path, module="pydoc_data.topics:nothing")
    with pytest.raises(SourceError, match="there is no module no_such_module"):
        found(tmp_path, module="no_such_module:x")


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({}, "expected one of folder, url, git, table, web, module, not none"),
        ({"folder": "a", "web": "b"}, "not folder and web"),
        ({"folder": "a", "ref": "main"}, "ref needs git"),
        ({"table": "a/b"}, "table needs columns"),
        ({"folder": "a", "format": "html"}, "format is for table and module"),
    ],
)
def test_a_source_that_names_no_single_place_is_refused(attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DocumentSource(name="docs", **attributes)
