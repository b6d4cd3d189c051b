"""A project's definitions held against its policy, loaded as dg loads them."""

import contextlib
import os
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.workspace.autodiscovery import loadable_targets_from_loaded_module

from .cascade import cascade
from .enforcement import Findings, collecting, find
from .policy import POLICY_FILE, policy_for


class UncheckableError(Exception):
    """A project that could not be checked; the message says why and what to do."""


def project_root(given: Path) -> Path:
    """The folder of the project's policy.yaml.

    Raises:
        UncheckableError: there is no such folder, or no policy.yaml in it.
    """
    root = given.resolve()
    if not root.is_dir():
        raise UncheckableError(f"--project: {given} is not a folder")
    if not (root / POLICY_FILE).is_file():
        raise UncheckableError(f"--project: {given} has no {POLICY_FILE}; give the folder of the project's pyproject")
    return root


def check_project(root: Path) -> Findings:
    """Everything that a project breaks, waived or not, whatever the mode of its policy.

    A project that does not call ``governed`` itself is held against its policy all the same.

    Args:
        root: Folder of pyproject.toml and policy.yaml.

    Raises:
        PolicyError: policy.yaml is broken.
        UncheckableError: the project cannot be loaded.
    """
    policy = policy_for(root)
    with collecting() as found:
        defs = _loaded(root)
        if not found:
            found.append(find(cascade(defs, policy), policy, root))
    return found[-1]


def _loaded(root: Path) -> dg.Definitions:
    settings = _settings(root)
    module = settings.get("code_location_target_module") or f"{settings['root_module']}.definitions"
    # What dg sets: components that keep state refresh it as they do there.
    os.environ.setdefault("DAGSTER_IS_DEV_CLI", "1")
    source = str(root / "src")
    if source not in sys.path:
        sys.path.insert(0, source)
    with _inside(root):
        try:
            if settings.get("autoload_defs"):
                return dg.load_from_defs_folder(path_within_project=root)
            (target,) = loadable_targets_from_loaded_module(import_module(module))
            made: Any = target.target_definition
            defs = made() if callable(made) and not isinstance(made, dg.Definitions) else made
        except dg.DagsterInvalidDefinitionError:
            raise
        except Exception as error:
            raise UncheckableError(f"{module} does not load ({type(error).__name__}): {error}") from error
    if not isinstance(defs, dg.Definitions):
        raise UncheckableError(f"{module}: expected one function under @dg.definitions, or one Definitions object")
    return defs


def _settings(root: Path) -> dict[str, Any]:
    file = root / "pyproject.toml"
    try:
        found: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UncheckableError(f"{file} is missing; --project is the folder of a dg project") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UncheckableError(f"{file}: this is not TOML: {error}") from None
    project = found.get("tool", {}).get("dg", {}).get("project", {})
    if not isinstance(project, dict) or not project.get("root_module"):
        raise UncheckableError(f"{file}: tool.dg.project.root_module is missing; expected the name of the package")
    return project


@contextlib.contextmanager
def _inside(folder: Path) -> Any:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
