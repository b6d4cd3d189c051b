"""Power BI's semantic models, reports and dashboards; a run of a model refreshes it."""

import time
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import dagster as dg

from ..base import StrictModel
from .attributes import MaxMinutes, PollSeconds, Secret
from .component import StockComponent, scaffolder
from .keys import Keys
from .running import Metadata, Unit
from .waiting import wait_for

API = "https://api.powerbi.com/v1.0/myorg"
LOGIN = "https://login.microsoftonline.com/{tenant}/oauth2/token"
RESOURCE = "https://analysis.windows.net/powerbi/api"
_TOKEN_SECONDS = 1800.0  # Microsoft's last an hour or more
_RUNNING = "Unknown"  # Power BI's word for a refresh that is under way


class PowerBICredentials(StrictModel):
    """Names of the secrets of a service principal."""

    tenant_id: Secret = "POWERBI_TENANT_ID"
    client_id: Secret = "POWERBI_CLIENT_ID"
    client_secret: Secret = "POWERBI_CLIENT_SECRET"  # noqa: S105 a name


@dg.scaffold_with(scaffolder(workspace_id="00000000-0000-0000-0000-000000000000", group="bi"))
@dataclass(kw_only=True)
class PowerBIWorkspaceComponent(StockComponent):
    """Semantic models, reports and dashboards of a Power BI workspace; a run of a model refreshes it.

    ``dg utils refresh-defs-state`` asks Power BI for them; loading asks nothing. Tables that a model reads by their
    schema and name, as the navigation of a Power Query has them, are its upstream assets.

    .. code-block:: yaml

        type: components.PowerBIWorkspaceComponent
        attributes:
          workspace_id: 0b1c2d3e-4f56-7890-abcd-ef0123456789
          enable_semantic_model_refresh: [Sales]
          max_runtime_minutes: 60
          owners: ["team:bi"]
          group: bi
          tags: {domain: sales}
    """

    workspace_id: Annotated[
        str,
        dg.Resolver.default(
            description="The workspace, as its address in Power BI shows it.",
            json_schema_extra={"pattern": r"^[A-Za-z0-9-]+$"},
        ),
    ]
    credentials: Annotated[
        PowerBICredentials, dg.Resolver.default(description="Secrets of the service principal, by name.")
    ] = field(default_factory=PowerBICredentials)
    use_workspace_scan: Annotated[
        bool,
        dg.Resolver.default(
            description="Whether everything is read by one scan, which needs read access to Power BI's admin API; "
            "without it the tables of a model are unknown: name them in reads."
        ),
    ] = True
    enable_semantic_model_refresh: Annotated[
        bool | list[str],
        dg.Resolver.default(
            description="Whether a run refreshes a semantic model: all, none, or those named.", examples=[["Sales"]]
        ),
    ] = False
    poll_seconds: PollSeconds = 5
    max_runtime_minutes: MaxMinutes = 120

    vendor: ClassVar[str] = "powerbi"
    title: ClassVar[str] = "Power BI"

    @property
    def place(self) -> str:
        """The workspace."""
        return self.workspace_id

    def stock(self, secret: Keys) -> Any:
        """Dagster's Power BI component, with requests that are patient and a login that is renewed."""
        import dagster_powerbi as library

        named = self.credentials
        address = LOGIN.format(tenant=secret(named.tenant_id))
        login = {
            "grant_type": "client_credentials",
            "resource": RESOURCE,
            "client_id": secret(named.client_id),
            "client_secret": secret(named.client_secret),
        }
        power_bi = secret.vendor(self.title)
        token: list[tuple[float, str]] = []

        def authorization() -> str:
            if not token or time.monotonic() - token[-1][0] > _TOKEN_SECONDS:
                found = power_bi.json("POST", address, data=login)["access_token"]
                token.append((time.monotonic(), found))
            return f"Bearer {token[-1][1]}"

        class Workspace(library.PowerBIWorkspace):
            def _fetch(
                self,
                endpoint: str,
                method: str = "GET",
                json: Any = None,
                params: Any = None,
                group_scoped: bool = True,
            ) -> Any:
                place = f"{API}/groups/{self.workspace_id}" if group_scoped else API
                headers = {"Authorization": authorization()}
                return power_bi.ask(method, f"{place}/{endpoint}", headers=headers, json=json, params=params)

        workspace = Workspace(
            credentials=library.PowerBIToken(api_token="read when it is needed"),  # noqa: S106 no token
            workspace_id=self.workspace_id,
        )
        return library.PowerBIWorkspaceComponent(workspace=workspace, use_workspace_scan=self.use_workspace_scan)

    def unit(self, spec: dg.AssetSpec) -> str | None:
        """The semantic model, where runs refresh it."""
        chosen = self.enable_semantic_model_refresh
        if spec.tags.get("dagster-powerbi/asset_type") != "semantic_model" or not chosen:
            return None
        named = chosen is True or spec.metadata["dagster-powerbi/name"] in chosen
        return str(spec.metadata["dagster-powerbi/id"]) if named else None

    def run_unit(self, unit: Unit, keys: Keys) -> list[Metadata]:
        """Refresh a semantic model.

        The library alone may take an earlier refresh for this one, and goes on waiting for some that are over.

        Raises:
            Failure: the refresh fails, is cancelled or switched off there, or takes too long.
        """
        workspace = self.stock(keys).workspace
        endpoint = f"datasets/{unit.name}/refreshes"

        def newest() -> dict[str, Any]:
            return next(iter(workspace._fetch_json(endpoint)["value"]), {})

        def identity(refresh: dict[str, Any]) -> tuple[Any, Any]:
            return refresh.get("requestId"), refresh.get("startTime")

        before = identity(newest())
        workspace.trigger_refresh(unit.name)
        done = wait_for(
            self,
            f"the refresh of {unit.chosen[0].key.path[-1]}",
            newest,
            lambda now: identity(now) != before and now.get("status") != _RUNNING,
        )
        if done["status"] != "Completed":
            reason = done.get("serviceExceptionJson") or "no reason given"
            said = f"the refresh of {unit.chosen[0].key.path[-1]} ended at Power BI as {done['status']}: {reason}"
            raise dg.Failure(said, allow_retries=done["status"] == "Failed")
        return [{f"powerbi/{name}": done[name] for name in ("requestId", "startTime", "endTime") if name in done}]
