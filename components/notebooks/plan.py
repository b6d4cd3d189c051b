"""What is known about a notebook's run when definitions load: every mistake that can be, is found here."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from ..compute import approved_size, chosen_profile, job_tags
from ..governance.policy import policy_for
from ..governance.policy_compute import ComputeProfile, ComputeSize
from ..governance.policy_secrets import SecretStore
from .run import RENDERED, REPORT, SETTINGS, SOURCE
from .source import Notebook, NotebookError, read_notebook

if TYPE_CHECKING:
    from .component import NotebookRunnerComponent

_OURS = {SETTINGS, SOURCE, RENDERED, REPORT, "run.py", "redaction.py"}


@dataclass(frozen=True)
class Plan:
    """A run of a notebook, but for what only the run knows.

    Args:
        notebook: What its file says.
        source: Its path from the project's root.
        files: Files that go with it, by their path in the job's folder.
        size: Approved resources.
        profile_name: Name of the compute profile.
        profile: Where it runs.
        secret_store: Where secrets are read from.
        tags: Tags that attribute the cost.
        project_root: Folder of the project.
    """

    notebook: Notebook
    source: str
    files: dict[str, Path]
    size: ComputeSize
    profile_name: str
    profile: ComputeProfile
    secret_store: SecretStore
    tags: dict[str, str]
    project_root: Path


def plan_of(component: "NotebookRunnerComponent", context: dg.ComponentLoadContext) -> Plan:
    """The plan of a component.

    Raises:
        NotebookError: the notebook, a file, a parameter or the kernel is missing or wrong.
        DagsterInvalidDefinitionError: the policy does not approve the size, or has no such profile.
    """
    folder = context.path if context.path.is_dir() else context.path.parent
    root = context.project_root
    file = folder / "defs.yaml"
    where = _from_root(file, root)
    policy = policy_for(root)
    size = approved_size(policy, component.compute_size, where)
    profile_name, profile = chosen_profile(
        policy, component.compute_profile, where, component.compute_size, component.owners
    )
    notebook = read_notebook(folder / component.notebook, component.kernel, where)
    notebook.check_parameters(component.parameters, where)
    if profile.runs_on == "local":
        _check_kernel(notebook, where)
    return Plan(
        notebook=notebook,
        source=_from_root(notebook.path, root),
        files=_files(component.files, folder, where),
        size=size,
        profile_name=profile_name,
        profile=profile,
        secret_store=policy.secrets,
        tags=job_tags(component.compute_size, size, component.owners),
        project_root=root,
    )


def _files(patterns: list[str], folder: Path, where: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for pattern in patterns:
        try:
            matches = sorted(path for path in folder.glob(pattern) if path.is_file())
        except (NotImplementedError, ValueError):  # Path.glob refuses absolute and empty patterns
            matches = []
        if not matches:
            raise NotebookError(f"{where}: files: {pattern!r} matches no file in {folder.name}")
        for path in matches:
            name = path.relative_to(folder).as_posix()
            if name in _OURS:
                raise NotebookError(
                    f"{where}: files: the name {name} is used by the notebook runner; choose another one"
                )
            found[name] = path
    return found


def _check_kernel(notebook: Notebook, where: str) -> None:
    """Raise NotebookError unless the kernel is installed here; without Jupyter there is nothing to look at."""
    if not find_spec("jupyter_core"):
        return
    from jupyter_core.paths import jupyter_path

    installed = {
        spec.parent.name.lower(): spec
        for folder in jupyter_path("kernels")
        for spec in Path(folder).glob("*/kernel.json")
        if _is_json(spec)
    }
    names = sorted({*installed, *(["python3"] if find_spec("ipykernel") else [])})
    if notebook.kernel.lower() not in names:
        raise NotebookError(
            f"{where}: kernel: {notebook.kernel!r}, which {notebook.path.name} asks for, is not installed; "
            f"expected one of: {', '.join(names) or 'none; install ipykernel'}"
        )


def _is_json(file: Path) -> bool:
    try:
        return bool(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return False


def _from_root(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def settings_of(component: "NotebookRunnerComponent", plan: Plan, parameters: dict[str, Any]) -> dict[str, Any]:
    """What the job's script reads.

    Args:
        component: The component.
        plan: Its plan.
        parameters: Values that are injected.
    """
    return {
        "parameters": parameters,
        "kernel": plan.notebook.kernel,
        "language": plan.notebook.language,
        "secrets": component.secrets,
        "injected_before": plan.notebook.injected_before if parameters else None,
    }
