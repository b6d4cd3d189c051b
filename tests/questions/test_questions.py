"""What is asked, in which order, and what is refused."""

import keyword
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rendering import ROOT, UnknownAnswers, answer_sets, asked_questions, render

# Verbatim files, left out where a test renders many times.
ANSWERS_DO_NOT_REACH = ["/src/*/components/", "/transform/"]
PROMPTS = {name: question for name, question in asked_questions().items() if question.get("when") is not False}


def test_every_question_has_a_default_and_says_what_it_decides():
    assert [name for name, question in PROMPTS.items() if not {"help", "default"} <= set(question)] == []


KINDS = sorted(PROMPTS["kind"]["choices"].values())
# Answers that lead to every question of a kind.
LONGEST = {"dbt_source": "git", "ci": "github"}
# What only projects of earlier releases have in their answers files, and are asked again.
FORMERLY = {"dbt_subfolder": "transform"}


def asked_of(kind: str, **answers: str) -> list[str]:
    """The questions on the longest path of a kind."""
    marks = yaml.safe_load(next(yaml_documents(ROOT / "copier.yml")))["_envops"]
    marks = {name: mark for name, mark in marks.items() if name.endswith(("_string", "_prefix"))}
    environment = jinja2.Environment(**marks, undefined=jinja2.StrictUndefined)
    whens = {name: str(question.get("when", "True")) for name, question in PROMPTS.items()}
    return [
        n
        for n, when in whens.items()
        if environment.from_string(when).render(kind=kind, **LONGEST, **answers) == "True"
    ]


def yaml_documents(path: Path) -> Iterator[str]:
    """The documents of a file, as text: `!include` is Copier's own."""
    yield from path.read_text().split("\n---\n")


@pytest.mark.parametrize("kind", KINDS)
def test_at_most_eight_prompts_are_asked(kind: str):
    assert 3 <= len(asked_of(kind)) <= 8


def test_every_question_is_asked_of_some_kind():
    assert {name for kind in KINDS for name in asked_of(kind, **FORMERLY)} == set(PROMPTS)


def test_what_only_earlier_releases_asked_is_asked_of_their_projects_alone():
    new = {name for kind in KINDS for name in asked_of(kind)}
    assert set(PROMPTS) - new == set(FORMERLY)


def test_the_kind_is_asked_first():
    assert next(iter(PROMPTS)) == "kind"


def test_only_kinds_that_have_templates_are_offered():
    assert set(PROMPTS["kind"]["choices"].values()) == {path.name for path in (ROOT / "templates").iterdir()}


def test_every_answer_set_names_only_questions_that_are_asked():
    assert {name: sorted(set(answers) - set(PROMPTS)) for name, answers in answer_sets().items()} == {
        name: [] for name in answer_sets()
    }


def test_an_answer_that_no_question_asks_is_refused(template: Path, tmp_path: Path):
    with pytest.raises(UnknownAnswers, match="warehous"):
        render(template, tmp_path / "project", {"warehous": "postgres"})


HOSTILE_NAMES = {
    "path traversal": "../../etc",
    "slash": "a/b",
    "backslash": "a\\b",
    "dots": "a.b",
    "double quote": 'a"b',
    "single quote": "a'b",
    "newline": "flights\nimport os",
    "trailing newline": "flights\n",
    "template marks": "[= 7 * 7 =]",
    "jinja": "{{ 7 * 7 }}",
    "python keyword": "class",
    "capital keyword": "Import",
    "module of the project": "dagster",
    "look-alike letters": "Flіghts",  # noqa: RUF001 a Cyrillic letter, on purpose
    "accent": "Données",
    "300 characters": "a" * 300,
    "empty": "",
    "only spaces": "   ",
    "leading digit": "2024 flights",
    "leading hyphen": "-flights",
    "control character": "fli\x07ghts",
    "shell": "$(touch hacked)",
}


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES.keys())
def test_a_project_name_that_could_break_a_file_is_refused_and_nothing_is_written(
    template: Path, tmp_path: Path, name: str
):
    with pytest.raises(ValueError, match="project_name"):
        render(template, tmp_path / "project", {"project_name": name})
    assert not (tmp_path / "project").exists()


HOSTILE_ANSWERS = [
    ("owner", "nobody"),
    ("owner", "team:a\nb: c"),
    ("owner", "team:[= 1 =]"),
    ("owner", "a@b"),
    ("owner", "team:" + "x" * 100),
    ("dbt_project", "a\nb"),
    ("dbt_project", 'x"; touch y; "'),
    ("dbt_project", "$(id)"),
    ("dbt_project", "--upload-pack=evil"),
    ("dbt_project", "https://user:secret@example.com/x.git"),
    ("dbt_project", "x" * 300),
    ("dbt_project", "{{ x }}"),
    ("dbt_project", "https://example.com/x.git//a/../../b"),
    ("dbt_project", "https://example.com/x.git//a//b"),
    ("dbt_project", "git@example.com:x.git///etc"),
    ("dbt_project", "https://example.com/x.git//"),
    ("warehouse", "oracle"),
    ("sources", ["oracle"]),
    ("tools", ["excel"]),
    ("ci", "jenkins"),
    ("kind", "nothing"),
]


@pytest.mark.parametrize("answer", [{"families": []}, {"families": ["oracle"]}, {"publish": "ftp"}, {"owner": "me"}])
def test_an_answer_about_a_package_outside_its_rules_is_refused_by_name(
    template: Path, tmp_path: Path, answer: dict[str, object]
):
    with pytest.raises(ValueError, match=next(iter(answer))):
        render(template, tmp_path / "project", {"kind": "component-package", **answer})
    assert not (tmp_path / "project").exists()


CATALOGS = {
    "Main": "for instance: main",
    ".flights": "for instance: main",
    "main.": "for instance main.flights",
    "main.Flights": "for instance main.flights",
    "main.flights.gold": "for instance main.flights",
    "main.flights_": "for instance main.flights",
    "main.x\n": "for instance main.flights",
    "main." + "x" * 25: "at most 24",
}


@pytest.mark.parametrize(("catalog", "said"), CATALOGS.items())
def test_a_catalog_or_schema_that_databricks_would_not_take_is_refused_with_an_example(
    template: Path, tmp_path: Path, catalog: str, said: str
):
    with pytest.raises(ValueError, match="catalog") as refused:
        render(template, tmp_path / "project", {"kind": "databricks", "catalog": catalog})
    assert said in " ".join(str(refused.value).split())
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(("question", "answer"), HOSTILE_ANSWERS)
def test_an_answer_outside_its_rules_is_refused_by_name(template: Path, tmp_path: Path, question: str, answer: str):
    with pytest.raises(ValueError, match=question) as refused:
        render(template, tmp_path / "project", {question: answer})
    assert "secret" not in str(refused.value)
    assert not (tmp_path / "project").exists()


def test_a_subfolder_cannot_leave_its_repository(template: Path, tmp_path: Path):
    answers = {"dbt_project": "https://example.com/x.git", "dbt_subfolder": "a/../../b"}
    with pytest.raises(ValueError, match="dbt_subfolder"):
        render(template, tmp_path / "project", answers)


ADDRESSES = {
    "https://example.com/shop/x.git//transform/dbt": ("https://example.com/shop/x.git", "transform/dbt"),
    "git@example.com:shop/x.git//dbt": ("git@example.com:shop/x.git", "dbt"),
    "file:///srv/git/x.git//dbt": ("file:///srv/git/x.git", "dbt"),
    "ssh://git@example.com/x.git": ("ssh://git@example.com/x.git", "."),
}


@pytest.mark.parametrize(("given_address", "expected"), ADDRESSES.items())
def test_an_address_names_the_folder_of_the_dbt_project(
    template: Path, tmp_path: Path, given_address: str, expected: tuple[str, str]
):
    project = render(template, tmp_path / "project", {"dbt_project": given_address}, exclude=ANSWERS_DO_NOT_REACH)
    [made] = (project / "src").glob("*/defs/transform/defs.yaml")
    of_git = yaml.safe_load(made.read_text())["attributes"]["project"]
    assert (of_git["git"], of_git["subfolder"]) == expected
    assert "dbt_subfolder" not in yaml.safe_load((project / ".copier-answers.yml").read_text())


@settings(max_examples=30, deadline=None)
@given(name=st.text(max_size=60), owner=st.text(max_size=40), dbt=st.text(min_size=1, max_size=60))
def test_any_text_is_either_refused_or_rendered_into_files_that_parse(
    template: Path, tmp_path_factory: pytest.TempPathFactory, name: str, owner: str, dbt: str
):
    destination = tmp_path_factory.mktemp("any") / "project"
    for answers in ({"project_name": name}, {"owner": owner}, {"dbt_project": dbt}):
        try:
            render(template, destination, answers, overwrite=True, exclude=ANSWERS_DO_NOT_REACH)
        except ValueError:
            continue
        tomllib.loads((destination / "pyproject.toml").read_text())
        recorded = yaml.safe_load((destination / ".copier-answers.yml").read_text())
        assert {key: recorded[key] for key in answers} == answers
        for path in destination.rglob("defs.yaml"):
            list(yaml.safe_load_all(path.read_text()))


NAMES = st.from_regex(r"\A[A-Za-z][A-Za-z0-9]{0,6}([ _-][A-Za-z0-9]{1,5}){0,3}\Z")


@settings(max_examples=15, deadline=None)
@given(name=NAMES)
def test_a_plain_name_makes_a_package_that_python_can_import(
    template: Path, tmp_path_factory: pytest.TempPathFactory, name: str
):
    destination = tmp_path_factory.mktemp("plain") / "project"
    try:
        render(template, destination, {"project_name": name}, exclude=ANSWERS_DO_NOT_REACH)
    except ValueError as refused:
        assert "already uses" in str(refused)  # noqa: PT017 both ends are right, each in its own way
        return
    [package] = [path.name for path in (destination / "src").iterdir()]
    assert re.fullmatch(r"[a-z][a-z0-9_]*", package)
    assert (
        tomllib.loads((destination / "pyproject.toml").read_text())["tool"]["dg"]["project"]["root_module"] == package
    )


def test_every_word_and_module_of_python_is_reserved():
    reserved = set(asked_questions()["reserved_names"]["default"].split(", "))
    modules = {name for name in sys.stdlib_module_names if not name.startswith("_")}
    words = {word.lower() for word in keyword.kwlist + keyword.softkwlist} - {"_"}
    assert (modules | words) - reserved == set()
