"""The component that puts a dbt project on the platform."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from dagster.components.component.state_backed_component import StateBackedComponent
from dagster.components.utils.defs_state import DefsStateConfig
from dagster.components.utils.translation import TranslationFn, TranslationFnResolver
from dagster_shared.serdes.objects.models.defs_state_info import DefsStateManagementType
from pydantic import BaseModel

from ..base import StrictComponent
from .attributes import AssetDefaults, Compute, DbtOptions, GitProject, Monitoring, Partitions, Schedule, Upstream
from .definitions import Attributes, Place, build_definitions, prepare
from .scaffolder import DbtProjectScaffolder
from .source import ProjectSource, resolve_project

_NOWHERE = Place.unknown()


@dg.scaffold_with(DbtProjectScaffolder)
@dataclass
class GovernedDbtProjectComponent(StrictComponent, StateBackedComponent):
    """A dbt project of any size: models, tests, contracts and source freshness as governed assets and checks.

    .. code-block:: yaml

        type: components.GovernedDbtProjectComponent
        attributes:
          project: "{{ context.project_root }}/transform"
          assets: {owners: [team:analytics]}
          schedule: {cron: "0 6 * * *", timezone: America/New_York}

    dbt parses the project when one of its files changed, and not otherwise. A git repository is cloned by
    ``dg utils refresh-defs-state`` and by nothing else: loading never reaches the network.
    """

    project: Annotated[
        ProjectSource,
        dg.Resolver(
            resolve_project,
            model_field_type=str | GitProject.model(),
            description="Folder of the dbt project, relative to this file; or the git repository it is in.",
            examples=[
                "{{ context.project_root }}/transform",
                {"git": "https://github.com/acme/analytics.git", "ref": "main", "subfolder": "dbt"},
            ],
        ),
    ]
    translation: Annotated[
        TranslationFn[Any] | None,
        TranslationFnResolver(template_vars_for_translation_fn=lambda node: {"node": node}),
    ] = None
    upstream: Annotated[
        Upstream, dg.Resolver.default(description="Which assets of the platform the dbt sources are.")
    ] = field(default_factory=Upstream)
    partitions: Annotated[
        Partitions | None, dg.Resolver.default(description="Time windows that the models are built for.")
    ] = None
    schedule: Annotated[
        Schedule | None,
        dg.Resolver.default(description="When to build everything; with partitions, the newest complete one."),
    ] = None
    full_refresh_schedule: Annotated[
        Schedule | None,
        dg.Resolver.default(description="When to rebuild incremental models and seeds from nothing."),
    ] = None
    dbt: Annotated[DbtOptions, dg.Resolver.default(description="How dbt is called.")] = field(
        default_factory=DbtOptions
    )
    assets: Annotated[
        AssetDefaults, dg.Resolver.default(description="What models get where they declare nothing themselves.")
    ] = field(default_factory=AssetDefaults)
    compute: Annotated[Compute, dg.Resolver.default(description="What the models run on.")] = field(
        default_factory=Compute
    )
    monitoring: Annotated[
        Monitoring, dg.Resolver.default(description="What is promised, and who hears when it is broken.")
    ] = field(default_factory=Monitoring)

    # Without an annotation it is no attribute of the YAML.
    _place = _NOWHERE

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> "GovernedDbtProjectComponent":
        """Read the attributes, and remember where they stand for a later refresh."""
        component = super().load(attributes, context)
        component._place = Place.of(context)
        return component

    @property
    def defs_state_config(self) -> DefsStateConfig:
        """Makes ``dg utils refresh-defs-state`` find this component; loading refreshes by itself."""
        return DefsStateConfig(
            key=f"GovernedDbtProject[{self.project.identity}]",
            management_type=DefsStateManagementType.LOCAL_FILESYSTEM,
            refresh_if_dev=False,
        )

    def write_state_to_path(self, state_path: Path) -> None:
        """Clone the repository anew, fetch missing packages and parse; the state stays beside the dbt project.

        Args:
            state_path: A marker, which stock storage expects.
        """
        prepare(self._attributes(), self._place, refresh=True)
        state_path.touch()

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Assets, checks, jobs and schedules of the dbt project; stock state, which would go stale, is not read.

        Raises:
            DbtProjectError: a mistake in the YAML or in the dbt project; a repository that was never cloned.
        """
        return self.build_defs_from_state(context, None)

    def build_defs_from_state(self, context: dg.ComponentLoadContext, state_path: Path | None) -> dg.Definitions:
        """The same, whatever ``state_path`` is."""
        return build_definitions(self._attributes(), Place.of(context))

    def _attributes(self) -> Attributes:
        return Attributes(
            project=self.project,
            translation=self.translation,
            upstream=self.upstream,
            partitions=self.partitions,
            schedule=self.schedule,
            full_refresh_schedule=self.full_refresh_schedule,
            dbt=self.dbt,
            assets=self.assets,
            compute=self.compute,
            monitoring=self.monitoring,
        )
