"""The mark ``slot``: which slot of docs/coverage.yml a test executes, and how; a full run records how each ended."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from status import HOW, all_slots

PROPERTY = "slot"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slot-results", type=Path, help="write how the tests of each slot ended to this file")


def pytest_configure(config: pytest.Config) -> None:
    # Workers of xdist report to the controller, which alone writes.
    path = config.getoption("--slot-results")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(path), "slots")


def note_slots(items: list[pytest.Item]) -> None:
    """Note the slots of all tests.

    Raises:
        UsageError: a mark names what docs/coverage.yml has not.
    """
    mistakes = [mistake for item in items for mistake in noted(item)]
    if mistakes:
        raise pytest.UsageError("\n".join(sorted(set(mistakes))))


def noted(item: pytest.Item) -> Iterator[str]:
    """Note the slots of a test in its report's properties; what is wrong with its marks comes back."""
    known: dict[str, list[str]] = {}
    for slot in all_slots() if item.get_closest_marker("slot") else []:
        known.setdefault(slot.stack, []).extend(slot.names)
    for mark in item.iter_markers("slot"):
        place = f"{item.nodeid}: slot{mark.args!r}"
        if mark.kwargs or len(mark.args) != 3:
            yield f'{place}: expected slot("stack", "name", "how")'
            continue
        stack, name, how = mark.args
        if stack not in known:
            yield f"{place}: {stack!r} is no stack of docs/coverage.yml; expected one of {', '.join(known)}"
        elif name not in known[stack]:
            yield f"{place}: {name!r} is no slot of {stack}; expected one of {', '.join(known[stack])}"
        elif how not in HOW:
            yield f"{place}: {how!r} is no way to execute a slot; expected one of {', '.join(HOW)}"
        elif (noting := (PROPERTY, [stack, name, how])) not in item.user_properties:
            item.user_properties.append(noting)


class Recorder:
    """Collects how the marked tests ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.passed: dict[tuple[str, str, str, str], bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = report.nodeid.partition("[")[0]
        for name, value in report.user_properties:
            # A test without its call phase was skipped or stopped in a fixture, and has executed nothing.
            if name == PROPERTY and (report.when == "call" or not report.passed):
                key = (*value, test)
                self.passed[key] = self.passed.get(key, True) and report.passed

    def pytest_sessionfinish(self) -> None:
        keys = ("stack", "slot", "how", "test")
        rows = [dict(zip(keys, key, strict=True)) | {"passed": ok} for key, ok in sorted(self.passed.items())]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
