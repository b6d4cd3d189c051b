"""What the kind `component` refuses: it joins a package that stands, under an answers file that has its name."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.rendering import COMPONENT_ANSWERS, render


@pytest.fixture(scope="module")
def package(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of two families; refused answers leave it as it is."""
    answers = {"kind": "component-package", "families": ["notebooks", "stock"], "owner": "team:platform"}
    return render(template, tmp_path_factory.mktemp("package") / "acme", answers)


def join(template: Path, into: Path, answers_file: str = COMPONENT_ANSWERS, **answers: Any) -> Path:
    return render(template, into, {"kind": "component", **answers}, answers_file=answers_file)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


HOSTILE = [
    ("package", "other_package"),
    ("package", "Acme"),
    ("package", "a/b"),
    ("package", "a-b"),
    ("package", "acme_components\nimport os"),
    ("package", "x" * 60),
    ("component_name", "daily_report"),
    ("component_name", "DailyReport"),
    ("component_name", "dailyReportComponent"),
    ("component_name", "SALESReportComponent"),
    ("component_name", "DailyReportComponent\n"),
    ("component_name", "Daily ReportComponent"),
    ("component_name", "[= 7 * 7 =]Component"),
    ("component_name", "../../EtcComponent"),
    ("component_name", "ДайлиComponent"),  # noqa: RUF001 Cyrillic, on purpose
    ("component_name", "D" + "a" * 80 + "Component"),
    ("component_name", "OtherComponent"),
    ("makes", "coffee"),
    ("makes", "sql"),
    ("owner", "nobody"),
]


@pytest.mark.parametrize(("question", "answer"), HOSTILE)
def test_an_answer_outside_its_rules_is_refused_by_name_and_nothing_is_written(
    template: Path, package: Path, question: str, answer: str
):
    before = files(package)
    with pytest.raises(ValueError, match=question):
        join(template, package, **{question: answer})
    assert files(package) == before


@pytest.mark.parametrize(
    "answers_file",
    [".copier-answers.yml", "component.yml", ".copier-answers.component-.yml", ".copier-answers.component-A.yml"],
)
def test_an_answers_file_that_is_not_the_components_own_is_refused(template: Path, package: Path, answers_file: str):
    with pytest.raises(ValueError, match="own answers file") as refused:
        join(template, package, answers_file)
    assert "SalesReportComponent" in str(refused.value)


def test_a_component_needs_a_package_to_join(template: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Copier says too that there are no answers
        with pytest.raises(ValueError, match="holds no component package"):
            join(template, tmp_path / "empty")
    assert files(tmp_path / "empty") == set()


def test_name_and_owner_come_from_the_answers_file_and_the_package(template: Path, tmp_path: Path):
    package = render(template, tmp_path / "acme", {"kind": "component-package", "owner": "team:platform"})
    join(template, package, ".copier-answers.component-s3-export.yml")
    made = (package / "src" / "acme_components" / "own" / "s3_export_component.py").read_text()
    assert "class S3ExportComponent(StrictComponent):" in made
    assert '"team:platform"' in made


def test_a_component_changes_no_file_of_its_package(template: Path, tmp_path: Path):
    package = render(template, tmp_path / "acme", {"kind": "component-package"})
    before = {name: (package / name).read_bytes() for name in files(package)}
    join(template, package)
    assert {name: (package / name).read_bytes() for name in before} == before
    assert len(files(package) - set(before)) == 5
