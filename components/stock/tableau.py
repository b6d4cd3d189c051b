"""Tableau's sheets, dashboards and data sources."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import dagster as dg

from ..base import StrictModel
from .asking import patient
from .attributes import MaxMinutes, PollSeconds, Secret
from .component import StockComponent, scaffolder
from .keys import Keys
from .running import Metadata, Unit
from .waiting import wait_for

_DATASOURCE, _WORKBOOK = "datasource", "workbook"
_RUNNING = -1  # Tableau's finish code while a job goes on
_OUTCOMES = {0: "", 1: "failed", 2: "was cancelled"}
_HOST = r"^[A-Za-z0-9][A-Za-z0-9.-]*$"


class TableauCredentials(StrictModel):
    """Names of the secrets of a connected app."""

    client_id: Secret = "TABLEAU_CLIENT_ID"
    secret_id: Secret = "TABLEAU_SECRET_ID"  # noqa: S105 a name
    secret_value: Secret = "TABLEAU_SECRET_VALUE"  # noqa: S105 a name


@dg.scaffold_with(scaffolder(site="your-site", username="dagster@example.com", pod="10ax", group="tableau"))
@dataclass(kw_only=True)
class TableauComponent(StockComponent):
    """Sheets, dashboards and data sources of a Tableau site, with the tables that they read.

    ``dg utils refresh-defs-state`` asks Tableau for them; loading asks nothing. Tableau Cloud has a ``pod``, a server
    of your own a ``server``.

    .. code-block:: yaml

        type: components.TableauComponent
        attributes:
          site: acme
          username: dagster@example.com
          pod: 10ax
          projects: [Sales]
          owners: ["team:bi"]
          group: tableau
          tags: {domain: sales}
    """

    site: Annotated[
        str, dg.Resolver.default(description="Name of the site.", json_schema_extra={"pattern": r"^[A-Za-z0-9_-]+$"})
    ]
    username: Annotated[str, dg.Resolver.default(description="User in whose name the site is read.")]
    pod: Annotated[
        str | None,
        dg.Resolver.default(
            description="Pod of Tableau Cloud.", examples=["10ax"], json_schema_extra={"pattern": _HOST}
        ),
    ] = None
    server: Annotated[
        str | None,
        dg.Resolver.default(
            description="Host name of your own Tableau Server; instead of pod.",
            examples=["tableau.example.com"],
            json_schema_extra={"pattern": _HOST},
        ),
    ] = None
    credentials: Annotated[
        TableauCredentials, dg.Resolver.default(description="Secrets of the connected app, by name.")
    ] = field(default_factory=TableauCredentials)
    projects: Annotated[
        list[str] | None,
        dg.Resolver.default(
            description="Names of projects whose workbooks are read; all when left out.", examples=[["Sales"]]
        ),
    ] = None

    enable_published_datasource_refresh: Annotated[
        bool | list[str],
        dg.Resolver.default(
            description="Whether a run refreshes the extract of a published data source: all, none, or those named by "
            "their id or the second part of their key.",
            examples=[["orders"]],
        ),
    ] = False
    enable_embedded_datasource_refresh: Annotated[
        bool | list[str],
        dg.Resolver.default(
            description="Whether a run refreshes the extracts inside a workbook: all, none, or those of the workbooks "
            "whose ids are named."
        ),
    ] = False
    poll_seconds: PollSeconds = 5
    max_runtime_minutes: MaxMinutes = 120

    vendor: ClassVar[str] = "tableau"
    title: ClassVar[str] = "Tableau"

    def __post_init__(self) -> None:
        if (self.pod is None) == (self.server is None):
            raise ValueError("expected either pod (Tableau Cloud) or server (your own Tableau Server)")

    @property
    def place(self) -> str:
        """Server and site."""
        return f"{self.server or self.pod}/{self.site}"

    def stock(self, secret: Keys) -> Any:
        """Dagster's Tableau component."""
        import dagster_tableau as library
        from dagster_tableau.components.tableau_component import ResolvedTableauSelector

        shared = {
            "connected_app_client_id": secret(self.credentials.client_id),
            "connected_app_secret_id": secret(self.credentials.secret_id),
            "connected_app_secret_value": secret(self.credentials.secret_value),
            "username": self.username,
            "site_name": self.site,
        }
        title = self.title

        class Workspace(library.TableauServerWorkspace if self.server else library.TableauCloudWorkspace):  # type: ignore[misc]
            def build_client(self) -> None:
                import requests

                super().build_client()
                server = self._client._server
                server._session_factory = lambda: patient(requests.Session())  # a new one after each sign-out
                patient(server.session)

            def fetch_tableau_workspace_data(self, *chosen: Any, **named: Any) -> Any:
                # The library leaves out a workbook that it could not read, and its assets would vanish.
                with self.get_client() as client:
                    failed, read = [], client.get_workbook

                    def get_workbook(workbook_id: str) -> Any:
                        try:
                            found = read(workbook_id)
                            if not found["data"]["workbooks"]:
                                raise ValueError("nothing came")
                        except Exception as error:
                            failed.append(f"{workbook_id} ({error})")
                            raise
                        return found

                    client.get_workbook = get_workbook
                    try:
                        made = super().fetch_tableau_workspace_data(*chosen, **named)
                    finally:
                        client.get_workbook = read
                if failed:
                    raise dg.Failure(f"{title} did not show these workbooks: {', '.join(failed)}")
                return made

        class WithTables(library.TableauComponent):
            def get_asset_spec(self, data: Any) -> dg.AssetSpec:
                spec = super().get_asset_spec(data)
                tables = data.properties.get("upstreamTables") or []
                keys = [dg.AssetKey([table["schema"], table["name"]]) for table in tables if table.get("schema")]
                return spec.replace_attributes(deps=[*spec.deps, *keys])

        workspace = Workspace(
            **shared, **({"server_name": self.server} if self.server else {"pod_name": self.pod or ""})
        )
        names = set(self.projects or [])
        chosen = ResolvedTableauSelector(
            project_filter_fn=(lambda workbook: workbook.project_name in names) if names else None
        )
        return WithTables(workspace=workspace, tableau_selector=chosen)

    def unit(self, spec: dg.AssetSpec) -> str | None:
        """The data source, or the workbook of an embedded one, where runs refresh its extract."""
        said = {
            name.partition("/")[2]: value
            for name, value in spec.metadata.items()
            if name.startswith("dagster-tableau/")
        }
        if not said.get("has_extracts"):
            return None
        published = said["is_published"]
        chosen = self.enable_published_datasource_refresh if published else self.enable_embedded_datasource_refresh
        named = said["id"] if published else said["workbook_id"]
        if not chosen or (chosen is not True and not {named, spec.key.path[-1]} & set(chosen)):
            return None
        return f"{_DATASOURCE if published else _WORKBOOK} {named}"

    def run_unit(self, unit: Unit, keys: Keys) -> list[Metadata]:
        """Refresh an extract, or those of a workbook.

        Raises:
            Failure: the refresh fails, is cancelled there, or takes too long and is cancelled.
        """
        kind, _, identity = unit.name.partition(" ")
        with self.stock(keys).workspace.get_client() as client:
            start = client.refresh_data_source if kind == _DATASOURCE else client.refresh_workbook
            job = start(identity).id
            done = wait_for(
                self,
                f"the refresh of {unit.chosen[0].key.path[-1]} (job {job})",
                lambda: client.get_job(job),
                lambda now: int(now.finish_code) != _RUNNING,
                cancel=lambda: client.cancel_job(job),
            )
        if outcome := _OUTCOMES.get(int(done.finish_code), f"code {done.finish_code}"):
            said = f"the refresh of {unit.chosen[0].key.path[-1]} (job {job}) {outcome} at Tableau"
            raise dg.Failure(
                f"{said}: {' '.join(done.notes or []) or 'no reason given'}", allow_retries=outcome == "failed"
            )
        return [{"tableau/job": job} for _ in unit.chosen]
