"""Fivetran's connectors: a run of their tables runs the sync."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import dagster as dg

from ..base import StrictModel
from .attributes import Secret
from .component import scaffolder
from .keys import Keys
from .running import Metadata, Unit
from .synced import SyncedTablesComponent
from .waiting import wait_for


class FivetranCredentials(StrictModel):
    """Names of the secrets of a Fivetran API key."""

    api_key: Secret = "FIVETRAN_API_KEY"
    api_secret: Secret = "FIVETRAN_API_SECRET"  # noqa: S105 a name


@dg.scaffold_with(scaffolder(account_id="your_account", group="ingestion"))
@dataclass(kw_only=True)
class FivetranAccountComponent(SyncedTablesComponent):
    """Tables that Fivetran's connectors load; a run of them runs the connector's sync and waits for it.

    ``dg utils refresh-defs-state`` asks Fivetran for connectors and tables; loading asks nothing.

    .. code-block:: yaml

        type: components.FivetranAccountComponent
        attributes:
          account_id: acme
          connectors: [stripe]
          poll_seconds: 10
          max_runtime_minutes: 240
          owners: ["team:data"]
          group: ingestion
          tags: {domain: finance}
    """

    account_id: Annotated[
        str,
        dg.Resolver.default(
            description="The account, as Fivetran's settings show it.",
            examples=["acme"],
            json_schema_extra={"pattern": r"^[A-Za-z0-9_-]+$"},
        ),
    ]
    credentials: Annotated[FivetranCredentials, dg.Resolver.default(description="Secrets of the key, by name.")] = (
        field(default_factory=FivetranCredentials)
    )
    connectors: Annotated[
        list[str] | None,
        dg.Resolver.default(
            description="Names (destination schemas) of the connectors that become assets; all when left out.",
            examples=[["stripe"]],
        ),
    ] = None

    disable_schedule_on_trigger: Annotated[
        bool,
        dg.Resolver.default(description="Whether Fivetran stops its own schedule of a connector that Dagster runs."),
    ] = True

    vendor: ClassVar[str] = "fivetran"
    title: ClassVar[str] = "Fivetran"
    unit_key: ClassVar[str] = "dagster-fivetran/connector_id"

    @property
    def place(self) -> str:
        """The account."""
        return self.account_id

    def stock(self, secret: Keys) -> Any:
        """Dagster's Fivetran component, with requests that are patient and groups of every page."""
        import dagster_fivetran as library
        from dagster_fivetran.resources import FivetranClient

        key, password = secret(self.credentials.api_key), secret(self.credentials.api_secret)
        ours, fivetran, names = self, secret.vendor(self.title), set(self.connectors or [])

        class Client(FivetranClient):
            def _make_request(self, method: str, endpoint: str, data: Any = None, params: Any = None) -> Any:
                missing = (404,) if endpoint.endswith("/schemas") else ()  # a connector that has never been synced
                headers = {"Content-Type": "application/json;version=2"}
                request = {"headers": headers, "auth": self._auth, "data": data, "params": params}
                answer = fivetran.ask(method, f"{self.api_base_url}/{endpoint}", tolerated=missing, **request)
                fivetran.read(answer)
                return answer

            def _make_and_handle_request(self, *arguments: Any, **named: Any) -> Any:
                found = super()._make_and_handle_request(*arguments, **named)
                # The library looks for nextCursor, which Fivetran does not send, and would stop after one page.
                return {**found, "nextCursor": found.get("next_cursor")} if "items" in found else found

            def get_groups(self) -> dict[str, Any]:
                page = self._make_and_handle_request("GET", "groups")
                items = [*page["items"]]
                while cursor := page["nextCursor"]:
                    page = self._make_and_handle_request("GET", "groups", params={"cursor": cursor})
                    items += page["items"]
                return {"items": items}

        class Workspace(library.FivetranWorkspace):
            def get_client(self) -> FivetranClient:
                return Client(key, password, 0, 0.0, 1.0, ours.disable_schedule_on_trigger)

        return library.FivetranAccountComponent(
            workspace=Workspace(account_id=self.account_id, api_key=key, api_secret=password),
            connector_selector=(lambda connector: connector.name in names) if names else None,
        )

    def run_unit(self, unit: Unit, keys: Keys) -> list[Metadata]:
        """Sync a connector, and hold what it loads against what the project knows.

        Raises:
            Failure: the sync fails, is paused there, or takes too long; a table is not synced any more.
        """
        from dagster_fivetran.translator import FivetranConnector, FivetranSchemaConfig

        client = self.stock(keys).workspace.get_client()

        def connector() -> FivetranConnector:
            return FivetranConnector.from_connector_details(client.get_connector_details(unit.name))

        before = connector()
        if before.paused:
            raise dg.Failure(f"connector {before.name} is paused at Fivetran; nothing was synced", allow_retries=False)
        client.start_sync(unit.name)
        done = wait_for(
            self,
            f"the sync of {before.name}",
            connector,
            lambda now: now.last_sync_completed_at > before.last_sync_completed_at,
        )
        if not done.is_last_sync_successful:
            raise dg.Failure(
                f"the sync of {done.name} failed at Fivetran ({done.update_state or 'no reason'}): {done.url}"
            )
        config = FivetranSchemaConfig.from_schema_config_details(client.get_schema_config_for_connector(unit.name))
        tables = [
            (schema.name_in_destination, table.name_in_destination)
            for schema in config.schemas.values()
            for table in schema.tables.values()
            if schema.enabled and table.enabled
        ]
        self.compare(tables, unit)
        said = {
            "fivetran/connector": dg.MetadataValue.url(done.url),
            "fivetran/synced_at": dg.MetadataValue.timestamp(done.last_sync_completed_at),
        }
        return [said for _ in unit.chosen]
