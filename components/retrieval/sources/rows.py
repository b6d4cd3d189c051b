"""Documents that are rows of a warehouse table, or texts of a Python module."""

import ast
import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .attributes import DocumentSource
from .base import SourceDocument, SourceError

_PAGE_ROWS = 500


def table_documents(source: DocumentSource, warehouse: Any) -> Iterator[SourceDocument]:
    """Rows in the order of their ids, a page of them in memory at a time.

    Raises:
        SourceError: the table or a column is not there, or an id is missing or there twice.
    """
    columns = source.columns
    assert columns  # noqa: S101 - the YAML's check
    names = [columns.id, columns.text, columns.title or columns.id, columns.url or columns.id]
    engine = warehouse.engine
    relation = engine.qualify(*(source.table or "").split("/"))
    chosen = ", ".join(f"{engine.quote(name)} AS c{at}" for at, name in enumerate(names))
    last, offset = None, 0
    while True:
        query = f"SELECT {chosen} FROM {relation} ORDER BY 1 LIMIT {_PAGE_ROWS} OFFSET {offset}"  # noqa: S608 - quoted
        try:
            rows = warehouse.query(query).rows
        except Exception as error:
            raise SourceError(f"source {source.name}: {source.table} cannot be read: {error}") from None
        for identifier, text, title, url in rows:
            if identifier is None or identifier == last:
                said = "has no value" if identifier is None else f"has {identifier!r} more than once"
                raise SourceError(f"source {source.name}: {source.table}: column {columns.id} {said}")
            last = identifier
            path = str(identifier)
            if source.takes(path):
                yield _row(
                    source, path, str(text or ""), str(title) if columns.title and title else "",
                    str(url) if columns.url and url else source.address(path),
                )  # fmt: skip
        if len(rows) < _PAGE_ROWS:
            return
        offset += len(rows)


def module_documents(source: DocumentSource) -> Iterator[SourceDocument]:
    """The texts of a dictionary in a module, which is parsed, not run."""
    module, _, variable = (source.module or "").partition(":")
    try:
        spec = find_spec(module)
        tree = ast.parse(Path(spec.origin or "").read_text("utf-8")) if spec else None
    except (ImportError, OSError, SyntaxError, ValueError) as error:
        raise SourceError(f"source {source.name}: module {module} cannot be read: {error}") from None
    if tree is None:
        raise SourceError(f"source {source.name}: there is no module {module}")
    texts = _dictionary(tree, variable)
    if texts is None:
        raise SourceError(f"source {source.name}: {module} has no dictionary of texts called {variable}")
    for path in sorted(texts):
        if source.takes(path):
            yield _row(source, path, texts[path], "", source.address(path))


def _dictionary(tree: ast.Module, variable: str) -> dict[str, str] | None:
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == variable for target in targets):
            try:
                value = ast.literal_eval(node.value)  # type: ignore[attr-defined]  # both kinds have it
            except ValueError:
                return None
            if isinstance(value, dict) and all(isinstance(text, str) for pair in value.items() for text in pair):
                return value
    return None


def _row(source: DocumentSource, path: str, text: str, title: str, url: str) -> SourceDocument:
    data = text.encode("utf-8", "replace")
    version = hashlib.sha256(data + b"\x00" + title.encode() + b"\x00" + url.encode()).hexdigest()
    return SourceDocument(path, source.format or "text", lambda: data, len(data), version, title, url)
