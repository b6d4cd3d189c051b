"""The jobs of a Databricks asset bundle, which run."""

import json
import os
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import dagster as dg

from .component import scaffolder
from .databricks_jobs import DatabricksJobsComponent, parsed_task, task_kind
from .keys import Keys

_RESOLVE = ["databricks", "bundle", "validate", "--output", "json"]
_RESOLVE_SECONDS = 300


@dg.scaffold_with(
    scaffolder(
        bundle="databricks.yml",
        host="https://your-workspace.cloud.databricks.com",
        token="DATABRICKS_TOKEN",  # noqa: S106
    )
)
@dataclass(kw_only=True)
class DatabricksAssetBundleComponent(DatabricksJobsComponent):
    """Jobs of a Databricks asset bundle, an asset a task of any type; only the chosen tasks of a job run.

    ``dg utils refresh-defs-state`` has the ``databricks`` command resolve the bundle; loading starts nothing. What runs
    is the job that ``databricks bundle deploy`` made, with the bundle's parameters, clusters, environments and retries.

    .. code-block:: yaml

        type: components.DatabricksAssetBundleComponent
        attributes:
          bundle: databricks.yml
          host: https://acme.cloud.databricks.com
          service_principal: {client_id: DATABRICKS_CLIENT_ID, client_secret: DATABRICKS_CLIENT_SECRET}
          max_runtime_minutes: 90
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

    @property
    def place(self) -> str:
        """The bundle's file."""
        return self.bundle

    def stock(self, secret: Keys) -> Any:
        """Dagster's bundle component, whose state is the resolved bundle."""
        from dagster_databricks import DatabricksAssetBundleComponent as Stock
        from dagster_databricks.components.databricks_asset_bundle.resource import DatabricksWorkspace

        bundle, file, login = self.bundle, self.project_root / self.bundle, self.login(secret)

        class Resolved(Stock):
            def write_state_to_path(self, state_path: Path) -> None:
                state_path.write_text(json.dumps(_resolved(bundle, file, login)), encoding="utf-8")

        return Resolved(databricks_config_path=file, workspace=DatabricksWorkspace(host=self.host, token=""))

    def from_state(self, stock: Any, context: dg.ComponentLoadContext, state_path: Path) -> dg.Definitions:
        """The tasks of the state; those of equal names are told apart by their jobs."""
        jobs = json.loads(state_path.read_text(encoding="utf-8"))
        times = Counter(task["task_key"] for job in jobs.values() for task in job["tasks"])
        made = []
        for key, job in jobs.items():
            # Dagster's component makes keys of tasks alone.
            keys = {name: f"{key}_{name}" if times[name] > 1 else name for name in times}
            for task in job["tasks"]:
                spec = stock.get_asset_spec(parsed_task(_renamed(task, keys), key))
                kind = task_kind(task)
                spec = spec.replace_attributes(
                    kinds={"databricks", *([kind] if kind else [])},
                    description=task.get("description") or f"Task {task['task_key']} of the job {job['name']}.",
                )
                made.append(self.task_spec(spec, task["task_key"], job["name"]))
        return dg.Definitions(assets=made)

    def job_id(self, client: Any, unit: str) -> int:
        """The deployed job of a name; the oldest, where several have it."""
        found = min((int(job.job_id) for job in client.jobs.list(name=unit)), default=None)
        if found is None:
            raise dg.Failure(
                f"{self.host} has no job {unit!r}; deploy the bundle first: databricks bundle deploy",
                allow_retries=False,
            )
        return found


def _renamed(task: dict[str, Any], keys: dict[str, str]) -> dict[str, Any]:
    before = [{**each, "task_key": keys[each["task_key"]]} for each in task.get("depends_on", [])]
    return {**task, "task_key": keys[task["task_key"]], "depends_on": before}


def _resolved(bundle: str, file: Path, login: dict[str, Any]) -> dict[str, Any]:
    """The jobs of a bundle as the ``databricks`` command resolves them, by their keys.

    Raises:
        RuntimeError: the command is missing, takes too long, or refuses the bundle.
    """
    if not file.is_file():
        raise RuntimeError(f"bundle: {bundle!r} is not there (looked for {file})")
    # No other login of the environment is mixed in.
    others = {name: value for name, value in os.environ.items() if not name.startswith("DATABRICKS_")}
    try:
        done = subprocess.run(
            _RESOLVE,
            cwd=file.parent,
            env={**others, **{f"DATABRICKS_{name.upper()}": value for name, value in login.items()}},
            capture_output=True,
            encoding="utf-8",
            timeout=_RESOLVE_SECONDS,
        )
    except FileNotFoundError:
        raise RuntimeError(f"{bundle}: the command databricks, which resolves bundles, is not installed") from None
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{bundle}: {' '.join(_RESOLVE)} took over {_RESOLVE_SECONDS} seconds") from None
    if done.returncode:
        raise RuntimeError(f"{bundle}: {(done.stderr or done.stdout).strip()}")
    # Only what makes assets: a resolved bundle also says who deployed it, and where.
    jobs = json.loads(done.stdout).get("resources", {}).get("jobs", {})
    return {key: {"name": job.get("name", key), "tasks": job.get("tasks", [])} for key, job in jobs.items()}
