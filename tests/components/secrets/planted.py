"""A project in a folder of its own, run by Dagster's own command, and a search for secrets in all that it wrote."""

import base64
import html
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import yaml

REPOSITORY = Path(__file__).parents[3]
DEFINITIONS = """\
from pathlib import Path

import dagster as dg

from components.governance import governed

PROJECT_ROOT = Path(__file__).parents[2]


@dg.definitions
def defs():
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return governed(dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor)), PROJECT_ROOT)
"""
TICK = """\
import json, sys
import dagster as dg
from planted.definitions import defs

defs = defs()
with dg.DagsterInstance.get() as instance:
    job = defs.resolve_implicit_global_asset_job_def()
    job.execute_in_process(instance=instance, raise_on_error=False)
    for name, cursor in json.loads(sys.argv[1]).items():
        repository = defs.get_repository_def()
        context = dg.build_sensor_context(instance, cursor, repository_def=repository, sensor_name=name)
        try:
            print(defs.resolve_sensor_def(name).evaluate_tick(context).skip_message)
        except Exception as error:
            print(repr(error))
"""
PYPROJECT = """\
[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "planted"
"""
POLICY = {
    "version": 1,
    "compute_sizes": {"small": {"threads": 1, "memory_gb": 2, "hourly_cost_usd": 0.1}},
    "alert_routes": {"data": {"url_env": "DATA_ALERTS_URL", "owners": ["team:data"]}},
}


class PlantedProject:
    """A project whose environment, store and code know secrets that nothing may write down.

    Args:
        folder: Everything that runs may write is below it: the project, DAGSTER_HOME, temporary files and logs.
        secrets: The ``secrets`` of policy.yaml.
        environment: Variables of the runs.
    """

    def __init__(self, folder: Path, secrets: dict[str, Any], environment: dict[str, str]) -> None:
        self.folder, self.root = folder, folder / "project"
        source = self.root / "src" / "planted"
        self.defs = source / "defs"
        for path in (self.defs, folder / "home", folder / "tmp", folder / "user"):
            path.mkdir(parents=True)
        (self.root / "pyproject.toml").write_text(PYPROJECT)
        (self.root / "policy.yaml").write_text(yaml.safe_dump({**POLICY, "secrets": secrets}, sort_keys=False))
        (source / "definitions.py").write_text(DEFINITIONS)
        for package in (source, self.defs):
            (package / "__init__.py").write_text("")
        (folder / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(source.parent), str(REPOSITORY)]),
            "DAGSTER_HOME": str(folder / "home"),
            "HOME": str(folder / "user"),
            "TMPDIR": str(folder / "tmp"),
            **environment,
        }
        self.outputs = 0

    def add(self, component: type, attributes: dict[str, Any], **files: str) -> None:
        """Write a component, and files beside it; two underscores in a name stand for the dot."""
        folder = self.defs / component.__name__.lower()
        folder.mkdir()
        document = {"type": f"{component.__module__}.{component.__name__}", "attributes": attributes}
        (folder / "defs.yaml").write_text(yaml.safe_dump(document))
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(text)

    def dagster(self, *arguments: str) -> str:
        """Run Dagster's command on the project; what it said, which stays among the files that are searched."""
        return self._run("-m", "dagster", *arguments, "-m", "planted.definitions")

    def tick(self, **cursors: str) -> str:
        """Run everything, and then some sensors by name, each with its cursor, as one process; what it said."""
        return self._run("-c", TICK, json.dumps(cursors))

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=240, check=False
        )
        self.outputs += 1
        (self.folder / f"output{self.outputs}.txt").write_text(done.stdout + done.stderr)
        return done.stdout + done.stderr

    def leaks(self, *secrets: str) -> list[str]:
        """Files below the folder that hold a secret in some form, each with that form; pyc files and all."""
        found = []
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            for secret in secrets:
                for name, form in forms(secret).items():
                    if form in content:
                        found.append(f"{path.relative_to(self.folder)}: {name}")
        return found


def forms(secret: str) -> dict[str, bytes]:
    """Every form in which the search looks for a secret."""
    written = {
        "as it is": secret,
        "json": json.dumps(secret)[1:-1],
        "json, not only ASCII": json.dumps(secret, ensure_ascii=False)[1:-1],
        "json in json": json.dumps(json.dumps(secret)[1:-1])[1:-1],
        "repr": repr(secret)[1:-1],
        "URL": quote(secret, safe=""),
        "path of a URL": quote(secret),
        "form": quote_plus(secret),
        "html": html.escape(secret),
        "SQL": secret.replace("'", "''"),
    }
    found = {name: form.encode() for name, form in written.items()}
    found["UTF-16"] = secret.encode("utf-16-le")
    raw = secret.encode()
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + raw)
        found[f"base64 at {offset}"] = whole[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]
    return found
