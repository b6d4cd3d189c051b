"""Census syncs, which run."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import dagster as dg

from .component import Secret, StockComponent, scaffolder


@dg.scaffold_with(scaffolder(workspace="main", api_key="CENSUS_API_KEY", group="activation"))
@dataclass(kw_only=True)
class CensusComponent(StockComponent):
    """Syncs of a Census workspace; a run of the asset runs the sync and waits for it.

    ``dg utils refresh-defs-state`` asks Census for the syncs; loading asks nothing.

    .. code-block:: yaml

        type: components.CensusComponent
        attributes:
          workspace: sales
          api_key: CENSUS_API_KEY
          syncs: [Accounts to CRM]
          poll_seconds: 5
          max_runtime_minutes: 60
          owners: ["team:activation"]
          group: activation
          tags: {domain: sales}
    """

    workspace: Annotated[
        str,
        dg.Resolver.default(
            description="Your name for the workspace that the key opens.",
            examples=["sales"],
            json_schema_extra={"pattern": r"^[A-Za-z0-9_-]+$"},
        ),
    ]
    api_key: Secret = "CENSUS_API_KEY"
    syncs: Annotated[
        list[str] | None,
        dg.Resolver.default(
            description="Names of the syncs that become assets; all when left out.", examples=[["Accounts to CRM"]]
        ),
    ] = None
    poll_seconds: Annotated[
        float,
        dg.Resolver.default(
            description="Seconds between two questions whether a sync is done.",
            json_schema_extra={"exclusiveMinimum": 0},
        ),
    ] = 10
    max_runtime_minutes: Annotated[
        float,
        dg.Resolver.default(
            description="Minutes after which the run stops waiting and fails.",
            json_schema_extra={"exclusiveMinimum": 0},
        ),
    ] = 120

    vendor: ClassVar[str] = "census"

    @property
    def place(self) -> str:
        """The workspace."""
        return self.workspace

    def stock(self, secret: Callable[[str], str]) -> Any:
        """Dagster's Census component."""
        import dagster_census as library

        names = set(self.syncs or [])
        return library.CensusComponent(
            workspace=library.CensusResource(api_key=secret(self.api_key)),
            sync_selector=(lambda sync: sync.name in names) if names else None,
        )

    def standardised(self, found: dg.Definitions) -> dg.Definitions:
        """The syncs as assets that run under their standard keys."""
        specs = [spec for asset in found.assets or [] if isinstance(asset, dg.AssetsDefinition) for spec in asset.specs]
        return dg.Definitions(assets=[self._asset(spec) for spec in self.standard_specs(specs)])

    def _asset(self, spec: dg.AssetSpec) -> dg.AssetsDefinition:
        @dg.multi_asset(name="__".join(spec.key.path), specs=[spec])
        def sync(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
            yield self._run(spec)

        return sync

    def _run(self, spec: dg.AssetSpec) -> dg.MaterializeResult[Any]:
        """Run one sync to its end; the library alone takes a failed sync for a good one, and waits without end.

        Raises:
            SecretError: the key is missing.
            Failure: Census refuses, fails, or takes too long.
        """
        census = self.stock(self.secret).workspace
        run = census.trigger_sync(spec.metadata["dagster-census/sync_id"])["data"]["sync_run_id"]
        end = time.monotonic() + self.max_runtime_minutes * 60
        while (done := census.get_sync_run(run)["data"])["status"] in ("queued", "working"):
            if time.monotonic() > end:
                message = f"sync run {run} took longer than max_runtime_minutes ({self.max_runtime_minutes:g})"
                raise dg.Failure(f"{message}; it goes on at Census", allow_retries=False)
            time.sleep(self.poll_seconds)
        if done["status"] != "completed":
            raise dg.Failure(
                f"sync run {run} ended as {done['status']}: {done.get('error_message') or 'no reason given'}"
            )
        counts = {name: done[name] for name in _COUNTS if isinstance(done.get(name), int)}
        return dg.MaterializeResult(asset_key=spec.key, metadata={f"census/{name}": n for name, n in counts.items()})


_COUNTS = ("records_processed", "records_updated", "records_failed", "records_invalid")
