"""The dbt command line of one project: which executable, with which profile, target, vars and environment."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .faults import DbtProjectError

_ANSI = re.compile(r"\x1b\x5b[0-9;]*m")
_REPEATED = 20


@dataclass(frozen=True)
class DbtCommand:
    """How dbt is started for one component.

    Args:
        folder: The dbt project.
        profiles_dir: Folder of profiles.yml.
        profile: Profile to name; None leaves it to the dbt project.
        target: Target to name; None leaves it to the profile.
        variables: What dbt reads from the environment beside what this process has.
    """

    folder: Path
    profiles_dir: Path
    profile: str | None
    target: str | None
    variables: Mapping[str, str] = field(default_factory=dict)

    def connection(self, dbt_vars: Mapping[str, Any]) -> list[str]:
        """The arguments that decide how the project parses, the same for every command."""
        arguments = ["--profile", self.profile] if self.profile else []
        arguments += ["--target", self.target] if self.target else []
        return arguments + (["--vars", json.dumps(dbt_vars, sort_keys=True, default=str)] if dbt_vars else [])

    def environment(self, output: Path | None = None) -> dict[str, str]:
        """The environment of the process.

        Args:
            output: Folder of its artifacts and log, instead of the project's ``target``.
        """
        chosen = {
            **os.environ,
            **self.variables,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            "PYTHONUNBUFFERED": "1",
            "PYTHONLEGACYWINDOWSSTDIO": "1",
            "DAGSTER_DBT_CLI": "true",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
            "DBT_LOG_FORMAT": "json",
            "DBT_PROFILES_DIR": str(self.profiles_dir),
            "DBT_PROJECT_DIR": str(self.folder),
        }
        if output:
            chosen |= {"DBT_TARGET_PATH": str(output), "DBT_LOG_PATH": str(output)}
        return chosen

    def run(self, arguments: Sequence[str], output: Path) -> tuple[int, list[str]]:
        """Run dbt quietly to its end; return its exit code and the errors it wrote.

        Args:
            arguments: Command and options; the profile, the target and vars among them.
            output: Folder of its artifacts and log.
        """
        output.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [dbt_executable(), *arguments],
            cwd=self.folder,
            env=self.environment(output),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        return done.returncode, error_messages(done.stdout + "\n" + done.stderr)


def dbt_executable() -> str:
    """The dbt beside the Python in use, else the one on PATH: the same with and without an activated environment.

    Raises:
        DbtProjectError: there is neither.
    """
    beside = Path(sys.executable).parent / ("dbt.exe" if sys.platform == "win32" else "dbt")
    found = str(beside) if beside.is_file() else shutil.which("dbt")
    if not found:
        raise DbtProjectError(f"dbt is not installed: neither {beside} nor a dbt on PATH; add dbt-core and an adapter")
    return found


def error_messages(output: str) -> list[str]:
    """The errors in dbt's JSON log, in order and once each; plain lines where it wrote no JSON."""
    errors, plain = [], []
    for line in filter(None, map(str.strip, output.splitlines())):
        try:
            info = json.loads(line)["info"]
        except (ValueError, KeyError, TypeError):
            plain.append(line)
            continue
        if info.get("level") == "error":
            errors.append(clean(info["msg"]))
    return list(dict.fromkeys(errors or plain))[:_REPEATED]


def clean(message: str) -> str:
    """A message of dbt without terminal colours."""
    return _ANSI.sub("", message).strip()
