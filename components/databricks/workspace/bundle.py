"""A bundle made from a project's definitions: its jobs and pipelines, as databricks.yml has them."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from ...governance.policy import Policy, policy_for
from ..pipeline.component import DeclarativePipelineComponent
from ..pipeline.spec import PipelineSpec
from .job_settings import job_settings
from .jobs import DatabricksJobComponent
from .pipeline_settings import pipeline_compute, pipeline_settings

BUNDLE_FILE = "databricks.yml"
_HEADER = """\
# Made from the project's definitions by the command `bundle`; change those, and make it again.
# Where the workspace is, and who logs in, is in the environment: DATABRICKS_HOST and the rest.
"""


def project_bundle(project_root: Path) -> str:
    """The text of a project's databricks.yml.

    Raises:
        DagsterInvalidDefinitionError: a definition is broken, or policy.yaml does not approve its compute.
    """
    policy = policy_for(project_root)
    jobs, pipelines = [], []
    for folder, component in _components(project_root):
        if isinstance(component, DatabricksJobComponent):
            jobs.append(component)
        elif isinstance(component, DeclarativePipelineComponent):
            pipelines.append(component.spec(folder, project_root))
    return bundle_text(bundle_of(project_root, jobs, pipelines, policy))


def bundle_of(
    project_root: Path, jobs: Iterable[DatabricksJobComponent], pipelines: Iterable[PipelineSpec], policy: Policy
) -> dict[str, Any]:
    """What a bundle holds.

    Args:
        project_root: Folder of databricks.yml, which gives the bundle its name.
        jobs: The project's jobs.
        pipelines: Its declarative pipelines.
        policy: The project's policy.
    """
    resources: dict[str, dict[str, Any]] = {}
    for job in sorted(jobs, key=lambda each: each.name):
        settings = job_settings(job, policy, _beside, f"job {job.name}")
        resources.setdefault("jobs", {})[_key(job.name)] = settings
    for spec in sorted(pipelines, key=lambda each: each.name):
        paths = [_beside(file.relative_to(project_root).as_posix()) for file in spec.files]
        settings = pipeline_settings(spec, pipeline_compute(policy, spec), paths)
        settings["development"] = None  # the target says it
        made = {key: value for key, value in settings.items() if value not in (None, {}, [])}
        resources.setdefault("pipelines", {})[_key(spec.name)] = made
    shared = "/Workspace/Shared/.bundle/${bundle.name}/${bundle.target}"
    return {
        "bundle": {"name": _key(project_root.resolve().name)},
        "targets": {
            "dev": {"mode": "development", "default": True},
            "prod": {"mode": "production", "workspace": {"root_path": shared}},
        },
        "resources": resources,
    }


def bundle_text(bundle: dict[str, Any]) -> str:
    """The bundle as YAML, the same for the same definitions."""
    return _HEADER + yaml.safe_dump(bundle, sort_keys=False, allow_unicode=True, width=120)


def _components(project_root: Path) -> Iterator[tuple[Path, Any]]:
    """Each component with the folder of its YAML."""
    from dagster.components.core.defs_module import DefsFolderComponent

    root: Any = component_tree(project_root).load_root_component()
    for folder in (each for each in root.components if isinstance(each, DefsFolderComponent)):
        for path, component in folder.iterate_path_component_pairs():
            file = path.file_path
            yield (file if file.is_dir() else file.parent), component


def component_tree(project_root: Path) -> Any:
    """The components of a project, also where its package is not installed."""
    from dagster.components.core.component_tree import ComponentTree

    source = str(project_root / "src")
    if source not in sys.path and Path(source).is_dir():
        sys.path.insert(0, source)
    return ComponentTree.for_project(project_root)


def _beside(path: str) -> str:
    """A path as a bundle has it: files of the project begin with a dot."""
    return path if path.startswith("/") else f"./{path}"


def _key(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_").lower() or "project"
