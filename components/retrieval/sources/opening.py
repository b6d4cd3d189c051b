"""The documents of a source, whatever its kind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .attributes import DocumentSource
from .base import SourceDocument


def documents_of(source: DocumentSource, project_root: Path, warehouse: Any) -> Iterator[SourceDocument]:
    """The documents, found while they are asked for.

    Args:
        warehouse: The resource, where the source is a table.

    Raises:
        SourceError: the source cannot be read.
    """
    if source.git:
        from .git import git_documents

        return git_documents(source, project_root)
    if source.url:
        from .files import url_documents

        return url_documents(source)
    if source.table:
        from .rows import table_documents

        return table_documents(source, warehouse)
    if source.module:
        from .rows import module_documents

        return module_documents(source)
    if source.web:
        from .web import web_documents

        return web_documents(source, project_root)
    from .files import folder_documents

    return folder_documents(source, project_root)
