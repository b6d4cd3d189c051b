"""What the templates hold, before and after rendering."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest
import yaml
from pathspec import GitIgnoreSpec

from tests.rendering import COMPONENT_ANSWERS, ROOT, answer_sets, tracked

MARKS = ("[=", "=]", "[%", "%]", "[#", "#]")
KINDS = sorted(path.name for path in (ROOT / "templates").iterdir())
RENDERED_ONLY = {".copier-answers.yml"}


def has_marks(path: Path) -> bool:
    text = path.read_text()
    return any(mark in text for mark in MARKS) or bool(re.search(r"^\s*#%", text, re.MULTILINE))


def manifest(project: Path) -> list[dict[str, str]]:
    """The ownership table as the generated README prints it."""
    table = re.findall(r"^\| `(.+?)` \| (managed|seeded) \| (.+?) \|$", (project / "README.md").read_text(), re.M)
    return [{"path": path, "owner": owner, "about": about} for path, owner, about in table]


def joined(answers: dict[str, str]) -> list[dict[str, str]]:
    """The manifest of a component, which has no README of its own; its page is in the package's docs folder."""
    if answers["kind"] != "component":
        return []
    text = yaml.safe_load((ROOT / "questions" / "manifest.yml").read_text())["manifest"]["default"]
    marks = {"variable_start_string": "[=", "variable_end_string": "=]"}
    marks |= {"block_start_string": "[%", "block_end_string": "%]", "comment_start_string": "[#"}
    environment = jinja2.Environment(**marks, comment_end_string="#]")
    environment.filters["to_json"] = json.dumps
    names = {"package": "acme_components", "component_module": "daily_report_component", "makes": "python"}
    names |= {"component_name": "DailyReportComponent", "_copier_conf": {"answers_file": COMPONENT_ANSWERS}, **answers}
    entries = yaml.safe_load(environment.from_string(text).render(**names))
    kept = [entry for entry in entries if entry.get("present", True) and not entry["path"].startswith("/docs/")]
    return [entry | {"path": entry["path"].lstrip("/")} for entry in kept]


def covers(pattern: str, file: str) -> bool:
    return GitIgnoreSpec.from_lines([f"/{pattern}"]).match_file(file)


def files(project: Path) -> list[str]:
    return sorted(path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", KINDS)
def test_three_quarters_of_a_payload_carry_no_mark_at_all(kind: str):
    payload = tracked(f"templates/{kind}") + tracked("components")
    verbatim = [path for path in payload if path.suffix != ".jinja"]
    assert len(verbatim) >= 0.75 * len(payload), f"{len(verbatim)} of {len(payload)}"


def test_files_that_are_not_rendered_hold_no_marks():
    payload = [path for path in tracked("templates") if path.suffix != ".jinja"] + tracked("components")
    assert [path.relative_to(ROOT).as_posix() for path in payload if has_marks(path)] == []


def test_all_python_of_the_payload_parses_before_it_is_rendered():
    for path in [*tracked("templates"), *tracked("components"), *tracked("hooks")]:
        if path.suffix == ".py":
            ast.parse(path.read_text(), filename=str(path))


def test_no_rendered_file_needs_an_escape():
    assert [path.name for path in tracked("templates") if "raw %]" in path.read_text()] == []


def test_the_lists_of_component_modules_match_the_folders():
    done = subprocess.run([sys.executable, "tools/component_lists.py", "--check"], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_the_repository_and_its_projects_use_the_same_pins():
    pins = yaml.safe_load(yaml.safe_load((ROOT / "questions" / "pins.yml").read_text())["pins"]["default"])
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = {
        re.sub(r"[._]", "-", re.split(r"[<>=~!\[]", line)[0].lower()): re.sub(r"^[A-Za-z0-9._-]+(\[[^]]*\])?", "", line)
        for line in ours["dependency-groups"]["dev"]
        if isinstance(line, str)
    }
    shared = {name: pin for name, pin in pins.items() if name.replace("_", "-") in requirements}
    assert {name: requirements[name.replace("_", "-")] for name in shared} == shared
    assert requirements["dagster-dbt"] == pins["dagster_libraries"]
    assert ours["project"]["requires-python"] == pins["python"]


def test_file_names_are_legal_on_windows():
    names = [path.relative_to(ROOT).as_posix() for folder in ("templates", "components") for path in tracked(folder)]
    assert [name for name in names if re.search(r'[<>:"|?*\\]|[ .]$', name)] == []


def test_no_template_file_is_hidden_by_a_gitignore_of_the_payload():
    assert list((ROOT / "templates").rglob(".gitignore")) == []


@pytest.mark.parametrize("name", answer_sets())
def test_the_manifest_covers_every_file_once(rendered: Callable[..., Path], name: str):
    project = rendered(answer_sets()[name])
    entries = manifest(project) + joined(answer_sets()[name])
    owners = {file: [entry["path"] for entry in entries if covers(entry["path"], file)] for file in files(project)}
    assert {file: paths for file, paths in owners.items() if len(paths) != 1} == {}


@pytest.mark.parametrize("name", answer_sets())
def test_the_manifest_names_nothing_that_is_not_there(rendered: Callable[..., Path], name: str):
    project = rendered(answer_sets()[name])
    present = files(project)
    listed = manifest(project) + joined(answer_sets()[name])
    unused = [entry["path"] for entry in listed if not any(covers(entry["path"], file) for file in present)]
    assert unused == []


@pytest.mark.parametrize("name", answer_sets())
def test_a_render_is_free_of_marks_ignored_files_lock_files_and_binaries(rendered: Callable[..., Path], name: str):
    project = rendered(answer_sets()[name])
    ignore = GitIgnoreSpec.from_lines((project / ".gitignore").read_text().splitlines())
    problems = {}
    for file in files(project):
        content = (project / file).read_bytes()
        if ignore.match_file(file):
            problems[file] = "git-ignored: an update would lose it"
        elif file.endswith(".lock") or b"\0" in content:
            problems[file] = "a lock file or a binary"
        elif "[%" in (text := content.decode()) or "[= " in text:
            problems[file] = "a template mark is left over"
    assert problems == {}


@pytest.mark.parametrize("name", answer_sets())
def test_a_render_needs_no_formatting_and_lints_clean(rendered: Callable[..., Path], name: str):
    project = rendered(answer_sets()[name])
    for command in (["ruff", "format", "--check"], ["ruff", "check"]):
        done = subprocess.run(
            [sys.executable, "-m", *command, "--no-cache", str(project)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", answer_sets())
def test_every_yaml_and_toml_file_parses(rendered: Callable[..., Path], name: str):
    project = rendered(answer_sets()[name])
    for path in project.rglob("*"):
        if path.suffix in {".yml", ".yaml"}:
            list(yaml.safe_load_all(path.read_text()))
        elif path.suffix == ".toml":
            tomllib.loads(path.read_text())


def test_rendering_twice_gives_the_same_bytes(rendered: Callable[..., Path]):
    one, two = rendered(), rendered()
    assert {file: (one / file).read_bytes() for file in files(one) if file not in RENDERED_ONLY} == {
        file: (two / file).read_bytes() for file in files(two) if file not in RENDERED_ONLY
    }


LIBRARIES = {"modern-data": "data_platform/components", "component-package": "acme_components"}


@pytest.mark.parametrize("kind", LIBRARIES)
def test_components_reach_a_project_unchanged(template: Path, rendered: Callable[..., Path], kind: str):
    chosen = {"sources": ["stripe"]} if kind == "modern-data" else {}
    package = rendered({"kind": kind, **chosen}) / "src" / LIBRARIES[kind]
    library = template / "components"
    files = [path for path in library.rglob("*") if path.is_file() and path != library / "__init__.py"]
    modules = [path.relative_to(library) for path in files]
    families = {path.name for path in package.iterdir() if path.is_dir()}
    # Connectors come one by one, as the answer to `sources` names them.
    connectors = {path.relative_to(package) for path in package.glob("ingestion/connectors/*")}
    modules = [path for path in modules if path.parent.name != "connectors" or path in connectors]
    taken = [path for path in modules if len(path.parts) == 1 or path.parts[0] in families]
    different = [str(path) for path in taken if (package / path).read_bytes() != (library / path).read_bytes()]
    assert len(taken) > 50
    assert len(connectors) >= 2
    assert different == []


def test_the_default_package_holds_the_whole_library(rendered: Callable[..., Path]):
    package = rendered({"kind": "component-package"}) / "src" / "acme_components"
    families = {path.parent.name for path in (ROOT / "components").glob("*/__init__.py")}
    assert families - {path.name for path in package.iterdir()} == set()


@pytest.mark.parametrize("family", ["warehouse", "notebooks", "spark", "ml", "stock", "orchestration"])
def test_a_package_of_one_family_has_what_the_family_imports(rendered: Callable[..., Path], family: str):
    package = rendered({"kind": "component-package", "families": [family]}) / "src" / "acme_components"
    missing = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                origin = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
                if not (origin.with_suffix(".py").is_file() or origin.is_dir()):
                    missing.add(f"{path.relative_to(package)}: {'.' * node.level}{node.module}")
    assert missing == set()


# What an import is called on the index, where that is another name.
DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "databricks": "databricks-sdk",
    "dateutil": "dagster",
    "google": "google-cloud-bigquery",
    "markdown_it": "markdown-it-py",
    "mlflow": "mlflow-skinny",
    "openlineage": "openlineage-python",
    "pyspark": "pyspark-client",
    "sklearn": "scikit-learn",
    "snowflake": "snowflake-connector-python",
    "stdnum": "python-stdnum",
    "xgboost": "xgboost-cpu",
}
# These come with what the package asks for anyway.
COME_ALONG = {
    "dagster": {"dagster_shared", "pydantic", "pydantic_core", "yaml", "jinja2", "requests", "toposort", "filelock"},
    "scikit-learn": {"numpy", "scipy", "joblib", "threadpoolctl"},
    "papermill": {"nbformat", "nbclient"},
    "ipykernel": {"IPython", "jupyter_client", "jupyter_core", "traitlets"},
    "dagster-dbt": {"orjson"},
    "dlt": {"fsspec"},
    "dbt-core": {"dbt"},
    "dbt-postgres": {"psycopg2"},
    "kubernetes": {"urllib3"},
    "boto3": {"botocore"},
    "skops": {"packaging"},
    "opentelemetry-sdk": {"opentelemetry"},
}


def test_every_library_that_a_component_imports_is_a_dependency_or_an_extra(rendered: Callable[..., Path]):
    project = rendered({"kind": "component-package"})
    settings = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    lines = settings["dependencies"] + [line for extra in settings["optional-dependencies"].values() for line in extra]
    names = {re.split(r"[<>=~!\[]", line)[0] for line in lines}
    declared = {name.replace("-", "_") for name in names}.union(*(COME_ALONG.get(name, set()) for name in names))
    used: dict[str, set[str]] = {}
    for path in (project / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [node.module] if isinstance(node, ast.ImportFrom) and not node.level and node.module else []
            for module in found:
                top = module.split(".")[0]
                used.setdefault(DISTRIBUTIONS.get(top, top).replace("-", "_"), set()).add(path.name)
    own = {path.stem for path in (project / "src").rglob("*.py")} | {"acme_components"}
    unknown = {name: files for name, files in used.items() if name not in declared | set(sys.stdlib_module_names) | own}
    assert unknown == {}
