"""A dbt Cloud project: its models are assets, its tests checks, and a run of them is a run there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import dagster as dg

from .attributes import MaxMinutes, PollSeconds, Secret, Url
from .component import StockComponent, scaffolder
from .dbt_cloud_sample import definitions_of_folder
from .keys import Keys
from .waiting import wait_for

if TYPE_CHECKING:
    from ..dbt.selection import RunSelection

_OVER = (10, 20, 30)  # success, error, cancelled: dbt Cloud's codes
_SUCCESS, _CANCELLED = 10, 30


@dg.scaffold_with(
    scaffolder(account_id=1, project_id=1, environment_id=1, access_url="https://cloud.getdbt.com", group="marts")
)
@dataclass(kw_only=True)
class DbtCloudComponent(StockComponent):
    """Models and tests of a dbt Cloud project as governed assets and checks; a run of them is a job run there.

    ``dg utils refresh-defs-state`` lets dbt Cloud parse the project and keeps its manifest; loading asks nothing.
    Sources of the dbt project are the assets ``source/table``.

    .. code-block:: yaml

        type: components.DbtCloudComponent
        attributes:
          account_id: 70403103912345
          project_id: 70403103954321
          environment_id: 70403103967890
          access_url: https://ab123.us1.dbt.com
          select: tag:nightly
          max_runtime_minutes: 120
          owners: ["team:analytics"]
          tags: {domain: sales}
    """

    account_id: Annotated[int, dg.Resolver.default(description="The account.", json_schema_extra={"minimum": 1})]
    project_id: Annotated[int, dg.Resolver.default(description="The project.", json_schema_extra={"minimum": 1})]
    environment_id: Annotated[
        int, dg.Resolver.default(description="The environment that runs it.", json_schema_extra={"minimum": 1})
    ]
    access_url: Url = "https://cloud.getdbt.com"
    token: Secret = "DBT_CLOUD_TOKEN"  # noqa: S105 a name
    select: Annotated[
        str,
        dg.Resolver.default(description="dbt selection of the models that become assets.", examples=["tag:nightly"]),
    ] = "fqn:*"
    exclude: Annotated[str, dg.Resolver.default(description="dbt selection of the models that do not.")] = ""
    sample: Annotated[
        str | None,
        dg.Resolver.default(
            description="Folder of a dbt project that dbt Core builds here, in target local only, until the token is "
            "set and the state is refreshed; relative to this file.",
            examples=["{{ context.project_root }}/transform"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ] = None
    poll_seconds: PollSeconds = 5
    max_runtime_minutes: MaxMinutes = 240

    vendor: ClassVar[str] = "dbt_cloud"
    title: ClassVar[str] = "dbt Cloud"

    @property
    def place(self) -> str:
        """Project and environment."""
        return f"{self.project_id}-{self.environment_id}"

    def stock(self, secret: Keys) -> Any:
        """Dagster's dbt Cloud component, with requests that are patient and runs that are waited for."""
        from dagster_dbt.cloud_v2.client import DbtCloudWorkspaceClient
        from dagster_dbt.cloud_v2.component.dbt_cloud_component import DbtCloudComponent as Stock
        from dagster_dbt.cloud_v2.resources import DbtCloudCredentials, DbtCloudWorkspace

        token = secret(self.token)
        ours, dbt_cloud = self, secret.vendor(self.title)

        class Client(DbtCloudWorkspaceClient):
            def _make_request(  # type: ignore[override]  # callers name all that follows
                self, method: str, endpoint: str | None, base_url: str, data: Any = None, **given: Any
            ) -> Any:
                url = f"{base_url}/{endpoint}" if endpoint else base_url
                request = {"json": data, "params": given.get("params")}
                tolerated = given.get("tolerated_error_statuses", ())
                headers = {"Authorization": f"Token {token}"}
                found = dbt_cloud.ask(method, url, headers=headers, tolerated=tolerated, **request)
                dbt_cloud.read(found)
                return found

            def poll_run(self, run_id: int, poll_interval: Any = None, poll_timeout: Any = None) -> Mapping[str, Any]:
                return wait_for(
                    ours,
                    f"dbt Cloud run {run_id}",
                    lambda: self.get_run_details(run_id),
                    lambda now: now["status"] in _OVER,
                    cancel=lambda: self.cancel_run(run_id),
                )

        class Workspace(DbtCloudWorkspace):
            def get_client(self) -> DbtCloudWorkspaceClient:
                made = super().get_client()
                return Client(**{name: getattr(made, name) for name in type(made).model_fields})

        return Stock(
            workspace=Workspace(
                credentials=DbtCloudCredentials(account_id=self.account_id, token=token, access_url=self.access_url),
                project_id=self.project_id,
                environment_id=self.environment_id,
            )
        )

    def build_defs_from_state(self, context: dg.ComponentLoadContext, state_path: Path | None) -> dg.Definitions:
        """The models of the state, or of the sample's folder while there is no state.

        Raises:
            DagsterInvalidDefinitionError: there is neither, or the state is unreadable.
        """
        if self.sample and (state_path is None or not state_path.exists()):
            self.on_sample = True  # type: ignore[misc]  # the class only holds the default
            return definitions_of_folder(self, context)
        return super().build_defs_from_state(context, state_path)

    def standardised(self, found: dg.Definitions) -> dg.Definitions:
        """The definitions as they are: their specs are made by the translator of all dbt projects."""
        return found

    def from_state(self, stock: Any, context: dg.ComponentLoadContext, state_path: Path) -> dg.Definitions:
        """Assets and checks of the manifest."""
        from dagster_dbt.asset_utils import build_dbt_specs
        from dagster_dbt.cloud_v2.types import DbtCloudWorkspaceData
        from dagster_dbt.dbt_manifest import validate_manifest

        from ..dbt.selection import RunSelection, Selection

        state = dg.deserialize_value(state_path.read_text(encoding="utf-8"), DbtCloudWorkspaceData)
        manifest = validate_manifest(state.manifest)
        translator = self._translator(manifest, context)
        specs, checks = build_dbt_specs(
            translator=translator,
            manifest=manifest,
            select=self.select,
            exclude="",
            selector="",
            io_manager_key=None,
            project=None,
        )
        if not specs:
            return dg.Definitions()
        selection = RunSelection.of(Selection(self.select), list(specs), list(checks), manifest)

        @dg.multi_asset(
            name=f"dbt_cloud_{self.place.replace('-', '_')}",
            specs=[spec.replace_attributes(kinds={*spec.kinds, "dbtcloud"}) for spec in specs],
            check_specs=checks,
            can_subset=True,
            allow_arbitrary_check_specs=True,
        )
        def dbt_cloud_assets(context: dg.AssetExecutionContext) -> Iterator[Any]:
            yield from self._run(context, state.adhoc_job_ids[0], selection, translator)

        return dg.Definitions(assets=[dbt_cloud_assets])

    def _translator(self, manifest: Mapping[str, Any], context: dg.ComponentLoadContext) -> Any:
        from ..dbt.attributes import AssetDefaults, Upstream
        from ..dbt.definitions import Place
        from ..dbt.translator import GovernedTranslator, Standards
        from ..dbt.upstream import UpstreamMapping

        upstream = UpstreamMapping(Upstream(assets=self.upstream), manifest["sources"], Place.of(context).where)
        defaults = AssetDefaults(owners=self.owners, group=self.group, tags=self.tags)
        made = GovernedTranslator(upstream, defaults, Standards(), settings=_settings())
        made.translate_all(manifest, None)
        return made

    def _run(
        self, context: dg.AssetExecutionContext, job: int, selection: "RunSelection", translator: Any
    ) -> Iterator[Any]:
        """Build what the run selected, and give what its artifacts tell.

        Raises:
            Failure: the token is missing, dbt Cloud refuses, or the run fails, is cancelled or takes too long.
        """
        from dagster_dbt.cloud_v2.run_handler import DbtCloudJobRunHandler, DbtCloudJobRunResults

        keys = self.keys()
        self.stands_in(keys)
        chosen = selection.arguments(context)
        if chosen is None:
            return
        try:
            client = self.stock(keys).workspace.get_client()
            run = DbtCloudJobRunHandler.run(job, ["build", *chosen], client)
            context.log.info(f"dbt Cloud run {run.run_id} of job {job}")
            done = client.poll_run(run.run_id)
            results = run.get_run_results() if "run_results.json" in run.list_run_artifacts() else {"results": []}
            events = DbtCloudJobRunResults.from_run_results_json(results) if results["results"] else None
            told = [*events.to_default_asset_events(client, selection.manifest, translator, context)] if events else []
        except Exception as error:
            raise keys.told(self.title, error) from error
        yield from told
        if done["status"] != _SUCCESS:
            word = "was cancelled" if done["status"] == _CANCELLED else "failed"
            said = f"dbt Cloud run {run.run_id} {word}: {done.get('status_message') or done.get('href') or ''}"
            broken = [
                f"{one['unique_id']}: {one.get('message')}" for one in results["results"] if one["status"] in _BAD
            ]
            raise dg.Failure("\n".join([said, *broken[:10]]), allow_retries=word == "failed")


_BAD = ("error", "fail", "runtime error")


def _settings() -> Any:
    from dagster_dbt import DagsterDbtTranslatorSettings

    # No file of the project is here that a reference to code could name.
    return DagsterDbtTranslatorSettings(enable_code_references=False, enable_source_tests_as_checks=True)
