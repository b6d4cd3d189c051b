"""What the templates hold, before and after rendering."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from pathspec import GitIgnoreSpec

from tests.rendering import ROOT, answer_sets, tracked

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
        re.split(r"[<>=~!\[]", line)[0].lower(): re.sub(r"^[A-Za-z0-9._-]+(\[[^]]*\])?", "", line)
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
    entries = manifest(project)
    owners = {file: [entry["path"] for entry in entries if covers(entry["path"], file)] for file in files(project)}
    assert {file: paths for file, paths in owners.items() if len(paths) != 1} == {}


@pytest.mark.parametrize("name", answer_sets())
def test_the_manifest_names_nothing_that_is_not_there(rendered: Callable[..., Path], name: str):
    project = rendered(answer_sets()[name])
    present = files(project)
    unused = [entry["path"] for entry in manifest(project) if not any(covers(entry["path"], file) for file in present)]
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


def test_components_reach_a_project_unchanged(default_project: Path):
    package = default_project / "src" / "data_platform" / "components"
    modules = [
        path for path in tracked("components") if path.name != "__init__.py" or path.parent != ROOT / "components"
    ]
    different = [
        path.name
        for path in modules
        if (package / path.relative_to(ROOT / "components")).read_text() != path.read_text()
    ]
    assert different == []
