"""Looker's dashboards and explores."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import dagster as dg

from ..base import StrictModel
from .component import Secret, StockComponent, Url, scaffolder


class LookerCredentials(StrictModel):
    """Names of the secrets that open Looker's API."""

    client_id: Secret = "LOOKER_CLIENT_ID"
    client_secret: Secret = "LOOKER_CLIENT_SECRET"  # noqa: S105 a name


@dg.scaffold_with(scaffolder(base_url="https://your-company.cloud.looker.com", group="looker"))
@dataclass(kw_only=True)
class LookerComponent(StockComponent):
    """Dashboards and explores of a Looker instance, with the tables that they read.

    ``dg utils refresh-defs-state`` asks Looker for them; loading asks nothing. Views of LookML are no assets.

    .. code-block:: yaml

        type: components.LookerComponent
        attributes:
          base_url: https://acme.cloud.looker.com
          dashboard_folders: [[Shared, Sales]]
          owners: ["team:bi"]
          group: looker
          tags: {domain: sales}
    """

    base_url: Url
    credentials: Annotated[
        LookerCredentials, dg.Resolver.default(description="Secrets that open the API, by name.")
    ] = field(default_factory=LookerCredentials)
    dashboard_folders: Annotated[
        list[list[str]] | None,
        dg.Resolver.default(
            description="Folders of dashboards, each as its path; all when left out.", examples=[[["Shared", "Sales"]]]
        ),
    ] = None
    only_explores_in_dashboards: Annotated[
        bool, dg.Resolver.default(description="Whether explores that no dashboard uses are left out.")
    ] = False

    vendor: ClassVar[str] = "looker"

    @property
    def place(self) -> str:
        """Looker's address."""
        return self.base_url

    def stock(self, secret: Callable[[str], str]) -> Any:
        """Dagster's Looker component."""
        import dagster_looker as library

        resource = library.LookerResource(
            base_url=self.base_url,
            client_id=secret(self.credentials.client_id),
            client_secret=secret(self.credentials.client_secret),
        )
        chosen = library.LookerFilter(
            dashboard_folders=self.dashboard_folders,
            only_fetch_explores_used_in_dashboards=self.only_explores_in_dashboards,
        )
        return library.LookerComponent(looker_resource=resource, looker_filter=chosen)

    def standard_spec(self, spec: dg.AssetSpec, own: dict[dg.AssetKey, dg.AssetKey]) -> dg.AssetSpec:
        """A spec without dependencies on LookML views, which hold no data."""
        deps = [dep for dep in spec.deps if dep.asset_key.path[0] != "view"]
        return super().standard_spec(spec.replace_attributes(deps=deps), own)
