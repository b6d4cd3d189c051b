"""Census syncs, which run."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import dagster as dg

from .attributes import MaxMinutes, PollSeconds, Secret
from .component import StockComponent, scaffolder
from .keys import Keys
from .running import Metadata, Unit
from .sample import write_rows_to_send
from .waiting import wait_for


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
          reads: {accounts_to_crm: [marts/accounts]}
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
    poll_seconds: PollSeconds = 10
    max_runtime_minutes: MaxMinutes = 120

    vendor: ClassVar[str] = "census"
    title: ClassVar[str] = "Census"

    @property
    def place(self) -> str:
        """The workspace."""
        return self.workspace

    def stock(self, secret: Keys) -> Any:
        """Dagster's Census component, with requests that are patient."""
        import dagster_census as library

        key = secret(self.api_key)
        census, names = secret.vendor(self.title), set(self.syncs or [])

        class Resource(library.CensusResource):
            def make_request(
                self, method: str, endpoint: str, data: str | None = None, page_number: int | None = None
            ) -> Any:
                params = {} if page_number is None else {"page": page_number}
                request = {"auth": ("bearer", self.api_key), "data": data, "params": params}
                return census.json(method, f"{self.api_base_url}/{endpoint}", **request)

        return library.CensusComponent(
            workspace=Resource(api_key=key),
            sync_selector=(lambda sync: sync.name in names) if names else None,
        )

    def unit(self, spec: dg.AssetSpec) -> str:
        """The sync."""
        return str(spec.metadata["dagster-census/sync_id"])

    def run_unit(self, unit: Unit, keys: Keys) -> list[Metadata]:
        """Run one sync to its end; the library alone takes a failed sync for a good one, and waits without end.

        Raises:
            Failure: Census refuses, fails, or takes too long.
        """
        census = self.stock(keys).workspace
        run = census.trigger_sync(int(unit.name))["data"]["sync_run_id"]
        done = wait_for(
            self,
            f"sync run {run}",
            lambda: census.get_sync_run(run)["data"],
            lambda now: now["status"] not in ("queued", "working"),
        )
        if done["status"] != "completed":
            reason = done.get("error_message") or "no reason given"
            said = f"sync run {run} ended at Census as {done['status']}: {reason}"
            raise dg.Failure(said, allow_retries=done["status"] != "cancelled")
        return [{f"census/{name}": done[name] for name in _COUNTS if isinstance(done.get(name), int)}]

    def run_sample(self, unit: Unit) -> list[Metadata]:
        """Write what the sync would send to a file."""
        [spec] = unit.chosen
        return [write_rows_to_send(self.project_root, spec, dep.asset_key, unit.log) for dep in spec.deps][:1] or [{}]


_COUNTS = ("records_processed", "records_updated", "records_failed", "records_invalid")
