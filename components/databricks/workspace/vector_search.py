"""The component that keeps a Vector Search index in step with its table."""

import time
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import dagster as dg

from ...attributes import AssetKeys, Description, Group, Owners, Tags
from ...base import StrictComponent
from . import waiting
from .client import Workspace
from .errors import WorkspaceError
from .one_asset import FullName, Key, MaxWait, one_asset


class VectorSearchScaffolder(dg.Scaffolder[Any]):
    """Writes an index over a table of texts."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write ``defs.yaml``."""
        attributes = {
            "key": "search/chunks",
            "description": "Say who searches it.",
            "index": "main.docs.chunks_index",
            "endpoint": "search",
            "source_table": "main.docs.chunks",
            "primary_key": "id",
            "text_column": "text",
            "embedding_endpoint": "databricks-gte-large-en",
        }
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(VectorSearchScaffolder)
@dataclass(kw_only=True)
class VectorSearchIndexComponent(StrictComponent):
    """A Vector Search index that follows a Delta table: made, synchronised, and waited for until it can be asked.

    The embeddings are a column of the table, or made by an embedding endpoint from a text column. The endpoint of the
    index is made where it is missing.

    .. code-block:: yaml

        type: components.VectorSearchIndexComponent
        attributes:
          key: search/chunks
          description: Finds the paragraphs that answer a question.
          index: main.docs.chunks_index
          endpoint: search
          source_table: main.docs.chunks
          primary_key: id
          text_column: text
          embedding_endpoint: databricks-gte-large-en
          depends_on: [docs/chunks]
          owners: ["team:data"]
          tags: {domain: docs}
    """

    key: Key
    description: Description
    index: FullName
    source_table: FullName
    endpoint: Annotated[
        str,
        dg.Resolver.default(
            description="Vector Search endpoint.",
            examples=["search"],
            json_schema_extra={"pattern": r"^[A-Za-z0-9_-]+$"},
        ),
    ]
    primary_key: Annotated[str, dg.Resolver.default(description="Column that is different in every row.")]
    text_column: Annotated[
        str | None, dg.Resolver.default(description="Column with the texts, where an endpoint makes the embeddings.")
    ] = None
    embedding_endpoint: Annotated[
        str | None,
        dg.Resolver.default(description="Serving endpoint that embeds.", examples=["databricks-gte-large-en"]),
    ] = None
    vector_column: Annotated[str | None, dg.Resolver.default(description="Column with embeddings.")] = None
    dimensions: Annotated[
        int | None,
        dg.Resolver.default(description="Length of the embeddings.", json_schema_extra={"minimum": 1}),
    ] = None
    endpoint_type: Annotated[
        Literal["STANDARD", "STORAGE_OPTIMIZED"], dg.Resolver.default(description="Kind of an endpoint that is made.")
    ] = "STANDARD"
    max_wait_minutes: MaxWait = 60.0
    depends_on: AssetKeys = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_text = bool(self.text_column and self.embedding_endpoint)
        by_vector = bool(self.vector_column and self.dimensions)
        given = [self.text_column, self.embedding_endpoint, self.vector_column, self.dimensions]
        if by_text == by_vector or sum(value is not None for value in given) != 2:
            raise ValueError(
                "expected text_column with embedding_endpoint, or vector_column with dimensions, and not both"
            )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The index as an asset."""

        def work(workspace: Workspace, context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return dg.MaterializeResult(metadata=self.synchronised(workspace, context))

        return one_asset(self, context.project_root, "vector_search", f"index {self.index}", work)

    def synchronised(self, workspace: Workspace, context: dg.AssetExecutionContext) -> dict[str, Any]:
        """Metadata of the index, which holds what the table holds now.

        Raises:
            WorkspaceError: the workspace refuses, or the index was not ready in time.
        """
        deadline = time.monotonic() + self.max_wait_minutes * 60
        began = time.monotonic()
        self._endpoint_online(workspace, deadline)
        if self._found(workspace) is None:
            context.log.info(f"index {self.index}: created over {self.source_table}")
            self._create(workspace)
            state = "created"
        else:
            self._ready(workspace, deadline)
            context.log.info(f"index {self.index}: synchronised with {self.source_table}")
            name = self.index
            workspace.call("synchronising the index", lambda client: client.vector_search_indexes.sync_index(name))
            state = "synchronised"
        found = self._ready(workspace, deadline)
        return {
            "change": state,
            "dagster/row_count": int(found["status"].get("indexed_row_count") or 0),
            "seconds": round(time.monotonic() - began, 3),
            "index": dg.MetadataValue.url(f"{workspace.host}/explore/data/{self.index.replace('.', '/')}"),
        }

    def _endpoint_online(self, workspace: Workspace, deadline: float) -> None:
        name = self.endpoint
        while True:
            try:
                found = workspace.call(
                    f"looking at endpoint {name}", lambda client: client.vector_search_endpoints.get_endpoint(name)
                )
                if found.endpoint_status and found.endpoint_status.state.value == "ONLINE":
                    return
            except WorkspaceError as error:
                if not error.missing:
                    raise
                body = {"name": name, "endpoint_type": self.endpoint_type}
                workspace.do(f"creating endpoint {name}", "POST", "/api/2.0/vector-search/endpoints", body=body)
            self._in_time(deadline, f"endpoint {name} was not online")

    def _found(self, workspace: Workspace) -> dict[str, Any] | None:
        path = f"/api/2.0/vector-search/indexes/{self.index}"
        return workspace.found("looking at the index", path)

    def _create(self, workspace: Workspace) -> None:
        spec: dict[str, Any] = {"source_table": self.source_table, "pipeline_type": "TRIGGERED"}
        if self.text_column:
            model = {"name": self.text_column, "embedding_model_endpoint_name": self.embedding_endpoint}
            spec["embedding_source_columns"] = [model]
        else:
            column = {"name": self.vector_column, "embedding_dimension": self.dimensions}
            spec["embedding_vector_columns"] = [column]
        body = {
            "name": self.index,
            "endpoint_name": self.endpoint,
            "primary_key": self.primary_key,
            "index_type": "DELTA_SYNC",
            "delta_sync_index_spec": spec,
        }
        path = "/api/2.0/vector-search/indexes"
        workspace.make("creating the index", path, body, lambda: self._found(workspace))

    def _ready(self, workspace: Workspace, deadline: float) -> dict[str, Any]:
        while True:
            found = self._found(workspace) or {}
            status = found.get("status") or {}
            if status.get("ready"):
                return found
            if "fail" in (message := str(status.get("message") or "")).lower():
                raise WorkspaceError(f"index {self.index}: {message}", transient=False)
            self._in_time(deadline, f"index {self.index} was not ready ({message})")

    def _in_time(self, deadline: float, what: str) -> None:
        if time.monotonic() >= deadline:
            raise WorkspaceError(f"{what} within max_wait_minutes", transient=False)
        waiting.pause()
