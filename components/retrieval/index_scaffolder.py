"""The first index of documents, with two documents to index."""

from typing import Any

import dagster as dg
from pydantic import BaseModel, Field

_DOCUMENTS = {
    "how-to-search.md": """\
# How to search

Ask a question in your own words. The index finds passages by meaning and by words, and names the document and the
heading of each.

## Filters

A search can be narrowed to one source or one document.
""",
    "how-to-add-documents.md": """\
# How to add documents

Put Markdown, HTML, PDF or Word files into this folder and materialise the index. Only what is new or changed is
embedded; a file that is deleted leaves the index.
""",
}


class DocumentIndexParams(BaseModel):
    """What the scaffolder asks."""

    key: str = Field(default="search/documents", pattern=r"^[\w-]+/[\w-]+$", description="Asset key of the index")
    owner: str = Field(default="team:search", description="Who answers for the index")


class DocumentIndexScaffolder(dg.Scaffolder[DocumentIndexParams]):
    """Writes an index of a folder beside it, with documents in it."""

    @classmethod
    def get_scaffold_params(cls) -> type[DocumentIndexParams]:
        """Asset key and owner."""
        return DocumentIndexParams

    def scaffold(self, request: dg.ScaffoldRequest[DocumentIndexParams]) -> None:
        """Write ``defs.yaml`` and the folder ``documents``."""
        dg.scaffold_component(request, index_attributes(request, request.params.key, request.params.owner))


def index_attributes(request: dg.ScaffoldRequest[Any], key: str, owner: str) -> dict[str, Any]:
    """The attributes of an index of the folder ``documents`` beside it, which is written."""
    folder = request.target_path / "documents"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _DOCUMENTS.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    place = folder.resolve()
    root = request.project_root.resolve() if request.project_root else None
    if root and place.is_relative_to(root):
        place = place.relative_to(root)
    return {
        "key": key,
        "description": "The documents of this folder, searchable.",
        "sources": [{"name": "documents", "folder": place.as_posix()}],
        "embedding": {"provider": "local", "name": "lexical"},
        "owners": [owner],
        "group": "search",
    }
