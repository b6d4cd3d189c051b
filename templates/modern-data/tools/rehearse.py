"""Rehearse production on this machine: what dbt and the SQL components would run there, with no account.

    uv run dg launch --assets "*"      # once: the data to rehearse with
    uv run python tools/rehearse.py

dbt compiles the project for the production warehouse with made-up credentials, so nothing is sent anywhere. Each
statement is read as that warehouse would read it, put into DuckDB's words, run over the local data, and its rows are
compared with those of the local run. SQL that the warehouse does not know is named with file and line.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from rehearse_data import Stage
from rehearse_sql import Faults, portable_query, statement_faults

ROOT = Path(__file__).resolve().parent.parent
# How sqlglot calls the engines of dbt's adapters.
DIALECTS = {"duckdb": "duckdb", "postgres": "postgres", "redshift": "redshift", "snowflake": "snowflake"}
DIALECTS |= {"bigquery": "bigquery", "databricks": "databricks"}
# A login that has the right form, and that nobody issued.
GOOGLE_LOGIN = dict.fromkeys(("client_id", "client_secret", "refresh_token"), "made-up") | {"type": "authorized_user"}


def main(arguments: list[str] | None = None) -> int:
    """Rehearse; 0 where everything holds, 1 where something does not."""
    options = parsed(arguments)
    started, faults = time.monotonic(), Faults()
    local = (ROOT / (os.environ.get("WAREHOUSE_DUCKDB_FILE") or "data/warehouse.duckdb")).absolute()
    if not local.is_file():
        sys.exit(f'{local} is not there: run `uv run dg launch --assets "*"` first, for the data to rehearse with.')
    project = options.project or dbt_project()
    with TemporaryDirectory(prefix="rehearsal-") as temporary, Stage(local) as stage:
        manifest = compiled(project, Path(temporary))
        dialect = DIALECTS[manifest["metadata"]["adapter_type"]]
        done = [
            rehearse_models(stage, manifest, project, dialect, faults),
            rehearse_tests(stage, manifest, project, dialect, faults),
            rehearse_queries(stage, dialect, faults),
        ]
    for fault in faults.found:
        print(fault)
    told = ", ".join(f"{count} {what}" for count, what in zip(done, ("models", "tests", "queries"), strict=True))
    outcome = f"{len(faults.found)} to mend" if faults.found else "the same rows as here"
    print(
        f"{told} rehearsed for {dialect} in {time.monotonic() - started:.1f} s: {outcome}. Nothing was sent anywhere."
    )
    return 1 if faults.found else 0


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    summary, details = (__doc__ or "").split("\n", 1)
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=summary, epilog=details, formatter_class=formatter)
    parser.add_argument("--project", type=lambda text: Path(text).resolve(), help="folder of dbt_project.yml")
    return parser.parse_args(arguments)


def dbt_project() -> Path:
    """The dbt project that defs/transform/defs.yaml names; ends where it names none on this machine."""
    for file in ROOT.glob("src/*/defs/transform/defs.yaml"):
        named = next(yaml.safe_load_all(file.read_text(encoding="utf-8")))["attributes"].get("project")
        if isinstance(named, str):
            return Path(re.sub(r"\{\{.*?\}\}", str(ROOT), named)).resolve()
    sys.exit("Where is the dbt project? Give its folder on this machine: --project FOLDER")


def compiled(project: Path, folder: Path) -> dict[str, Any]:
    """dbt's manifest for the production target, with the SQL that it would run; ends in dbt's words where it fails."""
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--no-use-colors", "compile"]
    command += ["--no-introspect", "--no-populate-cache", "--target", "production", "--target-path", str(folder)]
    command += ["--project-dir", str(project), "--profiles-dir", str(ROOT), "--log-path", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=made_up_environment(folder), capture_output=True, text=True)
    if done.returncode:
        words = (done.stdout + done.stderr).strip()
        if "connection never acquired" in words:
            words += (
                "\nA macro of that model asks the warehouse something while it compiles: a rehearsal has none to ask."
            )
        sys.exit(f"dbt cannot compile the project for production:\n{words}")
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def made_up_environment(folder: Path) -> dict[str, str]:
    """The environment without a real login: what profiles.yml asks for is made up, its options are unset."""
    named = re.findall(r"env_var\('(\w+)'(,)?", (ROOT / "profiles.yml").read_text(encoding="utf-8"))
    kept = {name: value for name, value in os.environ.items() if name not in {name for name, _ in named}}
    kept |= {name: os.environ[name] for name, _ in named if name.startswith("DBT_") and name in os.environ}
    kept |= {name: "made_up" for name, optional in named if not optional}
    login = folder / "login.json"
    login.write_text(json.dumps(GOOGLE_LOGIN), encoding="utf-8")
    return {**kept, "GOOGLE_APPLICATION_CREDENTIALS": str(login), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def rehearse_models(stage: Stage, manifest: dict[str, Any], project: Path, dialect: str, faults: Faults) -> int:
    """Run every model over the local data and compare; how many there are."""
    nodes = manifest["nodes"]
    models = [nodes[name] for name in in_order(nodes) if nodes[name]["resource_type"] == "model"]
    for model in models:
        if model["config"]["materialized"] == "ephemeral":  # stands in the SQL of those that read it
            continue
        schema, name = model["schema"], model["alias"]
        file = project / model["original_file_path"]
        if model["language"] != "sql":
            faults.add(file, None, "a Python model runs on the warehouse only", "rehearse what it does by itself")
            stage.keep(schema, name)
            continue
        query = portable_query(model["compiled_code"], dialect, file, faults)
        stage.build(schema, name, query, file, faults)
    return len(models)


def in_order(nodes: dict[str, Any]) -> list[str]:
    """Every node after those that it reads."""
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in nodes and name not in ordered:
            for above in nodes[name].get("depends_on", {}).get("nodes", []):
                visit(above)
            ordered[name] = None

    for name in nodes:
        visit(name)
    return list(ordered)


def rehearse_tests(stage: Stage, manifest: dict[str, Any], project: Path, dialect: str, faults: Faults) -> int:
    """Run every data test over what the models made; how many there are."""
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    for test in tests:
        file = project / test["original_file_path"]
        query = portable_query(test["compiled_code"], dialect, file, faults)
        if query and (rows := stage.count(query, file, faults)) and test["config"]["severity"].lower() == "error":
            faults.add(file, None, f"test {test['name']}: {rows:,} rows fail", "on the local data they should not")
    return len(tests)


def rehearse_queries(stage: Stage, dialect: str, faults: Faults) -> int:
    """Run the SQL of components in the warehouse's words and in their own; how many queries there are."""
    count = 0
    for file, attributes in components():
        written_in = attributes.get("dialect") or dialect
        for sql in queries(attributes, file):
            count += 1
            said = statement_faults(sql, written_in, dialect, file, faults)
            theirs = said and portable_query(said, dialect, file, faults)
            if theirs:
                ours = sql if written_in == "duckdb" else portable_query(sql, written_in, file, faults)
                stage.compare_queries(theirs, ours or theirs, file, faults)
    return count


def components() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each component of defs/ that may hold SQL, with its file."""
    for file in sorted(ROOT.glob("src/*/defs/**/defs.yaml")):
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            attributes = (document or {}).get("attributes")
            if isinstance(attributes, dict) and "partition" not in attributes:  # whose SQL is complete in a run only
                yield file, attributes


def queries(attributes: dict[str, Any], file: Path) -> Iterator[str]:
    """The different queries of a component: its own, and those of its tiles."""
    holders = [attributes, *(tile for tile in attributes.get("tiles") or [] if isinstance(tile, dict))]
    texts = [holder["sql"] for holder in holders if isinstance(holder.get("sql"), str)]
    texts += [(file.parent / name).read_text(encoding="utf-8") for name in [attributes.get("sql_file")] if name]
    yield from dict.fromkeys(texts)


if __name__ == "__main__":
    sys.exit(main())
