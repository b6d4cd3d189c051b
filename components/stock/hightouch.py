"""A Hightouch sync, which runs."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import dagster as dg

from ..attributes import AssetKeyText, Description
from .attributes import MaxMinutes, PollSeconds, Secret
from .component import scaffolder
from .keys import Keys
from .running import Metadata, RunsAtVendor, Unit
from .sample import write_rows_to_send
from .waiting import wait_for


@dg.scaffold_with(
    scaffolder(
        sync_id="12345",
        name="customers_to_crm",
        source="marts/customers",
        description="Customers, as the CRM has them.",
        group="activation",
    )
)
@dataclass(kw_only=True)
class HightouchSyncComponent(RunsAtVendor):
    """A sync of Hightouch; a run of the asset runs the sync and waits for it.

    .. code-block:: yaml

        type: components.HightouchSyncComponent
        attributes:
          sync_id: "12345"
          name: customers_to_crm
          source: marts/customers
          description: Customers, as the sales team's CRM has them.
          fail_on_warning: true
          max_runtime_minutes: 60
          owners: ["team:activation"]
          group: activation
          tags: {domain: sales}
    """

    sync_id: Annotated[
        str,
        dg.Resolver.default(
            description="The sync, as its address in Hightouch shows it.",
            examples=["12345"],
            json_schema_extra={"pattern": r"^[0-9]+$"},
        ),
    ]
    name: Annotated[
        str,
        dg.Resolver.default(
            description="Second part of the asset key, hightouch/name.",
            json_schema_extra={"pattern": r"^[A-Za-z0-9_]+$"},
        ),
    ]
    source: AssetKeyText
    description: Description
    api_key: Secret = "HIGHTOUCH_API_KEY"
    fail_on_warning: Annotated[
        bool, dg.Resolver.default(description="Whether rows that the destination refused fail the run.")
    ] = False
    sample: Annotated[
        bool,
        dg.Resolver.default(
            description="Whether a run without the key, in target local, writes what would be sent to data/activation."
        ),
    ] = False  # type: ignore[assignment]  # this sample needs no folder
    poll_seconds: PollSeconds = 3
    max_runtime_minutes: MaxMinutes = 120

    vendor: ClassVar[str] = "hightouch"
    title: ClassVar[str] = "Hightouch"
    keeps_state: ClassVar[bool] = False

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The sync as an asset."""
        self.on_sample = bool(self.sample)  # type: ignore[misc]  # the class only holds the default
        spec = dg.AssetSpec(
            key=[self.vendor, self.name],
            deps=[dg.AssetKey.from_user_string(self.source)],
            description=self.description,
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={self.vendor},
            metadata={"hightouch/sync_id": self.sync_id, "destination": self.vendor},
        )
        return dg.Definitions(assets=self.runnable([spec]))

    def unit(self, spec: dg.AssetSpec) -> str:
        """The sync."""
        return self.sync_id

    def stock(self, secret: Keys) -> Any:
        """Dagster's Hightouch client, with requests that are patient."""
        from dagster_hightouch.resources import HightouchResource

        key = secret(self.api_key)
        hightouch = secret.vendor(self.title)

        class Client(HightouchResource):
            def make_request(self, method: str, endpoint: str, params: dict[str, Any] | None = None) -> Any:
                headers = {"Authorization": f"Bearer {key}"}
                found = hightouch.json(method, f"{self.api_base_url}{endpoint}", headers=headers, params=params)
                return found.get("data", found) if isinstance(found, dict) else found

        return Client(api_key=key)

    def run_unit(self, unit: Unit, keys: Keys) -> list[Metadata]:
        """Run the sync to its end.

        Raises:
            Failure: it fails, is cancelled or takes too long; or rows were refused and ``fail_on_warning`` is set.
        """
        client = self.stock(keys)
        run = client.start_sync(self.sync_id)
        done = wait_for(
            self,
            f"run {run} of sync {self.sync_id}",
            lambda: client.get_sync_run_details(self.sync_id, run)[0],
            lambda now: now["status"] in ("cancelled", "failed", "success", "warning", "interrupted"),
        )
        refused = sum((done.get("failedRows") or {}).values())
        if done["status"] == "warning" and not self.fail_on_warning:
            unit.log.warning(f"run {run} of sync {self.sync_id}: {refused} rows were refused")
        elif done["status"] != "success":
            said = f"run {run} of sync {self.sync_id} ended at Hightouch as {done['status']}, {refused} rows refused: "
            raise dg.Failure(
                said + str(done.get("error") or "no reason given"), allow_retries=done["status"] == "failed"
            )
        sent = {f"hightouch/{kind}": sum((done.get(kind) or {}).values()) for kind in ("successfulRows", "failedRows")}
        return [{**sent, "hightouch/run": run, "hightouch/query_size": done.get("querySize") or 0}]

    def run_sample(self, unit: Unit) -> list[Metadata]:
        """Write what the sync would send to a file."""
        source = dg.AssetKey.from_user_string(self.source)
        return [write_rows_to_send(self.project_root, unit.chosen[0], source, unit.log)]
