"""A source of documents, as the YAML of an index says it."""

import re
from typing import Annotated, Literal

import dagster as dg
from pydantic import Field

from ...base import StrictModel

PLACES = ("folder", "url", "git", "table", "web", "module")
_PATTERNS = Annotated[list[str], dg.Resolver.default(description="Glob patterns of paths within the source.")]


class TableColumns(StrictModel):
    """Which columns of a table are what."""

    id: Annotated[str, dg.Resolver.default(description="Column that names a document.")]
    text: Annotated[str, dg.Resolver.default(description="Column with its text.")]
    title: Annotated[str | None, dg.Resolver.default(description="Column with its title.")] = None
    url: Annotated[str | None, dg.Resolver.default(description="Column with its address.")] = None


class DocumentSource(StrictModel):
    """Documents of one place: name exactly one of folder, url, git, table, web and module."""

    name: Annotated[
        str,
        dg.Resolver.default(
            description="Name of the source; documents are called name/path.",
            examples=["handbook"],
            json_schema_extra={"pattern": r"^[a-z][a-z0-9_-]*$"},
        ),
    ]
    folder: Annotated[
        str | None,
        dg.Resolver.default(
            description="Folder of files: from the project's root, of the package, or within the repository of git.",
            examples=["documents"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ] = None
    package: Annotated[
        str | None,
        dg.Resolver.default(description="Installed Python package that has the folder; located, never imported."),
    ] = None
    url: Annotated[
        str | None,
        dg.Resolver.default(
            description="Folder of an object store, as fsspec writes it; credentials are the environment's.",
            examples=["s3://company-documents/handbook"],
            json_schema_extra={"pattern": r"^[a-z][a-z0-9+.-]*://"},
        ),
    ] = None
    git: Annotated[
        str | None,
        dg.Resolver.default(
            description="Repository; a copy is kept in data/git, and only what changed is read.",
            examples=["https://github.com/company/handbook"],
            json_schema_extra={"pattern": r"^[^\s-]\S*$"},
        ),
    ] = None
    ref: Annotated[
        str | None,
        dg.Resolver.default(
            description="Branch or tag of the repository; its default branch if absent.",
            json_schema_extra={"pattern": r"^[^\s-]\S*$"},
        ),
    ] = None
    token: Annotated[
        str | None, dg.Resolver.default(description="Name of the secret with a token for the repository.")
    ] = None
    table: Annotated[
        str | None,
        dg.Resolver.default(
            description="Table of the warehouse as schema/table; the asset of that key becomes upstream.",
            examples=["staging/articles"],
            json_schema_extra={"pattern": r"^[A-Za-z0-9_]+/[A-Za-z0-9_]+$"},
        ),
    ] = None
    columns: Annotated[TableColumns | None, dg.Resolver.default(description="Columns of the table.")] = None
    web: Annotated[
        str | None,
        dg.Resolver.default(
            description="Web pages already fetched: a WARC file, or a folder of WARC and HTML files.",
            examples=["data/crawl"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ] = None
    module: Annotated[
        str | None,
        dg.Resolver.default(
            description="Python module with a dictionary of texts by name, as module:variable; read, never imported.",
            examples=["pydoc_data.topics:topics"],
            json_schema_extra={"pattern": r"^\w+(\.\w+)*:\w+$"},
        ),
    ] = None
    include: _PATTERNS = Field(default_factory=list)
    exclude: _PATTERNS = Field(default_factory=list)
    format: Annotated[
        Literal["markdown", "html", "text"] | None,
        dg.Resolver.default(description="Format of the texts of a table or module; text if absent."),
    ] = None
    base_url: Annotated[
        str | None,
        dg.Resolver.default(
            description="Address that a document's path is put after, for citations.",
            examples=["https://docs.company.com/"],
            json_schema_extra={"pattern": "^https?://"},
        ),
    ] = None

    def model_post_init(self, context: object) -> None:
        """Raise ValueError unless the attributes name one place and fit it."""
        given = [name for name in PLACES if getattr(self, name) is not None]
        if given not in ([[name] for name in PLACES] + [["folder", "git"]]):
            raise ValueError(
                f"source {self.name!r}: expected one of {', '.join(PLACES)}, not {' and '.join(given) or 'none'}"
            )
        belongs = {"package": "folder", "ref": "git", "token": "git", "columns": "table"}
        for name, place in belongs.items():
            if getattr(self, name) is not None and place not in given:
                raise ValueError(f"source {self.name!r}: {name} needs {place}")
        if self.table and not self.columns:
            raise ValueError(f"source {self.name!r}: table needs columns, as {{id: article_id, text: body}}")
        if self.format and not (self.table or self.module):
            raise ValueError(f"source {self.name!r}: format is for table and module; files tell theirs by their names")

    def takes(self, path: str) -> bool:
        """Whether the patterns let a path through."""
        if any(_matches(path, pattern) for pattern in self.exclude):
            return False
        return not self.include or any(_matches(path, pattern) for pattern in self.include)

    def address(self, path: str) -> str:
        """The address of a document for citations; empty without base_url."""
        return f"{self.base_url.rstrip('/')}/{path}" if self.base_url else ""


def _matches(path: str, pattern: str) -> bool:
    """Glob as in git: ** is any number of folders, * and ? stay within one."""
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    marks = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.fullmatch("".join(marks.get(piece) or re.escape(piece) for piece in pieces), path) is not None
