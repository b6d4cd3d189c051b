"""The measure itself: a schema that lets a mistake through is found out."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import dagster as dg
import pytest
import yaml

from components.attributes import Owners
from components.base import StrictComponent, StrictModel
from components.schedules import Cron
from tests.mutations.library import Example
from tests.mutations.measure import problem_with
from tests.mutations.mistakes import mistakes

DOCUMENT = {
    "type": "components.test.Sample",
    "attributes": {"mode": "append", "columns": [{"name": "a"}], "by_name": {"x": {"name": "b"}}, "cron": "@daily"},
}


class Column(StrictModel):
    """A nested group."""

    name: Annotated[str, dg.Resolver.default(json_schema_extra={"pattern": "^[a-z]+$"})]
    width: Annotated[int | None, dg.Resolver.default(json_schema_extra={"minimum": 1})] = None


@dataclass
class Sample(StrictComponent):
    """A component with an attribute of each kind, and every rule that it can have."""

    mode: Annotated[Literal["append", "replace"], dg.Resolver.default(description="How rows are written.")]
    cron: Cron
    columns: list[Column] = field(default_factory=list)
    by_name: dict[str, Column] = field(default_factory=dict)
    owners: Owners = field(default_factory=list)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions()


def example(component: type[dg.Component]) -> Example:
    model = component.get_model_cls()
    assert model
    return Example("test", "Sample", yaml.safe_dump(DOCUMENT), model.model_json_schema())


def problems(component: type[dg.Component]) -> dict[tuple[str, str], str | None]:
    found = example(component)
    return {(m.kind, ".".join(map(str, m.path[1:]))): problem_with(m, found) for m in mistakes(found)}


def test_nothing_gets_past_a_strict_schema():
    found = problems(Sample)

    assert [problem for problem in found.values() if problem] == []
    assert ("unknown key", "columns.0.nae") in found
    assert ("missing key", "by_name.x.name") in found
    assert ("negative number", "columns.0.width") in found
    assert ("bad owner", "owners.0") in found
    assert ("bad cron", "cron") in found


@pytest.mark.parametrize(
    ("kind", "place"),
    [("wrong choice", "mode"), ("bad cron", "cron"), ("text for a list", "owners"), ("bad owner", "owners.0")],
)
def test_a_mistake_that_the_stock_schema_lets_through_is_counted_as_missed(kind: str, place: str):
    class Stock(dg.Model, dg.Resolvable):
        """What Dagster makes of the attributes by itself."""

        mode: Literal["append", "replace"]
        cron: str
        columns: list[Column] | None = None
        by_name: dict[str, Column] | None = None
        owners: list[str] | None = None

    stock = Example("test", "Sample", yaml.safe_dump(DOCUMENT), Stock.model().model_json_schema())
    # Planted for the strict schema, held against the stock one.
    planted = {(m.kind, ".".join(map(str, m.path[1:]))): m for m in mistakes(example(Sample))}

    assert problem_with(planted[kind, place], stock) == "not reported"


def test_a_report_at_another_line_is_no_catch():
    strict = example(Sample)
    moved = next(m for m in mistakes(strict) if m.kind == "bad cron")
    elsewhere = type(moved)(moved.kind, moved.path, moved.document, moved.told, ("attributes", "mode"))

    assert "it is at attributes.mode" in str(problem_with(elsewhere, strict))
