"""Looker's dashboards and explores."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import dagster as dg

from ..base import StrictModel
from .asking import patient
from .attributes import Secret, Url
from .component import StockComponent, scaffolder
from .keys import Keys
from .running import Metadata, Unit


class LookerCredentials(StrictModel):
    """Names of the secrets that open Looker's API."""

    client_id: Secret = "LOOKER_CLIENT_ID"
    client_secret: Secret = "LOOKER_CLIENT_SECRET"  # noqa: S105 a name


class PdtBuild(StrictModel):
    """A persistent derived table that runs build."""

    model_name: Annotated[str, dg.Resolver.default(description="LookML model.", examples=["shop"])]
    view_name: Annotated[str, dg.Resolver.default(description="LookML view.", examples=["order_facts"])]


@dg.scaffold_with(scaffolder(base_url="https://your-company.cloud.looker.com", group="looker"))
@dataclass(kw_only=True)
class LookerComponent(StockComponent):
    """Dashboards and explores of a Looker instance, with the tables that they read.

    ``dg utils refresh-defs-state`` asks Looker for them; loading asks nothing. Views of
    LookML are no assets, but for the tables in ``pdt_builds``.

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

    pdt_builds: Annotated[
        list[PdtBuild],
        dg.Resolver.default(
            description="Persistent derived tables that become assets; a run builds them.",
            examples=[[{"model_name": "shop", "view_name": "order_facts"}]],
        ),
    ] = field(default_factory=list)

    vendor: ClassVar[str] = "looker"
    title: ClassVar[str] = "Looker"

    @property
    def place(self) -> str:
        """Looker's address."""
        return self.base_url

    def stock(self, secret: Keys) -> Any:
        """Dagster's Looker component."""
        import dagster_looker as library

        failed: list[str] = []
        title = self.title

        class Resource(library.LookerResource):
            def get_sdk(self) -> Any:
                made: Any = super().get_sdk()
                patient(made.transport.session)
                read = made.lookml_model_explore

                def lookml_model_explore(lookml_model_name: str, explore_name: str, **named: Any) -> Any:
                    try:
                        return read(lookml_model_name, explore_name, **named)
                    except Exception as error:
                        failed.append(f"{lookml_model_name}::{explore_name} ({error})")
                        raise

                made.lookml_model_explore = lookml_model_explore
                return made

        class Whole(library.LookerComponent):
            def write_state_to_path(self, state_path: Path) -> None:
                super().write_state_to_path(state_path)
                # The library leaves out an explore that it could not read, and its assets would vanish.
                if failed:
                    raise dg.Failure(f"{title} did not show these explores: {', '.join(failed)}")

        resource = Resource(
            base_url=self.base_url,
            client_id=secret(self.credentials.client_id),
            client_secret=secret(self.credentials.client_secret),
        )
        chosen = library.LookerFilter(
            dashboard_folders=self.dashboard_folders,
            only_fetch_explores_used_in_dashboards=self.only_explores_in_dashboards,
        )
        builds = [
            library.RequestStartPdtBuild(model_name=build.model_name, view_name=build.view_name)
            for build in self.pdt_builds
        ]
        return Whole(looker_resource=resource, looker_filter=chosen, pdt_builds=builds)

    def unit(self, spec: dg.AssetSpec) -> str | None:
        """The view of a persistent derived table."""
        return spec.key.path[-1] if spec.key in self._builds else None

    @property
    def _builds(self) -> dict[dg.AssetKey, PdtBuild]:
        return {self.standard_key(dg.AssetKey(["view", build.view_name])): build for build in self.pdt_builds}

    def run_unit(self, unit: Unit, keys: Keys) -> list[Metadata]:
        """Build a persistent derived table.

        Raises:
            Failure: Looker does not start the build.
        """
        [spec] = unit.chosen
        build, sdk = self._builds[spec.key], self.stock(keys).looker_resource.get_sdk()
        started = sdk.start_pdt_build(build.model_name, build.view_name)
        if not started.materialization_id:
            raise dg.Failure(f"Looker did not start the build of {build.view_name}: {started.resp_text or 'no reason'}")
        said = sdk.check_pdt_build(started.materialization_id)
        return [{"looker/materialization_id": started.materialization_id, "looker/said": said.resp_text or ""}]

    def standard_spec(self, spec: dg.AssetSpec, own: dict[dg.AssetKey, dg.AssetKey]) -> dg.AssetSpec:
        """A spec without dependencies on LookML views, which hold no data."""
        deps = [dep for dep in spec.deps if dep.asset_key.path[0] != "view" or dep.asset_key in own]
        return super().standard_spec(spec.replace_attributes(deps=deps), own)
