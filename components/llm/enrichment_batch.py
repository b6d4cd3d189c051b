"""The parts of an enrichment by batch: the asset that hands rows in, and the sensor that waits for the answers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from ..governance.policy import policy_for
from ..ml.data import Place
from .batches import Batches
from .calls import ModelCalls
from .enrichment_store import Change
from .errors import ModelCallError
from .prompts import Prompt

if TYPE_CHECKING:
    from .enrichment import TableEnrichmentComponent

POLL_SECONDS = 60


@dataclass
class BatchParts:
    """What batches add to an enrichment.

    Args:
        component: The enrichment.
        place: Where its YAML is.
        prompt: Its instructions.
    """

    component: "TableEnrichmentComponent"
    place: Place
    prompt: Prompt

    @property
    def key(self) -> dg.AssetKey:
        """The asset that hands rows in."""
        return dg.AssetKey.from_user_string(f"{self.component.key}_batch")

    def definitions(self, shared: dict[str, Any]) -> dg.Definitions:
        """The asset and the sensor."""
        component = self.component

        @dg.asset(
            key=self.key,
            description=f"New and changed rows for {component.key}, handed in to {component.provider.title} as a "
            "batch; the answers come within a day.",
            deps=component.data.upstream,
            kinds={component.provider.provider, "batch"},
            code_version=self.prompt.version,
            **shared,
        )
        def enrichment_batch(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return component.guarded(lambda: self._hand_in(context))

        @dg.sensor(
            name=f"{component.key.replace('/', '_')}_batch",
            target=[dg.AssetKey.from_user_string(component.key)],
            minimum_interval_seconds=POLL_SECONDS,
            description=f"Starts {component.key} when a batch of it has ended.",
        )
        def batch_ended(context: dg.SensorEvaluationContext) -> Any:
            return self._look(context)

        return dg.Definitions(assets=[enrichment_batch], sensors=[batch_ended])

    def collect(self, calls: ModelCalls) -> None:
        """Put the answers of batches that have ended into the ledger."""
        Batches(calls, self.component.key).collect()

    def _hand_in(self, context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        run = self.component.run_of(context, self.place, self.prompt)
        with self.component.calls(context, self.place) as calls:
            batches = Batches(calls, self.component.key)
            count = batches.hand_in(run.requests(Change()))
            waiting = [batch.batch_id or "" for batch in batches.open()]
            metadata: dict[str, Any] = {"handed_in": count, "unchanged": run.unchanged, "open_batches": waiting}
            return dg.MaterializeResult(metadata=metadata | calls.metadata())

    def _look(self, context: dg.SensorEvaluationContext) -> Any:
        """Start the table where a batch has ended; a provider that does not answer is asked again later."""
        component = self.component
        calls = ModelCalls(
            component.provider,
            project_root=self.place.project_root,
            policy=policy_for(self.place.project_root),
            asset=component.key,
            owner="",
            run_id="",
            log=context.log.info,
        )
        try:
            with calls:
                batches = Batches(calls, component.key)
                ended = batches.ended()
                waiting = len(batches.open()) - len(ended)
        except ModelCallError as error:
            return dg.SkipReason(str(error))
        if not ended:
            return dg.SkipReason(f"{waiting} batches of {component.key} are under way")
        return dg.RunRequest(run_key=ended[0].marker, asset_selection=[dg.AssetKey.from_user_string(component.key)])
