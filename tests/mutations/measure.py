"""How many of the planted mistakes are reported where they are, with what is valid."""

import re
from collections import Counter
from dataclasses import dataclass, field

import yaml

from tests.mutations.checking import check, line_of
from tests.mutations.library import Example, strict_examples
from tests.mutations.mistakes import Mistake, mistakes


@dataclass
class Measure:
    """Counts by kind, and what was not reported."""

    planted: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share that is caught, of 1."""
        return self.caught.total() / self.planted.total()


def problem_with(mistake: Mistake, example: Example) -> str | None:
    """What is wrong with the report of a mistake; None if it is named with line, place and what is valid."""
    text = yaml.safe_dump(mistake.document, sort_keys=False)
    reports = check(text, example)
    if not reports:
        return "not reported"
    place, line = ".".join(map(str, mistake.at)), line_of(text, mistake.at)
    fitting = [report for report in reports if re.search(mistake.told, report.message)]
    if not fitting:
        return f"reported without what is valid: {reports[0].message[:200]}"
    if not any(report.place == place and report.line == line for report in fitting):
        return f"reported at {fitting[0].place}, line {fitting[0].line}; it is at {place}, line {line}"
    return None


def measure() -> Measure:
    """All mistakes of all components."""
    found = Measure()
    for example in strict_examples():
        for mistake in mistakes(example):
            found.planted[mistake.kind] += 1
            if problem := problem_with(mistake, example):
                found.missed.append(f"{example.name} {'.'.join(map(str, mistake.path))}: {mistake.kind}: {problem}")
            else:
                found.caught[mistake.kind] += 1
    return found
