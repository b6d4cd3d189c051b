"""Put what is yours in the place of the sample, one part at a time; the platform loads after each.

    uv run python tools/from_sample.py source data/landing      # files of yours, one table each
    uv run python tools/from_sample.py dashboard raw/orders     # a first page about one table
    uv run python tools/from_sample.py dbt ../analytics         # your dbt project: a folder, or a git address

The sample's source goes with its dbt project, which reads it; git keeps what goes.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
[PACKAGE] = [path.parent for path in ROOT.glob("src/*/definitions.py")]
DEFS = PACKAGE / "defs"
FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


def main(arguments: list[str]) -> int:
    """Replace one part; 0 where it was done."""
    parts = {"source": source, "dashboard": dashboard, "dbt": dbt}
    if len(arguments) != 2 or arguments[0] not in parts:
        sys.exit((__doc__ or "").strip())
    parts[arguments[0]](arguments[1])
    print("Now: uv run dg check yaml && uv run dg check defs")
    return 0


def source(folder: str) -> None:
    """Write a source of every file in a folder."""
    found = [file for file in sorted((ROOT / folder).glob("*")) if file.suffix.lower() in FORMATS]
    if not found:
        sys.exit(f"{folder} holds no file that ends in {', '.join(FORMATS)}.")
    tables = [
        {"name": word(file.stem), "file": file.name, "description": f"Rows of {file.name}: say what one row is."}
        for file in found
    ]
    attributes = {"source": {"folder": folder}, "dataset": "raw", **standards("ingestion"), "tables": tables}
    write(f"ingestion/{word(Path(folder).name)}", "FileSourceComponent", attributes)


def dashboard(key: str) -> None:
    """Write a page about one table, and drop the sample's page and export."""
    if not re.fullmatch(r"[a-z0-9_]+/[a-z0-9_]+", key):
        sys.exit(f"{key!r} is no table: write schema/table, for instance raw/orders.")
    name = key.split("/")[1]
    table = key.replace("/", ".")
    tiles = [
        {"title": "Rows", "type": "metric", "sql": f"select count(*) as n from {table}", "value": "n"},  # noqa: S608
        {"title": "The first of them", "type": "table", "sql": f"select * from {table} limit 100"},  # noqa: S608
    ]
    attributes = {
        "key": f"dashboards/{name}",
        "title": name.replace("_", " ").capitalize(),
        "description": f"What {key} holds.",
        "output": f"dashboards/{name}.html",
        **standards("dashboards"),
        "dialect": "duckdb",
        "depends_on": [key],
        "tiles": tiles,
    }
    write(f"dashboards/{name}", "DashboardComponent", attributes)
    drop(DEFS / "dashboards" / "flights", DEFS / "activation" / "delay_watchlist")


def dbt(project: str) -> None:
    """Name another dbt project, and drop the sample's with the source that it reads."""
    file = DEFS / "transform" / "defs.yaml"
    text = file.read_text(encoding="utf-8")
    if "://" in project or re.match(r"[\w.-]+@[\w.-]+:", project):
        address, _, folder = re.sub(r"(?<=[^:/])//", "\n", project).partition("\n")
        named = f"\n    git: {quoted(address)}\n    subfolder: {quoted(folder or '.')}\n    token_env: DBT_GIT_TOKEN"
    elif (ROOT / project / "dbt_project.yml").is_file():
        absolute = Path(project).is_absolute()
        named = " " + quoted(project if absolute else f"{{{{ context.project_root }}}}/{project}")
    else:
        sys.exit(f"{project} holds no dbt_project.yml.")
    changed = re.sub(r"(?m)^  project:.*\n(    .*\n)*", lambda _: f"  project:{named}\n", text, count=1)
    file.write_text(changed, encoding="utf-8", newline="\n")
    drop(ROOT / "transform", DEFS / "ingestion" / "flights")


def standards(group: str) -> dict[str, Any]:
    """What policy.yaml asks of every asset."""
    policy = yaml.safe_load((ROOT / "policy.yaml").read_text(encoding="utf-8"))
    tags = dict.fromkeys(policy.get("required_tags") or [], "analytics")
    owner = yaml.safe_load((ROOT / ".copier-answers.yml").read_text(encoding="utf-8"))["owner"]
    return {"owners": [owner], "group": group, "tags": tags}


def write(folder: str, component: str, attributes: dict[str, Any]) -> None:
    """A new defs.yaml; ends where there is one."""
    file = DEFS / folder / "defs.yaml"
    if file.exists():
        sys.exit(f"{file.relative_to(ROOT)} is there already.")
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {"type": f"{PACKAGE.name}.components.{component}", "attributes": attributes}
    file.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8", newline="\n")
    print(f"wrote {file.relative_to(ROOT)}")


def drop(*folders: Path) -> None:
    """Remove parts of the sample that git has; ends before anything is lost that it has not."""
    present = [folder for folder in folders if folder.is_dir()]
    for folder in present:
        listed = ["git", "status", "--porcelain", "--ignored=no", "--", str(folder)]
        done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode or done.stdout.strip():
            sys.exit(f"{folder.relative_to(ROOT)} has changes that git has not: commit first, then remove it.")
    for folder in present:
        shutil.rmtree(folder)
        print(f"removed {folder.relative_to(ROOT)}")


def word(text: str) -> str:
    """A name in small letters, digits and underscores."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"t_{plain}"


def quoted(text: str) -> str:
    """Text as YAML has it in quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
