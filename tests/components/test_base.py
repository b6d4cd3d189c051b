"""The base of all components: what the YAML may say, by JSON schema and when it loads."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import dagster as dg
import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from components.base import AttributesError, StrictComponent, StrictModel
from components.template_text import TEMPLATE


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Column(StrictModel):
    """A nested group."""

    name: Annotated[str, dg.Resolver.default(json_schema_extra={"pattern": "^[a-z]+$"})]
    size: Annotated[Literal["small", "large"], dg.Resolver.default(description="How wide.")] = "small"
    width: Annotated[int | None, dg.Resolver.default(json_schema_extra={"minimum": 1, "maximum": 12})] = None

    def model_post_init(self, context: Any) -> None:
        if self.size == "large" and self.width == 1:
            raise ValueError("a large column needs a width above 1")


@dataclass
class Unloaded(StrictComponent):
    """A component that only one test loads."""

    size: int

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions()


@dataclass
class Sample(StrictComponent):
    """A component with an attribute of each kind."""

    mode: Annotated[Literal["append", "replace"], dg.Resolver.default(description="How rows are written.")]
    threads: Annotated[int, dg.Resolver.default(description="Threads.", json_schema_extra={"minimum": 1})] = 1
    ratio: float = 0.5
    enabled: bool = True
    name: Annotated[str | None, dg.Resolver.default(json_schema_extra={"pattern": "^[a-z_]+$"})] = None
    title: str = ""
    colour: Colour = Colour.RED
    columns: list[Column] = field(default_factory=list)
    by_name: dict[str, Column] = field(default_factory=dict)
    main: Column | None = None
    source: Annotated[str | Column, dg.Resolver.default(description="A name, or a column.")] = ""
    tags: dict[str, str] = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions()


MISTAKES = [
    pytest.param({"mode": "apend"}, ["mode"], r"'apend' is not valid; expected one of append, replace", id="enum typo"),
    pytest.param({"threads": "many"}, ["threads"], r"'many' is not valid; expected int", id="text for a number"),
    pytest.param({"threads": "5"}, ["threads"], r"'5' is not valid; expected int", id="number in quotes"),
    pytest.param({"threads": True}, ["threads"], r"True is not valid; expected int", id="boolean for a number"),
    pytest.param({"threads": 1.5}, ["threads"], r"valid integer", id="fraction for a whole number"),
    pytest.param({"threads": 0}, ["threads"], r"0 is not valid; expected at least 1", id="below the minimum"),
    pytest.param({"ratio": "half"}, ["ratio"], r"'half' is not valid; expected float", id="text for a fraction"),
    pytest.param({"enabled": "yes"}, ["enabled"], r"'yes' is not valid; expected bool", id="text for a boolean"),
    pytest.param({"colour": "green"}, ["colour"], r"'green' is not valid; expected one of red, blue", id="enum class"),
    pytest.param({"name": "No Spaces"}, ["name"], r"'No Spaces' does not match '\^\[a-z_\]\+\$'", id="pattern"),
    pytest.param({"title": 5}, ["title"], r"valid string", id="number for a text"),
    pytest.param({"columns": [{"name": "a"}, {"name": "B"}]}, ["columns", 1, "name"], r"'B' does not match", id="list"),
    pytest.param({"columns": [{"name": "a", "size": "big"}]}, ["columns", 0, "size"], r"small", id="item"),
    pytest.param({"main": "none"}, ["main"], r"expected the keys name, size, width", id="text for a group"),
    pytest.param({"by_name": "none"}, ["by_name"], r"expected keys and values", id="text for a dict"),
    pytest.param({"columns": "none"}, ["columns"], r"'none' is not valid; expected a list", id="text for a list"),
    pytest.param({"by_name": {"x": {"name": "a", "width": 13}}}, ["by_name", "x", "width"], r"at most 12", id="dict"),
    pytest.param({"main": {"name": "a", "width": "w"}}, ["main", "width"], r"expected int", id="nested"),
    pytest.param({"source": {"name": "a", "size": "big"}}, ["source", "size"], r"small, large", id="group of a union"),
    pytest.param({"tags": {"year": 2013}}, ["tags", "year"], r"valid string", id="number in a dict of texts"),
]


def schema_errors(attributes: dict[str, Any]) -> list[Any]:
    validator = Draft202012Validator(Sample.get_model_cls().model_json_schema())
    return list(validator.iter_errors(attributes))


def loaded(attributes: dict[str, Any], text: str | None = None) -> Sample:
    """The component as a project loads it from its YAML."""
    with create_defs_folder_sandbox() as sandbox:
        folder: Path = sandbox.defs_folder_path / "sample"
        folder.mkdir()
        document = {"type": f"{Sample.__module__}.Sample", "attributes": attributes}
        (folder / "defs.yaml").write_text(text or yaml.safe_dump(document, sort_keys=False))
        with sandbox.load_component_and_build_defs(defs_path=folder) as (component, _):
            return component


def load_error(attributes: dict[str, Any]) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - Dagster wraps it
        loaded(attributes)
    return str(caught.value.__cause__)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(Sample.get_model_cls().model_json_schema())


@pytest.mark.parametrize(("wrong", "path", "message"), MISTAKES)
def test_a_mistake_is_found_by_the_schema_where_it_is(wrong: dict[str, Any], path: list[Any], message: str):
    attributes = {"mode": "append", **wrong}

    assert [list(error.absolute_path) for error in schema_errors(attributes)] == [path]


@pytest.mark.parametrize(("wrong", "path", "message"), MISTAKES)
def test_a_mistake_is_found_when_it_loads_with_key_and_what_is_valid(
    wrong: dict[str, Any], path: list[Any], message: str
):
    with pytest.raises(ValidationError) as caught:
        Sample.from_attributes_dict(attributes={"mode": "append", **wrong})

    assert [list(detail["loc"]) for detail in caught.value.errors()] == [path]
    assert re.search(message, str(caught.value))


def test_an_unknown_key_is_named_with_the_one_that_is_near():
    assert "unexpected" in schema_errors({"mode": "append", "thread": 1})[0].message
    assert "attributes.thread at" in load_error({"mode": "append", "thread": 1})
    assert "unknown key; did you mean 'threads'?" in load_error({"mode": "append", "thread": 1})
    assert "expected one of name, size, width" in load_error({"mode": "append", "main": {"name": "a", "zzz": 1}})


def test_a_missing_key_is_named():
    assert schema_errors({})[0].message == "'mode' is a required property"
    assert "attributes.mode at" in load_error({"threads": 1})
    assert "'name' is a required property" in schema_errors({"mode": "append", "main": {}})[0].message
    assert "attributes.columns.0.name at" in load_error({"mode": "append", "columns": [{}]})


def test_the_line_of_a_nested_mistake_is_named_when_it_loads():
    error = load_error({"mode": "append", "columns": [{"name": "a"}, {"name": "b", "size": "big"}]})

    assert re.search(r"attributes\.columns\.1\.size at \S+/sample/defs\.yaml:7", error)
    assert "size: 'big' is not valid; expected one of small, large" in error


def test_every_mistake_is_named_at_once():
    error = load_error({"mode": "apend", "threads": 0, "main": {"name": "B"}})

    assert all(text in error for text in ("'apend'", "0 is not valid", "'B' does not match"))


def test_right_values_of_every_kind_load():
    attributes = {
        "mode": "replace",
        "threads": 4,
        "ratio": 1,
        "enabled": False,
        "name": "a_name",
        "colour": "blue",
        "columns": [{"name": "a", "size": "large", "width": 12}],
        "by_name": {"x": {"name": "b"}},
        "main": None,
        "source": {"name": "c"},
        "tags": {"year": "2013"},
    }

    component = loaded(attributes)

    assert schema_errors(attributes) == []
    assert component == Sample(
        mode="replace",
        threads=4,
        ratio=1.0,
        enabled=False,
        name="a_name",
        colour=Colour.BLUE,
        columns=[Column(name="a", size="large", width=12)],
        by_name={"x": Column(name="b")},
        source=Column(name="c"),
        tags={"year": "2013"},
    )


def test_templates_stand_for_every_kind(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SAMPLE_SIZE", "large")
    attributes = {
        "mode": "{{ 'append' }}",
        "threads": "{{ 2 * 2 }}",
        "ratio": "{{ 0.25 }}",
        "enabled": "{{ 1 > 2 }}",
        "name": "{{ 'a' }}_{{ 'b' }}",
        "colour": "{{ 'blue' }}",
        "columns": [{"name": "{{ 'a' }}", "size": "{{ env('SAMPLE_SIZE') }}", "width": "{{ 6 * 2 }}"}],
        "main": "{{ none }}",
        "tags": {"size": "{{ env('SAMPLE_SIZE') }}"},
    }

    component = loaded(attributes)

    assert schema_errors(attributes) == []
    assert component == Sample(
        mode="append",
        threads=4,
        ratio=0.25,
        enabled=False,
        name="a_b",
        colour=Colour.BLUE,
        columns=[Column(name="a", size="large", width=12)],
        tags={"size": "large"},
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"mode": "{{ env('SAMPLE') }}"}, "is not valid; expected one of append, replace"),
        ({"threads": "{{ env('SAMPLE') }}"}, "is not valid; expected int"),
        ({"threads": "{{ 1 - 1 }}"}, "is not valid; expected at least 1"),
        ({"name": "{{ env('SAMPLE') }}"}, r"does not match '^[a-z_]+$'"),
        ({"main": {"name": "a", "size": "{{ env('SAMPLE') }}"}}, "is not valid; expected one of small, large"),
    ],
)
def test_what_a_template_gives_is_checked_and_never_shown(
    wrong: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SAMPLE", "Pa$$w0rd")

    error = load_error({"mode": "append", **wrong})

    assert message in error
    assert "sample/defs.yaml:" in error
    assert "Pa$$w0rd" not in error


def test_text_that_looks_like_a_number_stays_text(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SAMPLE_VERSION", "1.10")
    attributes = {
        "mode": "append",
        "title": "2013",
        "source": "077",
        "tags": {"list": "[1]", "version": "{{ env('SAMPLE_VERSION') }}"},
    }

    component = loaded(attributes)

    assert (component.title, component.source) == ("2013", "077")
    assert component.tags == {"list": "[1]", "version": "1.10"}


def test_attributes_that_contradict_each_other_are_named_with_their_line():
    error = load_error({"mode": "append", "columns": [{"name": "a"}, {"name": "b", "size": "large", "width": 1}]})

    assert "a large column needs a width above 1" in error
    assert re.search(r"sample/defs\.yaml:\d+ - attributes\.columns\.1", error)


def test_such_an_error_is_a_value_error_too():
    with pytest.raises(ValueError, match="above 1") as caught:
        Sample.from_attributes_dict(attributes={"mode": "append", "main": {"name": "b", "size": "large", "width": 1}})

    assert isinstance(caught.value, AttributesError)


def test_a_trailing_newline_does_not_slip_past_a_pattern():
    with pytest.raises(ValidationError, match="does not match"):
        Sample.from_attributes_dict(attributes={"mode": "append", "name": "abc\n"})


def test_the_schema_keeps_descriptions_and_hides_internal_defaults():
    properties = Sample.get_model_cls().model_json_schema()["properties"]

    assert properties["threads"]["description"] == "Threads."
    assert properties["threads"]["default"] == 1
    assert "default" not in properties["columns"]
    assert "DAGSTER_UNSET" not in json.dumps(properties)


def test_a_model_is_built_when_a_file_is_loaded_and_not_for_each_file():
    model = Unloaded.get_model_cls()
    assert not model.__pydantic_complete__, "listing components needs no validator"

    with create_defs_folder_sandbox() as sandbox:
        folder: Path = sandbox.defs_folder_path / "unloaded"
        folder.mkdir()
        document = {"type": f"{Unloaded.__module__}.Unloaded", "attributes": {"size": 3}}
        (folder / "defs.yaml").write_text(yaml.safe_dump(document))
        with sandbox.load_component_and_build_defs(defs_path=folder) as (component, _):
            assert component.size == 3

    assert model.__pydantic_complete__, "the next file would have it built again"


def test_the_model_of_a_class_is_always_the_same():
    assert Sample.model() is Sample.model()
    assert Column.model() is Column.model()


@pytest.fixture(scope="module")
def validator() -> Iterator[Draft202012Validator]:
    return Draft202012Validator(Sample.get_model_cls().model_json_schema())


@given(text=st.text())
def test_no_plain_text_is_a_number(text: str, validator: Draft202012Validator):
    if re.search(TEMPLATE, text):
        return
    attributes = {"mode": "append", "threads": text}

    assert not validator.is_valid(attributes)
    with pytest.raises(ValidationError):
        Sample.get_model_cls().model_validate(attributes)


@given(before=st.text(), inside=st.text(), after=st.text())
def test_every_template_may_stand_for_a_number(before: str, inside: str, after: str, validator: Draft202012Validator):
    attributes = {"mode": "append", "threads": f"{before}{{{{ {inside} }}}}{after}"}

    assert validator.is_valid(attributes)
    assert Sample.get_model_cls().model_validate(attributes).threads == attributes["threads"]
