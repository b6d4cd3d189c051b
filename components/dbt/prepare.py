"""The manifest of a dbt project, parsed when what it was parsed from has changed and at no other time."""

import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from filelock import FileLock, Timeout

from .command import DbtCommand
from .faults import DbtProjectError, redact
from .fingerprint import fingerprint, packages_folder
from .profiles import read_yaml
from .source import REFRESH

PARTIAL_PARSE = "partial_parse.msgpack"
_RECORD = "parsed.json"
_LOCK_SECONDS = 600
_KEEP_SECONDS = 7 * 24 * 3600
_log = logging.getLogger("dagster")


@dataclass(frozen=True)
class ParsedProject:
    """Where one component keeps what dbt made of its project: a manifest of its own, which no dbt in a shell changes.

    Args:
        command: How dbt is started.
        folder: Below the dbt project's ``target``.
    """

    command: DbtCommand
    folder: Path

    @classmethod
    def of(cls, command: DbtCommand, name: str) -> "ParsedProject":
        """The place of the component called ``name``; each target has its own."""
        return cls(command, command.folder / "target" / "dagster" / f"{name}-{command.target or 'default'}")

    @property
    def manifest_path(self) -> Path:
        """The file that dbt wrote."""
        return self.folder / "manifest.json"

    def manifest(self) -> dict[str, Any]:
        """The content of the manifest."""
        found: dict[str, Any] = orjson.loads(self.manifest_path.read_bytes())
        return found

    def prepare(self, dbt_vars: Mapping[str, Any], *, refresh: bool = False) -> None:
        """Parse the project if it changed, so that ``manifest_path`` stands.

        Args:
            dbt_vars: Values of dbt's vars.
            refresh: Parse in any case, and let ``dbt deps`` reach the network.

        Raises:
            DbtProjectError: dbt refuses the project, packages have to be fetched first, or the folder is read-only.
        """
        if not refresh and self._is_current(dbt_vars):
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock", timeout=_LOCK_SECONDS):
                # Another process may have parsed while this one waited.
                if refresh or not self._is_current(dbt_vars):
                    self._install_packages(may_download=refresh)
                    self._parse(dbt_vars)
        except Timeout:
            raise DbtProjectError(
                f"{self.command.folder}: another process has been parsing it for {_LOCK_SECONDS} seconds"
            ) from None
        except PermissionError as error:
            raise DbtProjectError(
                f"{self.command.folder}: the dbt project has to be parsed, and {error.filename} cannot be written; "
                f"run {REFRESH} where it can, for instance while the image is built"
            ) from None

    def output_folder(self, label: str) -> Path:
        """A new folder for the artifacts of one dbt process, with what lets it parse partially; old ones go."""
        runs = self.folder / "runs"
        runs.mkdir(parents=True, exist_ok=True)
        for old in runs.iterdir():
            if old.stat().st_mtime < time.time() - _KEEP_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{label}-", dir=runs))
        self._copy_partial_parse(folder)
        return folder

    def _is_current(self, dbt_vars: Mapping[str, Any]) -> bool:
        return self.manifest_path.is_file() and self._record().get("fingerprint") == fingerprint(self.command, dbt_vars)

    def _record(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads((self.folder / _RECORD).read_text())
        except (OSError, ValueError):
            return {}
        return found

    def _copy_partial_parse(self, folder: Path) -> None:
        # It holds absolute paths of seeds, so that a project that was moved has to do without.
        known = self.folder / PARTIAL_PARSE
        if known.is_file() and self._record().get("folder") == str(self.command.folder):
            shutil.copy(known, folder / PARTIAL_PARSE)

    def _parse(self, dbt_vars: Mapping[str, Any]) -> None:
        _log.info("Parsing the dbt project %s", self.command.folder)
        found = fingerprint(self.command, dbt_vars)
        with tempfile.TemporaryDirectory(prefix=".parsing-", dir=self.folder) as made:
            work = Path(made)
            self._copy_partial_parse(work)
            code, errors = self.command.run(["parse", "--quiet", *self.command.connection(dbt_vars)], work)
            if code or not (work / "manifest.json").is_file():
                reason = redact("\n".join(errors)) or f"exit code {code}"
                raise DbtProjectError(f"{self.command.folder}: dbt cannot parse the project\n{reason}")
            for name in ("manifest.json", PARTIAL_PARSE):
                if (work / name).is_file():
                    (work / name).replace(self.folder / name)
            record = work / _RECORD
            record.write_text(json.dumps({"fingerprint": found, "folder": str(self.command.folder)}))
            record.replace(self.folder / _RECORD)

    def _install_packages(self, *, may_download: bool) -> None:
        folder = self.command.folder
        declared = [
            package
            for name in ("packages.yml", "dependencies.yml")
            for package in read_yaml(folder / name).get("packages") or []
        ]
        installed = packages_folder(folder)
        have = [entry for entry in os.scandir(installed) if entry.is_dir()] if installed.is_dir() else []
        if len(have) >= len(declared):
            return
        remote = [str(package.get("package") or package.get("git") or package) for package in declared]
        remote = [name for name, package in zip(remote, declared, strict=True) if "local" not in package]
        if remote and not may_download:
            raise DbtProjectError(
                redact(f"{folder}: its packages are not installed ({', '.join(remote)}); run: {REFRESH}")
            )
        _log.info("Running dbt deps in %s: %d of %d packages are installed", folder, len(have), len(declared))
        with tempfile.TemporaryDirectory(prefix=".deps-", dir=self.folder) as made:
            code, errors = self.command.run(["deps", "--quiet"], Path(made))
        if code:
            raise DbtProjectError(redact(f"{folder}: dbt deps failed\n" + "\n".join(errors)))
