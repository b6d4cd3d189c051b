"""Tableau's sheets, dashboards and data sources."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import dagster as dg

from ..base import StrictModel
from .component import Secret, StockComponent, scaffolder

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

    vendor: ClassVar[str] = "tableau"

    def __post_init__(self) -> None:
        if (self.pod is None) == (self.server is None):
            raise ValueError("expected either pod (Tableau Cloud) or server (your own Tableau Server)")

    @property
    def place(self) -> str:
        """Server and site."""
        return f"{self.server or self.pod}/{self.site}"

    def stock(self, secret: Callable[[str], str]) -> Any:
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
        workspace: Any = (
            library.TableauServerWorkspace(server_name=self.server, **shared)
            if self.server
            else library.TableauCloudWorkspace(pod_name=self.pod or "", **shared)
        )
        names = set(self.projects or [])
        chosen = ResolvedTableauSelector(
            project_filter_fn=(lambda workbook: workbook.project_name in names) if names else None
        )
        return library.TableauComponent(workspace=workspace, tableau_selector=chosen)
