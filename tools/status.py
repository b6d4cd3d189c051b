"""Write docs/reference/status.md from the results of a full test run.

python3 tools/test.py                      # runs everything, and then this
uv run python tools/status.py              # writes the page from build/slots.json again
uv run python tools/status.py --check      # fails where the page said otherwise
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
COVERAGE = ROOT / "docs" / "coverage.yml"
RESULTS = ROOT / "build" / "slots.json"
PAGE = ROOT / "docs" / "reference" / "status.md"
HOW = {
    "embedded": "a real engine inside the test",
    "server": "a real server, from a Debian or Python package",
    "fake": "a local server that speaks the real client's protocol, with pages, throttling and failures",
    "rehearsed": "compiled for the service, translated, and run on the sample data; never sent to the service",
}
NOTE = "<!-- Written by tools/status.py from test results; run python3 tools/test.py instead of editing. -->\n\n"


@dataclass(frozen=True)
class Slot:
    """One thing to cover; its parts are what tests name, and the slot itself where it has none."""

    stack: str
    group: str
    name: str
    title: str
    parts: tuple[str, ...]
    counted: bool

    @property
    def names(self) -> list[str]:
        """What a test may call it."""
        return [f"{self.name}/{part}" for part in self.parts] or [self.name]


@dataclass(frozen=True)
class Result:
    """How one test, in all its variants, ended for one slot."""

    stack: str
    slot: str
    how: str
    test: str
    passed: bool


def slots(stack: str, declared: Mapping[str, Any]) -> list[Slot]:
    """The slots of one stack, in the order of the file."""
    groups = {**declared["groups"], "Beside the list": declared.get("beside", {})}
    return [
        Slot(
            stack=stack,
            group=group,
            name=name,
            title=slot if isinstance(slot, str) else slot["title"],
            parts=() if isinstance(slot, str) else tuple(slot["parts"]),
            counted=group != "Beside the list",
        )
        for group, found in groups.items()
        for name, slot in found.items()
    ]


def coverage() -> dict[str, Any]:
    """docs/coverage.yml."""
    return yaml.safe_load(COVERAGE.read_text(encoding="utf-8"))


def all_slots() -> list[Slot]:
    """The slots of all stacks."""
    return [slot for stack, declared in coverage().items() for slot in slots(stack, declared)]


def read_results(path: Path = RESULTS) -> list[Result]:
    """What a test run recorded.

    Raises:
        SystemExit: there was none.
    """
    if not path.exists():
        raise SystemExit(f"{path} is missing: run python3 tools/test.py, which records how each slot's tests ended")
    return [Result(**found) for found in json.loads(path.read_text(encoding="utf-8"))]


def state_of(slot: Slot, results: Iterable[Result]) -> str:
    """``executed``, ``rehearsed``, ``failed``, ``partly executed`` or ``not executed``."""
    of_slot = [result for result in results if result.stack == slot.stack and result.slot in slot.names]
    if any(not result.passed for result in of_slot):
        return "failed"
    ran = {result.slot for result in of_slot if result.how != "rehearsed"}
    covered = ran | {result.slot for result in of_slot}
    if covered != set(slot.names):
        return "partly executed" if covered else "not executed"
    return "executed" if ran == covered else "rehearsed"


def page(results: list[Result]) -> str:
    """The status page."""
    parts = [NOTE, "# What is executed\n\nEach slot with the tests of the last full run that execute it. How:\n\n"]
    parts += [f"- **{how}**: {meaning}\n" for how, meaning in HOW.items()]
    for stack, declared in coverage().items():
        found = slots(stack, declared)
        states = {slot: state_of(slot, results) for slot in found}
        counted = [state for slot, state in states.items() if slot.counted]
        parts.append(
            f"\n## {declared['title']}\n\n{counted.count('executed')} of {len(counted)} slots executed, "
            f"{counted.count('rehearsed')} more rehearsed; the goal is {declared['goal']}.\n\n"
            "| group | slot | state | how | test | result |\n| --- | --- | --- | --- | --- | --- |\n"
        )
        parts += [line for slot in found for line in _lines(slot, states[slot], results)]
    return "".join(parts)


def _lines(slot: Slot, state: str, results: list[Result]) -> list[str]:
    """The rows of one slot: one for each test of it, and one for each part that has none."""
    rows = []
    for name in slot.names:
        part = f"{slot.title}: {name.partition('/')[2]}" if slot.parts else slot.title
        found = sorted(
            (result for result in results if (result.stack, result.slot) == (slot.stack, name)),
            key=lambda result: (list(HOW).index(result.how), result.test),
        )
        rows += [(part, r.how, f"`{r.test}`", "passed" if r.passed else "**failed**") for r in found]
        if not found:
            rows.append((part, "", "", "not executed"))
    return [f"| {slot.group} | {part} | {state} | {' | '.join(rest)} |\n" for part, *rest in rows]


def main(arguments: list[str]) -> int:
    """Write the page and say which slots lack a passed test; ``--check`` makes a page that was otherwise an error."""
    results = read_results()
    made = page(results)
    states = {slot: state_of(slot, results) for slot in all_slots() if slot.counted}
    for wanted in ("failed", "partly executed", "not executed"):
        names = [f"{slot.stack}: {slot.title}" for slot, state in states.items() if state == wanted]
        if names:
            print(f"{wanted}:\n  " + "\n  ".join(names))
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == made:
        return 0
    PAGE.write_text(made, encoding="utf-8", newline="\n")
    print(f"{PAGE} was not what this run shows, and was written anew")
    return 1 if "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
