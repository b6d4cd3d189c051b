"""Jobs to try the runners with."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from components.compute import Job
from components.governance.policy_compute import ComputeSize

SMALL = ComputeSize(threads=2, memory_gb=1, hourly_cost_usd=0.36)
SECRET = "s3cr3t-Value/+9"  # made up


class Jobs:
    """Makes jobs whose script is given as text, in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.inputs = folder / "inputs"
        self.folder = folder / "job"
        self.lines: list[str] = []
        self.inputs.mkdir()

    def file(self, name: str, text: str) -> Path:
        path = self.inputs / name
        path.write_text(dedent(text))
        return path

    def job(self, script: str, **changes: Any) -> Job:
        settings: dict[str, Any] = {
            "name": "try-it",
            "script": self.file("script.py", script),
            "arguments": [],
            "files": {},
            "environment": {},
            "secrets": {},
            "outputs": [],
            "size": SMALL,
            "size_name": "small",
            "max_runtime_seconds": None,
            "max_cost_usd": None,
            "tags": {"cost_owner": "research"},
        }
        return Job(**{**settings, **changes})

    @property
    def log(self) -> Callable[[str], None]:
        return self.lines.append

    def everything_written(self) -> str:
        """The log, and every file of the job's folder."""
        files = [path.read_text(errors="replace") for path in self.folder.rglob("*") if path.is_file()]
        return "\n".join([*self.lines, *files])


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path)
