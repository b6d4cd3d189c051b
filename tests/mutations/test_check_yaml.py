"""A sample of the mistakes through the real command, in one project with a file for each component."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import unstyle

from tests.mutations.checking import line_of
from tests.mutations.library import Example, strict_examples
from tests.mutations.mistakes import Mistake, mistakes

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]
# The kinds take turns over the components, so that each is seen by the command at least once.
TURNS = [
    "unknown key",
    "missing key",
    "bad owner",
    "number for text",
    "wrong choice",
    "text for a list",
    "bad cron",
    "list for a map",
    "negative number",
    "text for a number",
    "bad time zone",
    "bad key",
]


class Shop:
    """A project in a folder, whose registry is the library itself."""

    def __init__(self, root: Path) -> None:
        self.root, self.defs = root, root / "src" / "shop" / "defs"
        self.defs.mkdir(parents=True)
        for folder in (self.defs.parent, self.defs):
            (folder / "__init__.py").touch()
        (root / "pyproject.toml").write_text(
            '[project]\nname = "shop"\nversion = "0"\n\n[tool.dg]\ndirectory_type = "project"\n\n'
            '[tool.dg.project]\nroot_module = "shop"\n'
        )

    def write(self, name: str, document: dict[str, Any]) -> Path:
        file = self.defs / name / "defs.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        return file

    def check(self, *paths: Path) -> tuple[int, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DAGSTER")}
        done = subprocess.run(
            [str(Path(sys.prefix) / "bin" / "dg"), "check", "yaml", "--no-validate-requirements", *map(str, paths)],
            cwd=self.root,
            env={**kept, "PYTHONPATH": os.pathsep.join([str(ROOT), str(self.root / "src")]), "COLUMNS": "200"},
            capture_output=True,
            text=True,
        )
        return done.returncode, unstyle(done.stdout + done.stderr)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def chosen(example: Example, turn: int) -> Mistake:
    """The mistake whose turn it is, or the next that fits the component."""
    by_kind = {mistake.kind: mistake for mistake in reversed(list(mistakes(example)))}
    order = [*TURNS[turn % len(TURNS) :], *TURNS]
    return next(by_kind[kind] for kind in order if kind in by_kind)


def test_right_examples_pass(shop: Shop):
    for example in strict_examples():
        shop.write(example.name, example.document)

    code, told = shop.check()

    assert "All component YAML validated successfully" in told
    assert code == 0


def test_each_mistake_is_told_with_file_line_key_and_what_is_valid(shop: Shop):
    planted = {example.name: chosen(example, turn) for turn, example in enumerate(strict_examples())}
    files = {name: shop.write(name, mistake.document) for name, mistake in planted.items()}

    code, told = shop.check()

    assert code == 1
    for name, mistake in planted.items():
        place = ".".join(map(str, mistake.at))
        line = line_of(files[name].read_text(), mistake.at)
        where = rf"{re.escape(str(files[name]))}:{line} - \S+ {re.escape(place)} .*(?:{mistake.told})"
        assert re.search(where, told), (name, mistake.kind, told)
    assert len({mistake.kind for mistake in planted.values()}) >= 6


def test_a_wrong_component_name_is_told_with_its_file(shop: Shop):
    example = strict_examples()[0]
    file = shop.write("typo", {**example.document, "type": f"{example.type}s"})

    code, told = shop.check()

    assert code == 1
    assert f"{file}:1" in told
    assert f"Component type '{example.type}s' not found." in told


def test_an_unknown_top_level_key_is_told_with_its_line(shop: Shop):
    example = strict_examples()[0]
    file = shop.write("typo", {"type": example.type, "atributes": example.document["attributes"]})

    code, told = shop.check()

    assert code == 1
    assert f"{file}:2" in told
    assert "'atributes' was unexpected" in told


def test_of_two_files_of_one_type_each_is_told_by_its_own_path(shop: Shop):
    """Without a path, dg checks only one file of each type."""
    example = next(example for example in strict_examples() if example.name == "ScheduledJobComponent")
    wrong = {**example.document, "attributes": {**example.document["attributes"], "cron": "61 6 * * *"}}
    first, second = shop.write("first", wrong), shop.write("second", wrong)

    told = {file: shop.check(file.parent) for file in (first, second)}

    assert {file for file, (code, text) in told.items() if code == 1 and f"{file}:" in text} == {first, second}
