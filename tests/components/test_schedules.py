"""Cron expressions, time zones and other texts of a known shape: by JSON schema, when they load, and in words."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import dagster as dg
import pytest
from dagster._utils.schedules import is_valid_cron_schedule
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from components.attributes import AssetKeys, Group, Owners, Tags
from components.base import StrictComponent, StrictModel
from components.schedules import Cron, Timezone

FIELDS = [range(60), range(24), range(1, 32), range(1, 13), range(8)]
NAMES = {3: ["jan", "Feb", "DEC"], 4: ["mon", "Tue", "SUN"]}


class When(StrictModel):
    """A nested group."""

    cron: Cron
    timezone: Timezone = "UTC"


@dataclass
class Sample(StrictComponent):
    """A component with texts of a known shape."""

    cron: Cron
    timezone: Timezone = "UTC"
    when: When | None = None
    quiet: Annotated[str | None, dg.Resolver.default(json_schema_extra={"format": "cron"})] = None
    owners: Owners = field(default_factory=list)
    reads: AssetKeys = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions()


MODEL = Sample.get_model_cls()
VALIDATOR = Draft202012Validator(MODEL.model_json_schema())  # type: ignore[union-attr]  # it has attributes
CRON = Draft202012Validator(VALIDATOR.schema["properties"]["cron"])

MISTAKES = [
    ({"cron": "61 6 * * *"}, ["cron"], "expected minute (0-59), hour (0-23), "),
    ({"cron": "every day"}, ["cron"], "or @hourly, @daily"),
    ({"cron": "0 6 * *"}, ["cron"], "for instance '0 6 * * 1-5'"),
    ({"quiet": "@never"}, ["quiet"], "expected minute (0-59)"),
    ({"when": {"cron": "0 25 * * *"}}, ["when", "cron"], "expected minute (0-59)"),
    ({"when": {"cron": "@daily", "timezone": "Berlin"}}, ["when", "timezone"], "did you mean Europe/Berlin"),
    ({"timezone": "new york"}, ["timezone"], "did you mean America/New_York"),
    ({"timezone": "Q"}, ["timezone"], "expected a name such as Europe/Berlin or UTC"),
    ({"owners": ["team:data", "data"]}, ["owners", 1], "expected an e-mail address, or a team as team:name"),
    ({"reads": ["marts//orders"]}, ["reads", 0], "expected an asset key such as marts/customers"),
    ({"tags": {"domain": "two words"}}, ["tags", "domain"], "expected at most 63 letters"),
    ({"group": "my group"}, ["group"], "does not match '^[A-Za-z0-9_]+"),
]


def errors(attributes: dict[str, Any]) -> list[Any]:
    return list(VALIDATOR.iter_errors({"cron": "@daily", **attributes}))


@pytest.mark.parametrize(("wrong", "path", "valid"), MISTAKES)
def test_a_mistake_is_found_by_the_schema_where_it_is(wrong: dict[str, Any], path: list[Any], valid: str):
    assert [list(error.absolute_path) for error in errors(wrong)] == [path]


@pytest.mark.parametrize(("wrong", "path", "valid"), MISTAKES)
def test_a_mistake_is_found_when_it_loads_with_what_is_valid(wrong: dict[str, Any], path: list[Any], valid: str):
    with pytest.raises(ValidationError) as caught:
        Sample.from_attributes_dict(attributes={"cron": "@daily", **wrong})

    assert [list(detail["loc"]) for detail in caught.value.errors()] == [path]
    assert valid in str(caught.value)


def test_the_schema_says_what_is_expected_and_not_its_rule():
    [error] = errors({"cron": "61 6 * * *"})

    assert error.message.startswith("'61 6 * * *' does not match \"minute (0-59), hour (0-23), day of month (1-31)")
    assert errors({"timezone": "Berlin"})[0].message == "'Berlin' does not match 'a name such as Europe/Berlin or UTC'"


def test_right_values_and_templates_pass():
    right = {"timezone": "Europe/Berlin", "owners": ["team:data", "a@b.example"], "reads": ["raw/orders"]}
    templates = {"cron": "{{ env('A') }}", "timezone": "{{ 1 }}", "owners": ["{{ x }}"], "tags": {"a": "{{ x }}"}}

    assert errors({**right, "group": "marts/daily", "tags": {"a": "b-c.d"}, "quiet": None}) == []
    assert errors(templates) == []
    assert Sample.from_attributes_dict(attributes={"cron": "0 6 * * mon-fri", **right}).owners == right["owners"]


def test_what_a_template_gives_is_checked_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SAMPLE", "every day")

    with pytest.raises(ValueError, match=r"cron: what .* gives is not valid; expected minute"):
        Sample.from_attributes_dict(attributes={"cron": "{{ env('SAMPLE') }}"})
    with pytest.raises(ValueError, match=r"owners: what .* gives is not valid; expected a list"):
        Sample.from_attributes_dict(attributes={"cron": "@daily", "owners": ["{{ env('SAMPLE') }}"]})


@pytest.mark.parametrize("place", range(5))
def test_the_schema_and_dagster_agree_on_every_number_of_a_field(place: int):
    for number in range(100):
        fields = ["0", "6", "*", "*", "*"]
        fields[place] = str(number)
        assert CRON.is_valid(" ".join(fields)) == is_valid_cron_schedule(" ".join(fields)), fields


@st.composite
def a_field(draw: st.DrawFn, place: int) -> str:
    """A field of a cron expression, now and then out of range."""
    value = st.sampled_from([*map(str, FIELDS[place]), *NAMES.get(place, [])])
    anything = st.one_of(value, value, value, st.integers(0, 99).map(str))
    part = st.one_of(st.just("*"), anything, st.tuples(value, value).map("-".join))
    step = st.one_of(st.just(""), st.integers(0, 70).map(lambda n: f"/{n}"))
    parts = draw(st.lists(st.tuples(part, step).map("".join), min_size=1, max_size=3))
    return ",".join(parts)


@given(fields=st.tuples(*(a_field(place) for place in range(5))))
def test_what_dagster_takes_the_schema_takes(fields: tuple[str, ...]):
    cron = " ".join(fields)

    if is_valid_cron_schedule(cron):
        assert CRON.is_valid(cron), cron


@pytest.mark.parametrize(
    "cron",
    [
        "*/15 8-18 * * mon-fri",
        "0 6 L * *",
        "0 6 * * L5",
        "0 6 * * 5#2",
        "0 6 ? * *",
        "@Daily",
        " 0  6 * * * ",
        "00 06 * * 7",
    ],
)
def test_every_notation_of_dagster_passes(cron: str):
    assert is_valid_cron_schedule(cron)
    assert CRON.is_valid(cron)


@pytest.mark.parametrize(
    "cron", ["0 6 * * 8", "0 6 32 * *", "0 6 * 13 *", "*/0 * * * *", "0 6 * * 1-", "0 6 * * sunday", "@reboot"]
)
def test_what_never_runs_fails_by_schema(cron: str):
    assert not is_valid_cron_schedule(cron)
    assert not CRON.is_valid(cron)


def test_an_unknown_key_is_told_with_those_that_are_known():
    assert "'wen' is not one of ['cron', 'timezone', 'when'" in errors({"wen": 1})[1].message
