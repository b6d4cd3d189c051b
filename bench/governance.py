"""A governed dbt project of many models beside the same project under the stock component, each in fresh processes.

    uv run python bench/governance.py [models ...]

Both find the same manifest, made here without dbt, so that what is compared is the load: translation, policy, asset
graph. Figures are CPU seconds (user and system) of the whole process, the best of three; an empty process that only
imports the same libraries is taken off both for the second ratio.
"""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SIZES = (1_000, 3_000, 10_000)
ROUNDS = 3
POLICY = """
version: 1
revision: bench
require: [owner, group, kinds, tags, description, classification]
required_tags: [domain]
classifications:
  public: {}
  internal: {destinations: [duckdb]}
  personal: {destinations: [duckdb], tags: {pii: "true"}}
tiers: {standard: {}, critical: {sla_required: true}}
alert_routes: {data: {url_env: ALERTS_URL, owners: [team:data]}}
max_runtime_minutes: 60
"""


def manifest(base: dict[str, Any], models: int) -> dict[str, Any]:
    """A manifest of models in chains of five, with a test on every third."""
    template = base["nodes"]["model.shop.settings"]
    test = next(node for node in base["nodes"].values() if node["resource_type"] == "test")
    nodes: dict[str, Any] = {}
    parents: dict[str, list[str]] = {}
    children: dict[str, list[str]] = {}
    for number in range(models):
        unique_id = f"model.shop.m{number}"
        reads = [f"model.shop.m{number - 1}"] if number % 5 else []
        path = f"marts/m{number}.sql"
        meta = {"owner": "team:data", "classification": "internal", "tier": "standard"}
        nodes[unique_id] = {
            **template,
            "unique_id": unique_id,
            "name": f"m{number}",
            "alias": f"m{number}",
            "fqn": ["shop", "marts", f"m{number}"],
            "path": path,
            "original_file_path": f"models/{path}",
            "description": f"Model {number}.",
            "config": {**template["config"], "meta": meta},
            "meta": meta,
            "tags": [],
            "depends_on": {"nodes": reads, "macros": []},
        }
        parents[unique_id] = reads
        children[unique_id] = []
        for parent in reads:
            children[parent].append(unique_id)
        if number % 3 == 0:
            test_id = f"test.shop.not_null_m{number}"
            nodes[test_id] = {
                **test,
                "unique_id": test_id,
                "name": f"not_null_m{number}",
                "alias": f"not_null_m{number}",
                "attached_node": unique_id,
                "depends_on": {"nodes": [unique_id], "macros": []},
                "fqn": ["shop", "marts", f"not_null_m{number}"],
            }
            parents[test_id], children[test_id] = [unique_id], []
            children[unique_id].append(test_id)
    return {
        **base,
        "nodes": nodes,
        "sources": {},
        "unit_tests": {},
        "exposures": {},
        "parent_map": parents,
        "child_map": children,
    }


STOCK = """
import dagster as dg
from dagster_dbt import DbtProject, DbtProjectComponent

@dg.component_instance
def transform(context: dg.ComponentLoadContext) -> DbtProjectComponent:
    root = context.project_root
    return DbtProjectComponent(
        project=DbtProject(root / "transform", profiles_dir=root), prepare_if_dev=False, translation=None
    )
"""
GOVERNED = """
type: components.dbt.GovernedDbtProjectComponent
attributes:
  project: "{{ context.project_root }}/transform"
  assets: {tags: {domain: bench}}
"""


def project(work: Path, side: str, models: int) -> Path:
    """A dg project around the dbt project, without its manifest."""
    folder = work / f"{side}_{models}"
    package = folder / "src" / folder.name
    home = package / "defs" / "transform"
    home.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "defs" / "__init__.py").touch()
    if side == "governed":
        (home / "defs.yaml").write_text(GOVERNED)
    else:
        (home / "component.py").write_text(STOCK)
    sample = ROOT / "tests" / "components" / "dbt" / "sample"
    shutil.copytree(sample / "transform", folder / "transform", ignore=shutil.ignore_patterns("target", "logs"))
    shutil.copy2(sample / "profiles.yml", folder)
    if models:
        for name in ("models", "snapshots", "seeds", "tests"):
            shutil.rmtree(folder / "transform" / name)
        marts = folder / "transform" / "models" / "marts"
        marts.mkdir(parents=True)
        for number in range(models):
            (marts / f"m{number}.sql").write_text("select 1 as id\n")
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "bench"\nversion = "0"\n[tool.dg]\ndirectory_type = "project"\n'
        f'[tool.dg.project]\nroot_module = "{package.name}"\n'
    )
    return folder


def load(side: str, folder: Path, made: Path | None) -> None:
    """Load one side's definitions up to the repository, as a code location does.

    Args:
        side: ``stock``, ``governed``, ``parse`` for the component without the policy, or ``imports`` for nothing but
            the imports that all have.
        folder: The project.
        made: A manifest to take instead of what dbt would make of the project.
    """
    import dagster as dg
    from dagster_dbt import DbtProjectComponent  # noqa: F401 both sides import the same

    from components.dbt import GovernedDbtProjectComponent  # noqa: F401
    from components.dbt.command import DbtCommand
    from components.governance import governed

    if side == "imports":
        return
    if made:

        def parse(self: object, arguments: object, output: Path) -> tuple[int, list[str]]:
            shutil.copy(made, output / "manifest.json")
            return 0, []

        DbtCommand.run = parse  # type: ignore[assignment, method-assign]
    sys.path.insert(0, str(folder / "src"))
    defs = dg.load_from_defs_folder(path_within_project=folder)
    if side == "governed":
        defs = governed(defs, folder)
    number = len(defs.get_repository_def().asset_graph.materializable_asset_keys)
    if number < int(folder.name.rsplit("_", 1)[1]):
        sys.exit(f"{folder.name}: only {number} assets were loaded")


def seconds(*arguments: str) -> float:
    """CPU seconds of a process of this file's own, with its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-W", "ignore", __file__, *arguments], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def main(sizes: list[int]) -> None:
    """Make the projects, time each side in turn, and print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        first = project(work, "governed", 0)
        seconds("load", "parse", str(first))
        (found,) = (first / "transform" / "target" / "dagster").glob("*/manifest.json")
        base = json.loads(found.read_bytes())
        imports = min(seconds("load", "imports", str(first)) for _ in range(ROUNDS))
        print(f"imports alone {imports:.2f} s")
        for models in sizes:
            made = work / f"manifest-{models}.json"
            made.write_text(json.dumps(manifest(base, models)))
            stock, ours = project(work, "stock", models), project(work, "governed", models)
            (stock / "transform" / "target").mkdir()
            shutil.copy(made, stock / "transform" / "target" / "manifest.json")
            seconds("load", "governed", str(ours), str(made))  # records that the manifest is up to date
            pairs = [
                (seconds("load", "stock", str(stock)), seconds("load", "governed", str(ours))) for _ in range(ROUNDS)
            ]
            theirs, mine = (min(side) for side in zip(*pairs, strict=True))
            print(
                f"{models:,} models: stock {theirs:.2f} s, governed {mine:.2f} s, ratio {mine / theirs:.2f}, "
                f"without imports {(mine - imports) / (theirs - imports):.2f}, "
                f"governed per 1,000 models {(mine - imports) / models * 1000:.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if sys.argv[1:2] == ["load"]:
        load(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]) if len(sys.argv) > 4 else None)
    else:
        main([int(size.replace(",", "").replace("_", "")) for size in sys.argv[1:]] or list(SIZES))
