"""The strict schema of every component: each typical mistake in its example is reported, with what is valid."""

import pytest
import yaml

from tests.mutations.checking import check
from tests.mutations.library import Example, examples, strict_examples
from tests.mutations.measure import Measure, measure, problem_with
from tests.mutations.mistakes import mistakes

KINDS = {
    "bad cron",
    "bad file",
    "bad group",
    "bad key",
    "bad owner",
    "bad tag",
    "bad time zone",
    "list for a map",
    "map for a list",
    "missing key",
    "negative number",
    "number for text",
    "number in quotes",
    "text for a list",
    "text for a map",
    "text for a number",
    "text for true or false",
    "unknown key",
    "unknown top-level key",
    "wrong choice",
}


def named(example: Example) -> str:
    return example.name


@pytest.fixture(scope="module")
def measured() -> Measure:
    return measure()


@pytest.mark.parametrize("example", examples(), ids=named)
def test_the_example_in_the_docstring_is_right(example: Example):
    assert example.document.get("type") == example.type
    assert check(yaml.safe_dump(example.document, sort_keys=False), example) == []


@pytest.mark.parametrize("example", strict_examples(), ids=named)
def test_every_mistake_in_the_example_is_reported_where_it_is_with_what_is_valid(example: Example):
    found = {f"{mistake.kind} at {mistake.path}": problem_with(mistake, example) for mistake in mistakes(example)}

    assert len(found) > 1
    assert {mistake: problem for mistake, problem in found.items() if problem} == {}


def test_the_share_that_is_caught_is_all_of_it(measured: Measure, capsys: pytest.CaptureFixture[str]):
    with capsys.disabled():
        print(f"\n{measured.caught.total()} of {measured.planted.total()} mistakes caught ({measured.share:.1%})")

    assert measured.missed == []
    assert measured.share == 1


def test_every_kind_of_mistake_was_planted(measured: Measure):
    assert set(measured.planted) >= KINDS
    assert measured.planted.total() > 500
