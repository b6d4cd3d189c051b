"""The component that keeps a searchable index of documents."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import dagster as dg

from ..attributes import Description, Group, Owners, Tags
from ..base import StrictComponent
from ..llm.settings import ProviderSettings
from .attributes import Key
from .chunking import Chunking
from .engines.attributes import EngineName
from .index_scaffolder import DocumentIndexScaffolder
from .sources.attributes import DocumentSource
from .stores.attributes import StoreSettings


@dg.scaffold_with(DocumentIndexScaffolder)
@dataclass
class DocumentIndexComponent(StrictComponent):
    """A search index of documents: read, cut, embedded and kept up to date in a vector store.

    Only what changed is embedded and written. Another model or another way of cutting builds a new collection beside
    the one that is read, and takes its place when it is whole. A document that cannot be read is reported, and the
    others go on.

    .. code-block:: yaml

        type: components.DocumentIndexComponent
        attributes:
          key: search/handbook
          description: The handbook, searchable by meaning and by words.
          sources:
            - name: handbook
              folder: documents
              include: ["**/*.md", "**/*.pdf"]
          embedding: {provider: local, name: lexical}
          chunking: {size: 1200, overlap: 150}
          owners: ["team:search"]
          group: search
    """

    key: Key
    description: Description
    sources: Annotated[list[DocumentSource], dg.Resolver.default(description="Where the documents are.")]
    embedding: Annotated[
        ProviderSettings,
        dg.Resolver.default(description="The model that embeds; without one, the lexical baseline of this library."),
    ] = field(default_factory=ProviderSettings)
    store: Annotated[
        StoreSettings, dg.Resolver.default(description="The vector store; without one, a SQLite file.")
    ] = field(default_factory=StoreSettings)
    chunking: Annotated[Chunking, dg.Resolver.default(description="How documents are cut.")] = field(
        default_factory=Chunking
    )
    engine: Annotated[
        EngineName,
        dg.Resolver.default(
            description="Where documents are read, cut and, by a local model, embedded: here; on Spark (SPARK_REMOTE "
            "names a server); or on Ray (RAY_ADDRESS names a cluster). Without the variable it runs on this machine."
        ),
    ] = "local"
    partitions: Annotated[
        int | None,
        dg.Resolver.default(
            description="Parts that the documents are indexed in, each a partition with a run of its own.",
            json_schema_extra={"minimum": 2, "maximum": 1000},
        ),
    ] = None
    max_file_mb: Annotated[
        float,
        dg.Resolver.default(
            description="Greatest document, in megabytes; a greater one is reported and not read.",
            json_schema_extra={"exclusiveMinimum": 0},
        ),
    ] = 20.0
    prompt_injection: Annotated[
        Literal["report", "leave_out"],
        dg.Resolver.default(
            description="Text that looks like orders to a language model: report keeps it, marked; leave_out does not."
        ),
    ] = "report"
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError where there is no source, or two have the same name."""
        names = [source.name for source in self.sources]
        if not names:
            raise ValueError("sources: expected at least one source")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"sources: name {', '.join(map(repr, twice))} is there more than once")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset of the index, with a check for unreadable documents and one for prompt injection."""
        root = Path(context.project_root)
        key = dg.AssetKey.from_user_string(self.key)
        tables = [source.table for source in self.sources if source.table]

        @dg.asset(
            key=key,
            description=self.description,
            deps=[dg.AssetKey.from_user_string(table) for table in tables],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"search", self.store.type},
            partitions_def=self._partitions(),
            check_specs=[
                dg.AssetCheckSpec("documents_read", asset=key, description="Every source and document was read."),
                dg.AssetCheckSpec(
                    "no_prompt_injection", asset=key, description="No document gives orders to a language model."
                ),
            ],
            required_resource_keys={"warehouse"} if tables else set(),
        )
        def document_index(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            from .index_run import run_index

            return run_index(self, context, root)

        return dg.Definitions(assets=[document_index])

    def part_names(self) -> list[str]:
        """Names of the parts that documents are spread over; one without a name where they are not."""
        return [f"{at:03d}" for at in range(self.partitions)] if self.partitions else [""]

    def documents(self, root: Path, warehouse: Any) -> list[tuple[str, Callable[[], Iterator[Any]]]]:
        """Each source's name, and what finds its documents."""
        from .sources.opening import documents_of

        return [(source.name, partial(documents_of, source, root, warehouse)) for source in self.sources]

    def _partitions(self) -> dg.PartitionsDefinition[str] | None:
        return dg.StaticPartitionsDefinition(self.part_names()) if self.partitions else None
