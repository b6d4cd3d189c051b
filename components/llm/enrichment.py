"""The component that adds typed columns to the rows of a table, as a model answers them."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import dagster as dg

from ..attributes import Description, Group, Owners, Tags
from ..base import StrictComponent
from ..governance.policy import policy_for
from ..ml.data import DataSource, Place, place_of
from ..warehouse.engines.base import WarehouseError
from ..warehouse.kind import engine_kind
from ..warehouse.sql_table import KEY_PATTERN
from .calls import ModelCalls
from .enrichment_batch import BatchParts
from .enrichment_example import TableEnrichmentScaffolder
from .enrichment_rows import Asked
from .enrichment_run import EnrichmentRun, RowError
from .enrichment_store import ANSWER, HASH, REASON, Store
from .errors import ModelCallError
from .output import OutputColumn, answer_schema
from .prompt_registry import PromptRegistryComponent, prompt_key
from .prompts import NAME_PATTERN, Prompt, find_prompt
from .settings import ProviderSettings, local_rules
from .stand_in import in_force

REJECTED_CHECK = "rejected_rows"
_ADDED = ("enriched_by", "prompt_version", HASH)
_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"


@dg.scaffold_with(TableEnrichmentScaffolder)
@dataclass
class TableEnrichmentComponent(StrictComponent):
    """A table with columns that a language model fills, to a typed schema.

    Each row is asked once: only new and changed ones cost anything. An answer that does not fit the schema is asked for
    once more; a row that still has none goes to the table ``<table>_rejected`` with the reason, and a check counts
    them. The default provider is rules on this machine, which are no language model.

    .. code-block:: yaml

        type: components.TableEnrichmentComponent
        attributes:
          key: enriched/support_tickets
          description: Support tickets with what they are about.
          data:
            path: tickets.csv
          id_column: ticket_id
          columns: [subject, body]
          prompt: support_tickets
          output:
            sentiment:
              type: string
              enum: [positive, neutral, negative]
            urgency:
              type: integer
              minimum: 1
              maximum: 5
          provider:
            provider: local
            name: rules
          max_rejected: 0.05
          owners: [team:support]
          group: enriched
          tags:
            domain: support
    """

    key: Annotated[
        str,
        dg.Resolver.default(
            description="Asset key: schema/table.",
            examples=["enriched/support_tickets"],
            json_schema_extra={"pattern": KEY_PATTERN},
        ),
    ]
    description: Description
    data: Annotated[DataSource, dg.Resolver.default(description="Rows to enrich.")]
    id_column: Annotated[
        str,
        dg.Resolver.default(
            description="Column that tells rows apart.",
            examples=["ticket_id"],
            json_schema_extra={"pattern": _NAME},
        ),
    ]
    columns: Annotated[
        list[str],
        dg.Resolver.default(
            description="Columns that the model sees; no other leaves the warehouse.",
            examples=[["subject", "body"]],
            json_schema_extra={"minItems": 1},
        ),
    ]
    prompt: Annotated[
        str,
        dg.Resolver.default(
            description="Name of a file in prompts/, beside this one or in the project's root, without .md.",
            examples=["support_tickets"],
            json_schema_extra={"pattern": NAME_PATTERN},
        ),
    ]
    output: Annotated[
        dict[str, OutputColumn], dg.Resolver.default(description="Columns that the model fills, by name.")
    ]
    keep: Annotated[list[str], dg.Resolver.default(description="Columns of the source that the table keeps too.")] = (
        field(default_factory=list)
    )
    provider: Annotated[
        ProviderSettings,
        dg.Resolver.default(description="The model, and the limits of its account."),
    ] = field(default_factory=local_rules)
    max_output_tokens: Annotated[
        int,
        dg.Resolver.default(
            description="Most tokens of an answer, where the prompt does not say.",
            json_schema_extra={"exclusiveMinimum": 0},
        ),
    ] = 500
    max_rejected: Annotated[
        float,
        dg.Resolver.default(
            description="Share of rows that may be set aside before the check fails.",
            json_schema_extra={"minimum": 0, "maximum": 1},
        ),
    ] = 0.05
    batch: Annotated[
        bool,
        dg.Resolver.default(
            description="Ask by the batch API of OpenAI or Anthropic: half the price, an answer within a day. A second "
            "asset hands the rows in, and a sensor starts this one when the answers are there."
        ),
    ] = False
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError where columns would clash, or the provider has no batches."""
        if not self.output:
            raise ValueError("output: is empty; expected at least one column for the model to fill")
        taken = [self.id_column, *self.keep, *_ADDED]
        if clash := [name for name in self.output if name in taken]:
            raise ValueError(f"output: {', '.join(clash)} is a column that the table has already")
        if self.batch and self.provider.provider not in ("openai", "anthropic"):
            raise ValueError(f"batch: {self.provider.provider} has no batches; expected provider openai or anthropic")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset and its check; with batch also the asset that hands in, and the sensor."""
        place = place_of(context)
        prompt = find_prompt(self.prompt, place.folder, place.project_root)
        asset_key = dg.AssetKey.from_user_string(self.key)
        batch = BatchParts(self, place, prompt) if self.batch else None
        shared: dict[str, Any] = {
            "owners": self.owners,
            "group_name": self.group,
            "tags": self.tags,
            "required_resource_keys": {"warehouse"} | self.data.resources,
        }

        @dg.asset(
            key=asset_key,
            description=self.description,
            deps=[*self.data.upstream, *self._prompt_assets(context), *([batch.key] if batch else [])],
            kinds={"table", self.provider.provider} | engine_kind(context),
            metadata={"dagster/table_name": self.key.replace("/", ".")},
            code_version=prompt.version,
            check_specs=[
                dg.AssetCheckSpec(
                    REJECTED_CHECK,
                    asset=asset_key,
                    description=f"At most {self.max_rejected:.0%} of the rows are set aside.",
                )
            ],
            **shared,
        )
        def table_enrichment(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return self.guarded(lambda: self._enrich(context, place, prompt, batch))

        extra = batch.definitions(shared) if batch else dg.Definitions()
        return dg.Definitions.merge(dg.Definitions(assets=[table_enrichment]), extra)

    def guarded(self, work: Any) -> dg.MaterializeResult:
        """Do the work of a step; errors become failures that name the asset."""
        try:
            result: dg.MaterializeResult = work()
            return result
        except ModelCallError as error:
            raise error.as_failure(self.key) from None
        except RowError as error:
            raise dg.Failure(description=f"{self.key}: {error}", allow_retries=False) from None
        except WarehouseError as error:
            raise dg.Failure(description=f"{self.key}: {error}") from None

    def run_of(self, context: dg.AssetExecutionContext, place: Place, prompt: Prompt) -> EnrichmentRun:
        """What a run works with; raises dg.Failure where the source lacks a column."""
        rows = self.data.opened(context, place)
        present = [column.name for column in rows.columns()]
        wanted = [self.id_column, *self.columns, *self.keep]
        if missing := [name for name in dict.fromkeys(wanted) if name not in present]:
            raise RowError(f"{rows.origin} has no column {', '.join(missing)}; it has: {', '.join(present) or 'none'}")
        schema, table = self.key.split("/")
        added: dict[str, Any] = dict.fromkeys(_ADDED)
        types = {name: column.arrow for name, column in self.output.items()}
        good = {self.id_column: None, **dict.fromkeys(self.keep), **types, **added}
        bad = {self.id_column: None, REASON: None, ANSWER: None, **added}
        store = Store(context.resources.warehouse.engine, schema, table, self.id_column, good, bad)
        asked = Asked(prompt, answer_schema(self.output), self._model_title, self.max_output_tokens)
        return EnrichmentRun(rows, store, asked, self.columns, self.keep, self.output, context.log.info)

    def calls(self, context: dg.AssetExecutionContext, place: Place) -> ModelCalls:
        """The model, for one run."""
        policy = policy_for(place.project_root)
        owner = next((owner for owner in self.owners if owner in policy.budgets), (self.owners or ["nobody"])[0])
        return ModelCalls(
            self.provider,
            project_root=place.project_root,
            policy=policy,
            asset=self.key,
            owner=owner,
            run_id=context.run.run_id,
            log=context.log.info,
        )

    @property
    def _model_title(self) -> str:
        return "rules (no language model)" if self.provider.provider == "local" else self.provider.title

    def _enrich(
        self, context: dg.AssetExecutionContext, place: Place, prompt: Prompt, batch: BatchParts | None
    ) -> dg.MaterializeResult:
        provider = in_force(self.provider, local_rules(), policy_for(place.project_root), context.log.warning)
        if provider is not self.provider:
            made = replace(self, provider=provider, batch=False)._enrich(context, place, prompt, None)
            metadata = {**(made.metadata or {}), "sample": True}
            return dg.MaterializeResult(metadata=metadata, check_results=made.check_results)
        if self.provider.provider == "local":
            context.log.warning(f"{self.key}: answered by rules on this machine, which are no language model")
        run = self.run_of(context, place, prompt)
        with self.calls(context, place) as calls:
            if batch:
                batch.collect(calls)
            failed = run.work(calls, only_answered=batch is not None)
            if failed:
                raise failed.as_failure(self.key, calls.metadata())
            return self._result(run, calls, prompt)

    def _result(self, run: EnrichmentRun, calls: ModelCalls, prompt: Prompt) -> dg.MaterializeResult:
        good, bad = run.store.counts()
        share = bad / (good + bad) if good + bad else 0.0
        columns = [dg.TableColumn(name, description=column.description) for name, column in self.output.items()]
        check = dg.AssetCheckResult(
            asset_key=dg.AssetKey.from_user_string(self.key),
            check_name=REJECTED_CHECK,
            passed=share <= self.max_rejected,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{bad:,} of {good + bad:,} rows are set aside in {run.store.rejected}",
            metadata={"rejected": bad, "share": round(share, 4), "reasons_of_this_run": dict(run.reasons)},
        )
        metadata: dict[str, Any] = {
            "dagster/row_count": good,
            "dagster/column_schema": dg.TableSchema(columns),
            "rejected": bad,
            "unchanged": run.unchanged,
            "pending": run.pending,
            "prompt": prompt.name,
            "prompt_version": prompt.version,
            "enriched_by": self._model_title,
            "is_language_model": self.provider.provider != "local",
        }
        return dg.MaterializeResult(metadata=metadata | calls.metadata(), check_results=[check])

    def _prompt_assets(self, context: dg.ComponentLoadContext) -> list[dg.AssetKey]:
        """The asset of the prompt, where a registry shows it."""
        has_registry = bool(context.component_tree.get_all_components(of_type=PromptRegistryComponent))
        return [prompt_key(self.prompt)] if has_registry else []
