"""The component that judges an index by a gold set, and stops what comes after it where it got worse."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import dagster as dg

from ..attributes import Description, Group, Owners, Tags
from ..base import StrictComponent, StrictModel
from ..llm.settings import ProviderSettings
from .attributes import HITS, DependsOn, IndexKey, Key, Search, Store
from .evaluation_scaffolder import RetrievalEvaluationScaffolder
from .search_settings import SearchSettings
from .stores.attributes import StoreSettings


class Demand(StrictModel):
    """What a figure must reach."""

    figure: Annotated[
        Literal["recall", "mrr", "ndcg", "quotes_real", "sentences_supported", "answered_right"],
        dg.Resolver.default(description="Which figure; recall is at k, ndcg at 10."),
    ]
    minimum: Annotated[
        float,
        dg.Resolver.default(description="Least value.", json_schema_extra={"minimum": 0, "maximum": 1}),
    ] = 0.0
    max_drop: Annotated[
        float,
        dg.Resolver.default(
            description="How far it may be below the figure that was accepted last.",
            json_schema_extra={"minimum": 0, "maximum": 1},
        ),
    ] = 0.02


@dg.scaffold_with(RetrievalEvaluationScaffolder)
@dataclass
class RetrievalEvaluationComponent(StrictComponent):
    """A gate: an index against a gold set; what depends on it runs only while the figures hold.

    Each demand is a blocking asset check: a figure below its minimum, or too far below the one accepted last, keeps
    everything downstream from running. A search by BM25 over the same chunks is measured beside.

    .. code-block:: yaml

        type: components.RetrievalEvaluationComponent
        attributes:
          key: search/handbook_quality
          description: Whether the index finds what people ask for.
          index: search/handbook
          gold_set: gold.yaml
          demands:
            - figure: recall
              minimum: 0.7
              max_drop: 0.02
          owners: ["team:search"]
          group: search
    """

    key: Key
    description: Description
    index: IndexKey
    gold_set: Annotated[
        str,
        dg.Resolver.default(
            description="YAML file beside this one: questions, each with the documents that answer it.",
            examples=["gold.yaml"],
            json_schema_extra={"pattern": r"\.ya?ml$"},
        ),
    ]
    demands: Annotated[list[Demand], dg.Resolver.default(description="What the figures must reach.")] = field(
        default_factory=lambda: [Demand(figure="recall")]
    )
    k: Annotated[
        int, dg.Resolver.default(description="First chunks among which recall looks.", json_schema_extra=HITS)
    ] = 5
    completion: Annotated[
        ProviderSettings | None,
        dg.Resolver.default(description="The language model whose answers are judged; without one, best sentences."),
    ] = None
    search: Search = field(default_factory=SearchSettings)
    store: Store = field(default_factory=StoreSettings)
    depends_on: DependsOn = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError where a figure is demanded twice."""
        names = [demand.figure for demand in self.demands]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"demands: figure {', '.join(map(repr, twice))} is there more than once")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset of the figures, with a blocking check for each demand."""
        root = Path(context.project_root)
        folder = context.path if context.path.is_dir() else context.path.parent
        key = dg.AssetKey.from_user_string(self.key)

        @dg.asset(
            key=key,
            description=self.description,
            deps=[dg.AssetKey.from_user_string(name) for name in [self.index, *self.depends_on]],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"search", "quality"},
            check_specs=[
                dg.AssetCheckSpec(
                    demand.figure,
                    asset=key,
                    blocking=True,
                    description=f"At least {demand.minimum:g}, at most {demand.max_drop:g} below what was accepted.",
                )
                for demand in self.demands
            ],
        )
        def retrieval_evaluation(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            from .evaluation_run import run_evaluation

            return run_evaluation(self, context, root, folder / self.gold_set)

        return dg.Definitions(assets=[retrieval_evaluation])
