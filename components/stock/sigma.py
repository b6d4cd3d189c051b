"""Sigma's workbooks and datasets."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import dagster as dg

from ..base import StrictModel
from .component import Secret, StockComponent, Url, scaffolder
from .keys import Keys


class SigmaCredentials(StrictModel):
    """Names of the secrets that open Sigma's API."""

    client_id: Secret = "SIGMA_CLIENT_ID"
    client_secret: Secret = "SIGMA_CLIENT_SECRET"  # noqa: S105 a name


@dg.scaffold_with(scaffolder(base_url="https://aws-api.sigmacomputing.com", group="sigma"))
@dataclass(kw_only=True)
class SigmaComponent(StockComponent):
    """Workbooks and datasets of a Sigma organization, with the tables that they read.

    ``dg utils refresh-defs-state`` asks Sigma for them; loading asks nothing.

    .. code-block:: yaml

        type: components.SigmaComponent
        attributes:
          base_url: https://aws-api.sigmacomputing.com
          workbook_folders: [[Analytics]]
          include_unused_datasets: false
          owners: ["team:bi"]
          group: sigma
          tags: {domain: sales}
    """

    base_url: Url
    credentials: Annotated[SigmaCredentials, dg.Resolver.default(description="Secrets that open the API, by name.")] = (
        field(default_factory=SigmaCredentials)
    )
    workbook_folders: Annotated[
        list[list[str]] | None,
        dg.Resolver.default(
            description="Folders of workbooks, each as its path; all when left out.", examples=[[["Analytics"]]]
        ),
    ] = None
    include_unused_datasets: Annotated[
        bool, dg.Resolver.default(description="Whether datasets that no workbook uses are assets too.")
    ] = True

    vendor: ClassVar[str] = "sigma"
    title: ClassVar[str] = "Sigma"

    @property
    def place(self) -> str:
        """Sigma's address."""
        return self.base_url

    def stock(self, secret: Keys) -> Any:
        """Dagster's Sigma component."""
        import dagster_sigma as library

        organization = library.SigmaOrganization(
            base_url=self.base_url,
            client_id=secret(self.credentials.client_id),
            client_secret=secret(self.credentials.client_secret),
        )
        chosen = library.SigmaFilter(
            workbook_folders=self.workbook_folders, include_unused_datasets=self.include_unused_datasets
        )
        return library.SigmaComponent(organization=organization, sigma_filter=chosen)
