"""The component that writes a page to search an index, with a report about it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import dagster as dg

from ..attributes import Group, Owners, Tags
from ..base import StrictComponent
from .attributes import DependsOn, IndexKey, Key, Store
from .page_scaffolder import SearchPageScaffolder
from .stores.attributes import StoreSettings


@dg.scaffold_with(SearchPageScaffolder)
@dataclass
class SearchPageComponent(StrictComponent):
    """A page to search an index and ask it, as one HTML file; with its size, its quality over time and its cost.

    Opened as a file, the page searches its passages by words, without a network. Served by
    ``python -m <package>.retrieval.serve <file>`` it searches the index itself, by meaning too.

    .. code-block:: yaml

        type: components.SearchPageComponent
        attributes:
          key: search/handbook_page
          title: Handbook
          index: search/handbook
          output: data/pages/handbook.html
          owners: ["team:search"]
          group: search
    """

    key: Key
    title: Annotated[str, dg.Resolver.default(description="Title of the page.")]
    index: IndexKey
    output: Annotated[
        str,
        dg.Resolver.default(
            description="The file to write, from the project's root.",
            examples=["data/pages/handbook.html"],
            json_schema_extra={"pattern": r"^(?:[\w-][\w.-]*/)*[\w-][\w.-]*\.html$"},
        ),
    ]
    description: Annotated[str, dg.Resolver.default(description="What can be found; stands under the title.")] = ""
    evaluation: Annotated[
        str | None,
        dg.Resolver.default(
            description="Asset key of the evaluation whose figures are shown; it becomes upstream.",
            json_schema_extra={"pattern": r"^[\w-]+/[\w-]+$"},
        ),
    ] = None
    max_passages: Annotated[
        int,
        dg.Resolver.default(
            description="Passages that the file holds at most; a greater index needs the server for the rest.",
            json_schema_extra={"minimum": 1, "maximum": 50000},
        ),
    ] = 5000
    store: Store = field(default_factory=StoreSettings)
    depends_on: DependsOn = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One asset that writes the page."""
        root = Path(context.project_root)
        upstream = [self.index, *([self.evaluation] if self.evaluation else []), *self.depends_on]

        @dg.asset(
            key=dg.AssetKey.from_user_string(self.key),
            description=self.description or self.title,
            deps=[dg.AssetKey.from_user_string(name) for name in upstream],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"search", "html"},
        )
        def search_page(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            from .page_run import run_page

            return run_page(self, context, root)

        return dg.Definitions(assets=[search_page])
