"""The jobs of a Databricks asset bundle, which run."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar

import dagster as dg

from .component import Secret, StockComponent, Url, scaffolder
from .databricks_workspace import Minutes, capped_workspace
from .keys import Keys

_RESOLVE = ["databricks", "bundle", "validate", "--output", "json"]
_RESOLVE_SECONDS = 300
_ENVIRONMENT_VERSION = "2"  # of serverless compute, for a task whose bundle names no environment


@dg.scaffold_with(
    scaffolder(
        bundle="databricks.yml",
        host="https://your-workspace.cloud.databricks.com",
        token="DATABRICKS_TOKEN",  # noqa: S106
    )
)
@dataclass(kw_only=True)
class DatabricksAssetBundleComponent(StockComponent):
    """Jobs of a Databricks asset bundle, an asset a task, submitted with serverless compute or on a cluster.

    ``dg utils refresh-defs-state`` has the ``databricks`` command resolve the bundle; loading starts nothing. Notebook,
    Python, wheel, JAR, condition and job tasks are assets; others are named in the log and left to Databricks.

    .. code-block:: yaml

        type: components.DatabricksAssetBundleComponent
        attributes:
          bundle: databricks.yml
          host: https://acme.cloud.databricks.com
          token: DATABRICKS_TOKEN
          existing_cluster_id: 0101-120000-abcdefgh
          owners: ["team:data"]
          group: databricks
          tags: {domain: sales}
    """

    bundle: Annotated[
        str,
        dg.Resolver.default(
            description="The bundle's databricks.yml, from the project's root.",
            examples=["databricks.yml"],
            json_schema_extra={"pattern": r"\.ya?ml$"},
        ),
    ]
    host: Url
    token: Secret = "DATABRICKS_TOKEN"  # noqa: S105 a name
    existing_cluster_id: Annotated[
        str | None,
        dg.Resolver.default(
            description="Cluster for tasks that need one; serverless compute when left out.",
            json_schema_extra={"pattern": r"^[A-Za-z0-9-]+$"},
        ),
    ] = None
    max_runtime_minutes: Minutes = 24 * 60

    vendor: ClassVar[str] = "databricks"
    title: ClassVar[str] = "Databricks"

    @property
    def place(self) -> str:
        """The bundle's file."""
        return self.bundle

    def write_state_to_path(self, state_path: Path) -> None:
        """Have the ``databricks`` command resolve the bundle.

        Raises:
            RuntimeError: the command is missing, takes too long, or refuses the bundle.
            SecretError: the token is missing.
        """
        file = self.project_root / self.bundle
        if not file.is_file():
            raise RuntimeError(f"bundle: {self.bundle!r} is not there (looked for {file})")
        token = self.secret(self.token)
        login = {"DATABRICKS_HOST": self.host, "DATABRICKS_TOKEN": token, "DATABRICKS_AUTH_TYPE": "pat"}
        try:
            done = subprocess.run(
                _RESOLVE,
                cwd=file.parent,
                env={**os.environ, **login},
                capture_output=True,
                encoding="utf-8",
                timeout=_RESOLVE_SECONDS,
            )
        except FileNotFoundError:
            raise RuntimeError(
                f"{self.bundle}: the command databricks, which resolves bundles, is not installed"
            ) from None
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{self.bundle}: {' '.join(_RESOLVE)} took over {_RESOLVE_SECONDS} seconds") from None
        if done.returncode:
            from ..secrets import redacted

            raise RuntimeError(f"{self.bundle}: {redacted((done.stderr or done.stdout).strip(), [token])}")
        # Only what makes assets: a resolved bundle also says who deployed it, and where.
        jobs = {
            name: {part: job.get(part, []) for part in ("tasks", "environments")}
            for name, job in json.loads(done.stdout).get("resources", {}).get("jobs", {}).items()
        }
        state_path.write_text(json.dumps(jobs), encoding="utf-8")

    def stock(self, secret: Keys) -> Any:
        """Dagster's bundle component, without the bundle, which comes from the state."""
        from dagster_databricks import DatabricksAssetBundleComponent as Stock
        from dagster_databricks.components.databricks_asset_bundle import configs

        ours = self

        class Standardised(Stock):
            # A class of its own for each component, so that these are not shared.
            tasks: ClassVar[dict[str, dict[str, Any]]] = {}
            environments: ClassVar[dict[str, dict[str, Any]]] = {}

            @cached_property
            def databricks_config(self) -> Any:
                return SimpleNamespace(tasks_by_job_and_task_key=self.tasks)

            def get_asset_spec(self, task: Any) -> dg.AssetSpec:
                spec = super().get_asset_spec(task)
                # Its dependencies came through this method too, and have their standard keys.
                return ours.standard_spec(spec, {spec.key: ours.standard_key(spec.key)})

        compute = (
            configs.ResolvedDatabricksExistingClusterConfig(existing_cluster_id=self.existing_cluster_id)
            if self.existing_cluster_id
            else configs.ResolvedDatabricksServerlessConfig()
        )
        seconds = self.max_runtime_minutes * 60
        workspace = capped_workspace(self.host, secret(self.token), partial(self.secret, self.token), seconds)
        made = Standardised(
            databricks_config_path=self.project_root / self.bundle, workspace=_dispatcher(), compute_config=compute
        )
        made.own_workspace = _with_environments(workspace, made.environments)  # type: ignore[attr-defined]
        return made

    def from_state(self, stock: Any, context: dg.ComponentLoadContext, state_path: Path) -> dg.Definitions:
        """The tasks of the state as assets."""
        from dagster_databricks.components.databricks_asset_bundle.configs import parse_task_from_config

        for job, held in json.loads(state_path.read_text(encoding="utf-8")).items():
            known = {environment["environment_key"]: environment for environment in held["environments"]}
            for config in held["tasks"]:
                if named := known.get(config.get("environment_key", "")):
                    stock.environments[config["task_key"]] = named
                if task := parse_task_from_config({**config, "job_name": job}):
                    stock.tasks.setdefault(job, {})[task.task_key] = task
                else:
                    name = f"the task {config.get('task_key')} of {job}"
                    dg.get_dagster_logger().warning(f"{self.bundle}: {name} is of a type that is left to Databricks")
        return stock.build_defs(context)

    def standardised(self, found: dg.Definitions) -> dg.Definitions:
        """The definitions as they are: their specs were made standard before jobs became of them."""
        return found


@cache
def _dispatcher() -> Any:
    """The one resource ``databricks`` of all bundles of a project, which leaves each to its own workspace."""
    from dagster_databricks.components.databricks_asset_bundle.resource import DatabricksWorkspace

    class Dispatcher(DatabricksWorkspace):
        def submit_and_poll(self, component: Any, context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
            yield from component.own_workspace.submit_and_poll(component, context)

    return Dispatcher(host="that of each component", token="that of each component")  # noqa: S106 no token


def _with_environments(workspace: Any, environments: dict[str, dict[str, Any]]) -> Any:
    """The workspace, whose scripts and wheels on serverless compute have the environment that Databricks demands.

    Args:
        workspace: The workspace.
        environments: What the bundle says about the environment of a task, by the task's key.
    """
    from databricks.sdk.service import compute, jobs

    class WithEnvironments(type(workspace)):  # type: ignore[misc]  # made for this component alone
        def _submit_job(self, params: dict[str, Any]) -> Any:
            used = {}
            for task in params["tasks"]:
                on_cluster = task.existing_cluster_id or task.new_cluster
                if (task.spark_python_task or task.python_wheel_task) and not on_cluster:
                    spec = compute.Environment(environment_version=_ENVIRONMENT_VERSION)
                    named = environments.get(task.task_key)
                    made = jobs.JobEnvironment.from_dict(named) if named else jobs.JobEnvironment("dagster", spec)
                    task.environment_key = made.environment_key
                    used[made.environment_key] = made
            return super()._submit_job({**params, **({"environments": [*used.values()]} if used else {})})

    return WithEnvironments(host=workspace.host, token=workspace.token)
