"""The component that answers questions from an index, with citations."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import dagster as dg

from ..attributes import Description, Group, Owners, Tags
from ..base import StrictComponent
from ..llm.settings import ProviderSettings
from .answers_scaffolder import AnswersScaffolder
from .attributes import HITS, DependsOn, IndexKey, Key, Search, Store
from .search_settings import SearchSettings
from .stores.attributes import StoreSettings


@dg.scaffold_with(AnswersScaffolder)
@dataclass
class AnswersComponent(StrictComponent):
    """Answers to questions from an index, each sentence with the place it rests on; no answer where none is found.

    Without a language model an answer is made of the best sentences of the documents, and says so. With one, every
    quote is looked up in what the model was shown; sentences keep only citations that are really there.

    .. code-block:: yaml

        type: components.AnswersComponent
        attributes:
          key: search/handbook_answers
          description: Answers to what new colleagues ask.
          index: search/handbook
          questions: ["How do I add a document?", "How can a search be narrowed?"]
          output: data/answers/handbook.jsonl
          owners: ["team:search"]
          group: search
    """

    key: Key
    description: Description
    index: IndexKey
    output: Annotated[
        str,
        dg.Resolver.default(
            description="File of the answers, a JSON object a line, from the project's root.",
            examples=["data/answers/handbook.jsonl"],
            json_schema_extra={"pattern": r"^(?:[\w-][\w.-]*/)*[\w-][\w.-]*\.jsonl$"},
        ),
    ]
    questions: Annotated[list[str], dg.Resolver.default(description="The questions.")] = field(default_factory=list)
    questions_table: Annotated[
        str | None,
        dg.Resolver.default(
            description="Table of the warehouse with columns id and question, instead of questions; upstream.",
            examples=["staging/questions"],
            json_schema_extra={"pattern": r"^[A-Za-z0-9_]+/[A-Za-z0-9_]+$"},
        ),
    ] = None
    completion: Annotated[
        ProviderSettings | None,
        dg.Resolver.default(description="The language model that answers; without one, the best sentences are shown."),
    ] = None
    reranking: Annotated[
        ProviderSettings | None,
        dg.Resolver.default(description="A language model that puts what was found in order of use."),
    ] = None
    search: Search = field(default_factory=SearchSettings)
    hits: Annotated[
        int, dg.Resolver.default(description="Chunks that an answer may rest on.", json_schema_extra=HITS)
    ] = 6
    store: Store = field(default_factory=StoreSettings)
    depends_on: DependsOn = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError unless the questions come from one place."""
        if bool(self.questions) == bool(self.questions_table):
            raise ValueError(
                f"expected one of questions and questions_table, not {'both' if self.questions else 'neither'}"
            )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset of the answers, with a check for questions whose calls failed."""
        root = Path(context.project_root)
        key = dg.AssetKey.from_user_string(self.key)
        upstream = [self.index, *self.depends_on, *([self.questions_table] if self.questions_table else [])]

        @dg.asset(
            key=key,
            description=self.description,
            deps=[dg.AssetKey.from_user_string(name) for name in upstream],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"search", self.completion.provider if self.completion else "python"},
            check_specs=[
                dg.AssetCheckSpec("quotes_are_real", asset=key, description="Every quote stands in its document.")
            ],
            required_resource_keys={"warehouse"} if self.questions_table else set(),
        )
        def answers(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            from .answers_run import run_answers

            return run_answers(self, context, root)

        return dg.Definitions(assets=[answers])

    def asked(self, warehouse: Any) -> Iterator[tuple[str, str]]:
        """Id and text of each question."""
        if self.questions_table:
            engine = warehouse.engine
            relation = engine.qualify(*self.questions_table.split("/"))
            rows = warehouse.query(f"SELECT id, question FROM {relation} ORDER BY 1").rows  # noqa: S608 - quoted
            yield from ((str(identifier), str(question)) for identifier, question in rows if question)
        else:
            yield from ((str(number), text) for number, text in enumerate(self.questions, 1))

    def models(self, stack: ExitStack, context: dg.AssetExecutionContext, root: Path) -> list[Any]:
        """Calls to the model that answers and to the one that puts in order, open until the stack closes."""
        from .embedding import calls_for, model_in_force

        named = [model_in_force(model, root, context.log.warning) for model in (self.completion, self.reranking)]
        return [
            stack.enter_context(calls_for(provider, root, self.key, self.owners, context.run.run_id, context.log.info))
            if provider
            else None
            for provider in named
        ]
