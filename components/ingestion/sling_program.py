"""Finding Sling's program and what it needs, so that nothing is downloaded while an asset runs."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from .files import SourceError

PROGRAM_VARIABLE = "SLING_BINARY"
_PACKAGES = ("sling_linux_amd64", "sling_linux_arm64", "sling_mac_amd64", "sling_mac_arm64", "sling_windows_amd64")
_JSON_EXTENSION = "json.duckdb_extension"


def program_environment(work: Path) -> dict[str, str]:
    """Variables that lead Sling's Python package to a program that is there, and DuckDB's program to its extension.

    The package reads the first of them once, when it is first imported; without it, it would download a program then.

    Args:
        work: Folder for what Sling writes for itself.

    Raises:
        SourceError: there is no program.
    """
    found = {PROGRAM_VARIABLE: _program(), "SLING_HOME_DIR": str(work), "SLING_DISABLE_TELEMETRY": "TRUE"}
    if folder := _folder("duckdb_cli"):
        found["DUCKDB_PATH"] = str(next(path for path in sorted(folder.glob("duckdb*")) if path.is_file()))
    _install_extension()
    return {name: os.environ.get(name) or value for name, value in found.items()}


def _program() -> str:
    if stated := os.environ.get(PROGRAM_VARIABLE):
        return stated
    for package in _PACKAGES:
        folder = _folder(package)
        for file in sorted((folder / "bin").glob("sling-*")) if folder else []:
            return str(file)
    if found := shutil.which("sling-linux-amd64"):
        return found
    raise SourceError(
        f"Sling's program is not installed. Name it in {PROGRAM_VARIABLE}, or add the package "
        "sling-linux-amd64==1.4.11 to the project's dependencies: newer packages download it from GitHub."
    )


def _folder(package: str) -> Path | None:
    spec = find_spec(package)
    return Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None


def _install_extension() -> None:
    """Put the JSON extension of a package where DuckDB's program looks for it, as that package does for DuckDB."""
    package = _folder("duckdb_extension_json")
    for file in sorted((package / "extensions").glob(f"*/{_JSON_EXTENSION}")) if package else []:
        target = Path.home() / ".duckdb" / "extensions" / file.parent.name / "linux_amd64" / _JSON_EXTENSION
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
