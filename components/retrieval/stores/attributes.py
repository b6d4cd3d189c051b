"""Which vector store a component uses, as its YAML says it."""

from typing import Annotated, Literal

import dagster as dg
from pydantic import Field

from ...base import StrictModel

StoreType = Literal["sqlite", "chroma", "lancedb", "qdrant", "pgvector", "pinecone", "weaviate", "milvus", "databricks"]
EMBEDDED = ("sqlite", "chroma", "lancedb", "qdrant", "milvus")


class StoreSettings(StrictModel):
    """A vector store: an embedded one below the project's root, or a server."""

    type: Annotated[
        StoreType,
        dg.Resolver.default(description="Which store; sqlite needs nothing installed and nothing running."),
    ] = "sqlite"
    path: Annotated[
        str | None,
        dg.Resolver.default(
            description="File or folder of an embedded store, from the project's root; data/vectors/<type> if absent.",
            examples=["data/vectors/lancedb"],
            json_schema_extra={"pattern": r"^\S(.*\S)?$"},
        ),
    ] = None
    url: Annotated[
        str | None,
        dg.Resolver.default(
            description="Address of a server, instead of path; for Pinecone only where it is not Pinecone's own.",
            examples=["http://localhost:6333"],
            json_schema_extra={"pattern": r"^[a-z][a-z0-9+.-]*://\S+$"},
        ),
    ] = None
    api_key: Annotated[
        str | None,
        dg.Resolver.default(
            description="Name of the secret with the store's key or token; for pgvector a connection string.",
            examples=["QDRANT_API_KEY"],
            json_schema_extra={"pattern": r"^[A-Za-z_][A-Za-z0-9_./-]*$"},
        ),
    ] = None
    namespace: Annotated[
        str | None,
        dg.Resolver.default(
            description=(
                "Where collections stand: schema of pgvector, catalog.schema of Databricks, first part of the names "
                "of Pinecone's indexes."
            ),
            examples=["main.search"],
            json_schema_extra={"pattern": r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)?$"},
        ),
    ] = None
    region: Annotated[
        str | None,
        dg.Resolver.default(
            description="Cloud and region of Pinecone's indexes; aws/us-east-1 if absent.",
            examples=["gcp/europe-west4"],
            json_schema_extra={"pattern": r"^(aws|gcp|azure)/[a-z0-9-]+$"},
        ),
    ] = None
    endpoint: Annotated[
        str | None,
        dg.Resolver.default(description="Vector Search endpoint of Databricks.", examples=["search"]),
    ] = None
    needs: Annotated[
        list[str],
        dg.Resolver.default(
            description="Secrets or variables without which a SQLite file stands in, in target local only, and the run "
            "says so; in production they are demanded. Left out: nothing stands in.",
            examples=[["PINECONE_API_KEY"]],
        ),
    ] = Field(default_factory=list)

    def model_post_init(self, context: object) -> None:
        """Raise ValueError where the attributes do not fit the type."""
        if self.path and (self.url or self.type not in EMBEDDED):
            raise ValueError(f"path is for {', '.join(EMBEDDED)} without url; the type is {self.type!r}")
        if self.url and self.type in ("sqlite", "lancedb", "pgvector"):
            raise ValueError(f"url is not for {self.type}; pgvector takes api_key or libpq's variables (PGHOST …)")
        if self.type == "weaviate" and not self.url and not self.needs:
            raise ValueError("type weaviate needs url")
        if self.type == "databricks" and not (self.namespace and "." in self.namespace and self.endpoint):
            raise ValueError("type databricks needs endpoint, and namespace as catalog.schema")

    @property
    def embedded_path(self) -> str:
        """Where an embedded store stands, from the project's root."""
        return self.path or {"sqlite": "data/vectors.db"}.get(self.type, f"data/vectors/{self.type}")
