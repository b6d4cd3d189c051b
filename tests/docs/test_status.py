"""The status page says what tests have shown, and a mark with a mistake in it stops the run."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import status
from status import PAGE, Result, Slot, all_slots, page, read_results, state_of

from tests.rendering import ROOT
from tests.slots import noted

ROW = re.compile(r"^\| [^|]+ \| [^|]+ \| [^|]+ \| (\w*) \| (?:`([^`]+)`)? ?\| ([^|]+) \|$", re.M)
SLOT = Slot("modern-data", "Alerts", "alerts", "Alerts", ("slack", "email"), counted=True)


def result(slot: str, how: str = "fake", passed: bool = True, stack: str = "modern-data") -> Result:
    return Result(stack, slot, how, f"tests/test_it.py::test_{slot}", passed)


def test_the_stacks_have_their_slots():
    counted = [slot.stack for slot in all_slots() if slot.counted]
    assert {stack: counted.count(stack) for stack in counted} == {"modern-data": 30, "databricks": 21, "ai": 25}
    names = [(slot.stack, slot.name) for slot in all_slots()]
    assert len(names) == len(set(names))


def test_every_slot_of_the_modern_data_stack_is_named_by_a_test():
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__))
    names = [name for slot in all_slots() if slot.stack == "modern-data" for name in slot.names]
    assert [name for name in names if f'"{name}"' not in tests] == []


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], "not executed"),
        ([result("alerts/slack")], "partly executed"),
        ([result("alerts/slack"), result("alerts/email")], "executed"),
        ([result("alerts/slack"), result("alerts/email", how="rehearsed")], "rehearsed"),
        ([result("alerts/slack"), result("alerts/email"), result("alerts/email", passed=False)], "failed"),
        ([result("alerts/slack", stack="ai"), result("alerts/email", stack="ai")], "not executed"),
    ],
)
def test_a_slot_is_executed_when_all_of_it_was(results: list[Result], expected: str):
    assert state_of(SLOT, results) == expected


def test_the_page_names_test_way_and_result_and_what_was_not_executed():
    made = page([result("duckdb", "embedded"), result("snowflake", "fake", passed=False)])
    assert "| Warehouses | DuckDB | executed | embedded | `tests/test_it.py::test_duckdb` | passed |" in made
    assert "| Warehouses | Snowflake | failed | fake | `tests/test_it.py::test_snowflake` | **failed** |" in made
    assert "| Warehouses | BigQuery | not executed |  |  | not executed |" in made
    assert "1 of 30 slots executed, 0 more rehearsed; the goal is 27." in made


def test_the_page_in_docs_comes_from_results_of_tests_that_exist():
    written = PAGE.read_text(encoding="utf-8")
    for how, test, outcome in ROW.findall(written):
        if not test:
            assert (how, outcome) == ("", "not executed")
            continue
        file, *_, function = test.split("::")
        assert how in status.HOW
        assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8"), f"{test} is on the page and not there"
    assert written == page(_results_of(written))


def _results_of(written: str) -> list[Result]:
    """The results that a page was written from: what it says of them by hand is not in them."""
    found, titles = [], {slot.title: slot for slot in all_slots()}
    stacks = {declared["title"]: stack for stack, declared in status.coverage().items()}
    for title, rows in re.findall(r"^## (.+)\n([\s\S]*?)(?=^## |\Z)", written, re.M):
        titles = {slot.title: slot for slot in all_slots() if slot.stack == stacks[title]}
        for line in rows.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if len(cells) == 6 and cells[4].startswith("`"):
                whole, _, part = cells[1].rpartition(": ")
                slot = titles.get(cells[1]) or titles[whole]
                name = f"{slot.name}/{part}" if slot.parts else slot.name
                found.append(Result(slot.stack, name, cells[3], cells[4].strip("`"), cells[5] == "passed"))
    return found


MARKED = """
import pytest

@pytest.mark.slot("modern-data", "duckdb", "embedded")
@pytest.mark.parametrize("n", [1, 2])
def test_duck(n):
    assert n == {last}

@pytest.mark.slot("modern-data", "sling", "server")
def test_sling():
    pytest.skip("not here")

@pytest.mark.slot({mark})
def test_other():
    pass
"""


def run(folder: Path, *options: str, mark: str, last: str = "n") -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(
        "from tests.slots import note_slots, pytest_addoption, pytest_configure\n"
        "def pytest_collection_modifyitems(items):\n"
        "    note_slots(items)\n"
    )
    (folder / "test_it.py").write_text(MARKED.format(last=last, mark=mark))
    (folder / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {ROOT} {ROOT / 'tools'}\nmarkers =\n    slot(stack, name, how): a slot\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--slot-results", "out/slots.json"]
    return subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "xdist"])
def test_a_run_records_each_marked_test_by_its_worst_outcome(tmp_path: Path, workers: list[str]):
    run(tmp_path, *workers, mark='"ai", "chroma", "embedded"', last="1")
    recorded = {row.slot: (row.test, row.passed) for row in read_results(tmp_path / "out" / "slots.json")}
    assert recorded == {
        "duckdb": ("test_it.py::test_duck", False),
        "sling": ("test_it.py::test_sling", False),
        "chroma": ("test_it.py::test_other", True),
    }


def test_a_mark_with_a_mistake_stops_the_run_and_names_the_test(tmp_path: Path):
    done = run(tmp_path, mark='"modern-data", "duckbd", "embedded"')
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "test_it.py::test_other" in done.stdout + done.stderr
    assert "'duckbd' is no slot of modern-data; expected one of duckdb, snowflake" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (("modern", "duckdb", "embedded"), "'modern' is no stack of docs/coverage.yml; expected one of modern-data"),
        (("modern-data", "files", "server"), "'files' is no slot of modern-data"),
        (("modern-data", "duckdb", "real"), "'real' is no way to execute a slot; expected one of embedded, server"),
        (("modern-data", "duckdb"), 'expected slot("stack", "name", "how")'),
    ],
)
def test_each_mistake_in_a_mark_says_what_is_valid(
    request: pytest.FixtureRequest, mark: tuple[str, ...], expected: str
):
    request.node.add_marker(pytest.mark.slot(*mark))
    [mistake] = noted(request.node)
    assert expected in mistake


def test_without_results_the_command_to_run_is_named(tmp_path: Path):
    with pytest.raises(SystemExit, match=r"tools/test\.py"):
        read_results(tmp_path / "slots.json")


def test_the_command_names_slots_without_a_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    (tmp_path / "slots.json").write_text(json.dumps([vars(result("duckdb", "embedded"))]))
    monkeypatch.setattr(status, "PAGE", tmp_path / "status.md")
    monkeypatch.setattr(status, "read_results", lambda: read_results(tmp_path / "slots.json"))
    assert status.main([]) == 0
    assert "modern-data: Snowflake" in capsys.readouterr().out
    assert status.main(["--check"]) == 0
    (tmp_path / "status.md").write_text("| DuckDB | executed | by hand |")
    assert status.main(["--check"]) == 1
    assert status.main(["--check"]) == 0
