"""Airbyte's connections: a run of their tables runs the sync."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import dagster as dg

from ..base import StrictModel
from .attributes import Secret, Url
from .component import scaffolder
from .keys import Keys
from .running import Metadata, Unit
from .synced import SyncedTablesComponent
from .waiting import wait_for

_RUNNING = ("running", "pending", "incomplete")


class AirbyteCredentials(StrictModel):
    """Names of the secrets of an Airbyte application."""

    client_id: Secret = "AIRBYTE_CLIENT_ID"
    client_secret: Secret = "AIRBYTE_CLIENT_SECRET"  # noqa: S105 a name


@dg.scaffold_with(scaffolder(workspace_id="00000000-0000-0000-0000-000000000000", group="ingestion"))
@dataclass(kw_only=True)
class AirbyteWorkspaceComponent(SyncedTablesComponent):
    """Tables that Airbyte's connections load; a run of them runs the connection's sync and waits for it.

    ``dg utils refresh-defs-state`` asks Airbyte for connections and streams; loading asks nothing. Airbyte Cloud needs
    no ``server``, your own Airbyte does.

    .. code-block:: yaml

        type: components.AirbyteWorkspaceComponent
        attributes:
          workspace_id: 0b1c2d3e-4f56-7890-abcd-ef0123456789
          server: https://airbyte.example.com
          connections: [HubSpot to warehouse]
          poll_seconds: 10
          max_runtime_minutes: 240
          owners: ["team:data"]
          group: ingestion
          tags: {domain: sales}
    """

    workspace_id: Annotated[
        str,
        dg.Resolver.default(
            description="The workspace, as its address in Airbyte shows it.",
            json_schema_extra={"pattern": r"^[A-Za-z0-9-]+$"},
        ),
    ]
    server: Annotated[
        Url | None, dg.Resolver.default(description="Address of your own Airbyte; Airbyte Cloud when left out.")
    ] = None
    credentials: Annotated[
        AirbyteCredentials, dg.Resolver.default(description="Secrets of the application, by name.")
    ] = field(default_factory=AirbyteCredentials)
    connections: Annotated[
        list[str] | None,
        dg.Resolver.default(
            description="Names of the connections that become assets; all when left out.",
            examples=[["HubSpot to warehouse"]],
        ),
    ] = None

    vendor: ClassVar[str] = "airbyte"
    title: ClassVar[str] = "Airbyte"
    unit_key: ClassVar[str] = "dagster-airbyte/connection_id"

    @property
    def place(self) -> str:
        """The workspace."""
        return self.workspace_id

    def stock(self, secret: Keys) -> Any:
        """Dagster's Airbyte component, with requests that are patient and keys that name the schema."""
        import dagster_airbyte as library
        from dagster_airbyte.resources import AirbyteClient

        login = {
            "client_id": secret(self.credentials.client_id),
            "client_secret": secret(self.credentials.client_secret),
        }
        airbyte, names = secret.vendor(self.title), set(self.connections or [])

        class Client(AirbyteClient):
            def _single_request(
                self,
                method: str,
                url: str,
                data: Any = None,
                params: Any = None,
                include_additional_request_headers: bool = True,
            ) -> Any:
                headers = {"accept": "application/json"}
                headers |= self.all_additional_request_headers if include_additional_request_headers else {}
                return airbyte.json(method, url, json=data, params=params, headers=headers)

        class Workspace(library.AirbyteWorkspace if self.server else library.AirbyteCloudWorkspace):  # type: ignore[misc]
            def get_client(self) -> AirbyteClient:
                made = super().get_client()
                return Client(**{name: getattr(made, name) for name in type(made).model_fields})

        class WithSchema(library.AirbyteWorkspaceComponent):
            def get_asset_spec(self, props: Any) -> dg.AssetSpec:
                key = [props.schema, props.table_name] if props.schema else [props.table_name]
                return super().get_asset_spec(props).replace_attributes(key=key)

        server = (self.server or "").rstrip("/")
        own = {"rest_api_base_url": f"{server}/api/public/v1", "configuration_api_base_url": f"{server}/api/v1"}
        return WithSchema(
            workspace=Workspace(workspace_id=self.workspace_id, **login, **(own if server else {})),
            connection_selector=(lambda connection: connection.name in names) if names else None,
        )

    def run_unit(self, unit: Unit, keys: Keys) -> list[Metadata]:
        """Sync a connection, and hold what it loads against what the project knows.

        Raises:
            Failure: the sync fails, is cancelled there, takes too long and is cancelled, or another one is running; a
                table is not synced any more.
        """
        from dagster_airbyte.translator import AirbyteConnection, AirbyteJob

        client = self.stock(keys).workspace.get_client()
        connection = AirbyteConnection.from_connection_details(client.get_connection_details(unit.name))
        if busy := [job.id for job in client.get_jobs_for_connection(unit.name) if job.status in _RUNNING]:
            raise dg.Failure(f"job {busy[0]} of {connection.name} is already running at Airbyte; try again after it")
        job = AirbyteJob.from_job_details(client.start_sync_job(unit.name))
        done = wait_for(
            self,
            f"job {job.id} of {connection.name}",
            lambda: AirbyteJob.from_job_details(client.get_job_details(job.id)),
            lambda now: now.status not in _RUNNING,
            cancel=lambda: client.cancel_job(job.id),
        )
        if done.status != "succeeded":
            again = done.status != "cancelled"
            raise dg.Failure(
                f"job {job.id} of {connection.name} ended at Airbyte as {done.status}", allow_retries=again
            )
        prefix = connection.stream_prefix or ""
        schema = unit.every[0].key.path[0]
        self.compare(
            [(schema, f"{prefix}{name}") for name, stream in connection.streams.items() if stream.selected], unit
        )
        said = {"airbyte/job": done.id, "airbyte/rows": done.rows_synced or 0, "airbyte/bytes": done.bytes_synced or 0}
        return [said for _ in unit.chosen]
