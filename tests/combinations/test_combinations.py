"""Any combination of answers renders and its YAML is right; every two answers meet; each answer is loaded twice."""

import asyncio
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster.components.core.component_tree import ComponentTree
from jsonschema import Draft202012Validator

from components.ingestion.rest.catalogue import CONNECTORS as CONNECTOR_FILES
from components.ingestion.rest.catalogue import packaged_connector
from tests.combinations.loading import forget
from tests.combinations.pairs import Row, pairwise
from tests.payload.variants import GIT
from tests.rendering import asked_questions, render

QUESTIONS = asked_questions()
CHOICES = {name: list(QUESTIONS[name]["choices"].values()) for name in ("warehouse", "ci", "sources", "tools")}
MANY = {name: CHOICES[name] for name in ("sources", "tools")}  # each choice of them is taken or left
FACTORS: dict[str, list[Any]] = {
    "warehouse": CHOICES["warehouse"],
    "dbt_project": ["sample", "cloud", "folder", "git"],
    "ci": CHOICES["ci"],
    **{choice: [True, False] for choices in MANY.values() for choice in choices},
}
ROWS = pairwise(FACTORS)


def answers(row: Row, folder: str = "../shop dbt", git: str = f"{GIT}//transform") -> dict[str, Any]:
    """A row as Copier takes it."""
    projects = {"folder": folder, "git": git}
    return {
        "warehouse": row["warehouse"],
        "dbt_project": projects.get(row["dbt_project"], row["dbt_project"]),
        "ci": row["ci"],
        **{question: [choice for choice in choices if row[choice]] for question, choices in MANY.items()},
    }


def documents(project: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every component of a project's defs/ with its place."""
    for file in sorted(project.glob("src/*/defs/**/defs.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            yield file.relative_to(project).as_posix(), document


@cache
def schema(family: str, name: str) -> Draft202012Validator:
    """What ``dg check yaml`` holds the attributes of a component against."""
    component = getattr(import_module(f"components.{family}"), name)
    return Draft202012Validator(component.get_model_cls().model_json_schema())


def mistakes(project: Path) -> list[str]:
    """What is wrong with the YAML of a project."""
    listed: dict[str, Any] = {"__package__": "components"}
    exec((project / "src/data_platform/components/__init__.py").read_text(), listed)
    found = []
    for place, document in documents(project):
        name = document["type"].removeprefix("data_platform.components.")
        if name not in listed["_FAMILIES"]:
            found.append(f"{place}: {name} is no component of the project")
            continue
        attributes = document.get("attributes") or {}
        errors = schema(listed["_FAMILIES"][name], name).iter_errors(attributes)
        found += [f"{place}: {error.json_path}: {error.message[:300]}" for error in errors]
    return found


def test_every_two_answers_meet_in_some_combination():
    met = {frozenset(pair) for row in ROWS for pair in combinations(row.items(), 2)}
    names = combinations(FACTORS, 2)
    assert all(frozenset({(a, x), (b, y)}) in met for a, b in names for x in FACTORS[a] for y in FACTORS[b])


def test_every_answer_is_loaded_in_two_combinations():
    met = Counter(answer for number in LOADED for answer in ROWS[number].items())
    assert all(met[name, value] > 1 for name, values in FACTORS.items() for value in values)


def test_the_factors_are_the_questions_own_choices():
    taken = Counter(choice for row in ROWS for choices in MANY.values() for choice in choices if row[choice])
    assert set(taken) == {choice for choices in MANY.values() for choice in choices}


# The tests of this one run the whole platform too; the starter's own do in tests/e2e.
MATERIALISED = next(number for number, row in enumerate(ROWS) if row["dbt_project"] == "cloud")


def loaded_rows(times: int = 2) -> set[int]:
    """Rows in which each answer occurs at least that often; all with COMBINATIONS=all, as loading takes 12 s each."""
    if os.environ.get("COMBINATIONS") == "all":
        return set(range(len(ROWS)))
    chosen, met = {MATERIALISED}, Counter(ROWS[MATERIALISED].items())

    def missed(number: int) -> int:
        return sum(met[answer] < times for answer in ROWS[number].items())

    while missed(best := max(set(range(len(ROWS))) - chosen, key=missed)):
        chosen.add(best)
        met.update(ROWS[best].items())
    return chosen


LOADED = loaded_rows()


def own_dbt(folder: Path, row: Row) -> tuple[str, str]:
    """A dbt project of one's own, in a folder and in a git repository, with a mart of what a source loads."""
    transform = folder / "shop" / "transform"
    (transform / "models").mkdir(parents=True)
    name = next(
        (source for source in MANY["sources"] if row[source] and (CONNECTOR_FILES / f"{source}.yaml").is_file()), ""
    )
    table = packaged_connector(name).resources[0].name if name else "nothing"
    (transform / "dbt_project.yml").write_text("name: shop\nprofile: warehouse\nmodels: {shop: {+schema: marts}}\n")
    (transform / "models" / "counted.sql").write_text(
        f"select count(*) as rows_there from {{{{ source('{name}', '{table}') }}}}\n"
    )
    (transform / "models" / "shop.yml").write_text(
        f"sources: [{{name: {name}, schema: {name}, tables: [{{name: {table}}}]}}]\n"
        "models: [{name: counted, description: How many there are.}]\n"
    )
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "dbt"]):
        subprocess.run(["git", *identity, *command], cwd=folder / "shop", check=True)
    return str(transform), f"{(folder / 'shop').as_uri()}//transform"


@pytest.mark.e2e
@pytest.mark.parametrize("number", range(len(ROWS)))
def test_a_combination_is_right_and_where_it_is_loaded_its_own_tests_pass(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
):
    row = ROWS[number]
    project = render(template, tmp_path / "project", answers(row, *own_dbt(tmp_path, row)))
    assert [place for place in folders_of(row) if not (project / "src/data_platform/defs" / place).is_dir()] == []
    assert mistakes(project) == []
    tomllib.loads((project / "pyproject.toml").read_text())
    for file in (*project.glob("*.y*ml"), *project.glob(".github/workflows/*.yml"), *project.glob(".gitlab-ci.yml")):
        list(yaml.safe_load_all(file.read_text()))
    if number not in LOADED:
        return
    if row["dbt_project"] == "git":
        fetch_dbt(project, monkeypatch)
    passed = own_tests(project, *([] if number == MATERIALISED else ["-m", "not materialises"]))
    with capsys.disabled():
        print(f"\n{number + 1} of {len(ROWS)} combinations of {len(FACTORS)} answers: {passed} own tests passed")


def own_tests(project: Path, *options: str) -> int:
    """How many tests of a generated project passed, in this environment, which holds every library."""
    environment = {**os.environ, "PYTHONPATH": str(project / "src"), "DAGSTER_IS_DEV_CLI": "1"}
    plugins = ("cacheprovider", "xdist", "hypothesispytest", "anyio")  # a project has none of them, and each is slow
    command = [sys.executable, "-m", "pytest", *(f"-pno:{name}" for name in plugins), *options]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2_000:]
    [passed] = re.findall(r"(\d+) passed", done.stdout)
    return int(passed)


def folders_of(row: Row) -> list[str]:
    """Where the chosen sources and tools have their YAML."""
    placed = {"powerbi": "bi", "tableau": "bi", "looker": "bi", "openlineage": "lineage"}
    folders = [f"ingestion/{source}" for source in MANY["sources"] if row[source]]
    return folders + [f"{placed.get(tool, 'activation')}/{tool}" for tool in MANY["tools"] if row[tool]]


def fetch_dbt(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetch a dbt project from git, as ``dg utils refresh-defs-state`` does, and forget the project's modules."""
    monkeypatch.syspath_prepend(str(project / "src"))
    monkeypatch.chdir(project)
    try:
        kind = import_module("data_platform.components").GovernedDbtProjectComponent
        for component in ComponentTree.for_project(project).get_all_components(of_type=kind):
            asyncio.run(component.refresh_state(project))
    finally:
        forget()
