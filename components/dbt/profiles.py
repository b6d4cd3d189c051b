"""Which profile and target dbt uses, checked against the text of profiles.yml without starting dbt."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..warehouse.settings import TARGET_VARIABLE, warehouse_target
from .attributes import DbtOptions
from .faults import DbtProjectError, Where

PLATFORM_PROFILE = "warehouse"


@dataclass(frozen=True)
class Profile:
    """A choice that profiles.yml has.

    Args:
        directory: Folder of profiles.yml.
        name: Profile to name to dbt; None leaves it to dbt_project.yml.
        target: Output to name to dbt; None leaves it to the profile.
    """

    directory: Path
    name: str | None
    target: str | None


def choose_profile(options: DbtOptions, where: Where, dbt_folder: Path, project_root: Path) -> Profile:
    """The platform's profile where the project's root has a profiles.yml, else the dbt project's own.

    Raises:
        DbtProjectError: no profiles.yml is found, or it lacks the profile or the target.
    """
    directory = _directory(options, where, dbt_folder, project_root)
    profiles = read_yaml(directory / "profiles.yml")
    own = read_yaml(dbt_folder / "dbt_project.yml").get("profile")
    platform = directory == project_root and PLATFORM_PROFILE in profiles
    name = options.profile or (PLATFORM_PROFILE if platform else own)
    file = directory / "profiles.yml"
    if name is None or ("{{" not in str(name) and name not in profiles):
        names = [key for key in profiles if key != "config"]
        raise where.fault("dbt.profile", name, f"is not a profile of {file}", names)
    outputs = (profiles.get(name) or {}).get("outputs") or {}
    target = options.target or (warehouse_target() if name == PLATFORM_PROFILE and platform else None)
    if target is not None and outputs and target not in outputs:
        key = "dbt.target" if options.target else f"dbt.target (from {TARGET_VARIABLE})"
        raise where.fault(key, target, f"is not an output of profile {name!r} in {file}", map(str, outputs))
    return Profile(directory, None if name == own else name, target)


def read_yaml(file: Path) -> dict[str, Any]:
    """The mapping in a YAML file; empty where the file is absent or empty.

    Raises:
        DbtProjectError: the file is no YAML, or no mapping.
    """
    if not file.is_file():
        return {}
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise DbtProjectError(f"{file}: is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(found or {}, dict):
        raise DbtProjectError(f"{file}: is not a mapping")
    return found or {}


def _directory(options: DbtOptions, where: Where, dbt_folder: Path, project_root: Path) -> Path:
    if options.profiles_dir:
        directory = (project_root / Path(options.profiles_dir).expanduser()).resolve()
        if not (directory / "profiles.yml").is_file():
            raise where.fault("dbt.profiles_dir", options.profiles_dir, f"has no profiles.yml (looked in {directory})")
        return directory
    for directory in (project_root, dbt_folder):
        if (directory / "profiles.yml").is_file():
            return directory
    raise where.fault(
        "dbt.profiles_dir", None, f"is needed, as neither {project_root} nor {dbt_folder} holds a profiles.yml"
    )
