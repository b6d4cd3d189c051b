"""Attribute tables: what a reader is told about every kind of attribute."""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

import dagster as dg

from components.attributes import Owners
from components.base import StrictComponent, StrictModel
from components.orchestration import ScheduledJobComponent
from components.renamed import Renamed
from components.schedules import Cron
from tests.catalogue.tools import Doc, as_used, attribute_table, flat, read_doc, rows, scaffold_parameters


class Column(StrictModel):
    """A nested group."""

    name: Annotated[str, dg.Resolver.default(description="Its | name.", json_schema_extra={"pattern": "^[a-z]+$"})]
    width: Annotated[int | None, dg.Resolver.default(json_schema_extra={"minimum": 1, "maximum": 12})] = None


@dataclass
class Sample(StrictComponent):
    """A component with an attribute of each kind."""

    renamed_attributes = (Renamed("file", "output", since="0.2.0", until=date(2999, 1, 1)),)

    output: Annotated[str, dg.Resolver.default(json_schema_extra={"pattern": r"\S"})]
    mode: Annotated[Literal["append", "replace"], dg.Resolver.default(description="How.")] = "append"
    ratio: Annotated[float, dg.Resolver.default(json_schema_extra={"exclusiveMinimum": 0})] = 0.5
    cron: Cron = "@daily"
    owners: Owners = field(default_factory=list)
    columns: Annotated[list[Column], dg.Resolver.default(json_schema_extra={"minItems": 1})] = field(
        default_factory=list
    )
    by_name: dict[str, Column] = field(default_factory=dict)
    source: str | Column = ""
    anything: Any = None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions()


SCHEMA = Sample.get_model_cls().model_json_schema()  # type: ignore[union-attr]  # it has attributes
ROWS = {row.name: row for row in rows(SCHEMA)}


def test_choices_are_the_type():
    assert (ROWS["mode"].type, ROWS["mode"].default) == ("`append`, `replace`", '`"append"`')


def test_limits_are_said_in_words():
    assert ROWS["ratio"].rules == "more than 0"
    assert ROWS["columns"].rules == "at least 1 items"
    assert flat(SCHEMA)["columns[].width"].rules == "at least 1; at most 12"
    assert flat(SCHEMA)["columns[].name"].rules == "matches `^[a-z]+$`"
    assert ROWS["output"].rules == "not empty"


def test_formats_are_said_in_words_and_not_as_a_pattern():
    assert ROWS["cron"].rules.startswith("minute (0-59), hour (0-23)")
    assert ROWS["owners"].rules == "each an e-mail address, or a team as team:name"


def test_groups_are_named_wherever_they_stand():
    assert ROWS["columns"].type == "list of Column"
    assert ROWS["by_name"].type == "map to Column"
    assert ROWS["source"].type == "Column or string"


def test_every_attribute_has_a_path():
    assert {"columns[].name", "by_name.*.width", "source.name"} <= set(flat(SCHEMA))


def test_a_group_inside_itself_ends():
    node = {"properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/Node"}}}
    schema = {"properties": {"first": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}}

    assert list(flat(schema)) == ["first", "first.name", "first.next"]


def test_an_old_name_is_deprecated_and_both_are_required_one_way_or_the_other():
    assert (ROWS["file"].deprecated, ROWS["output"].deprecated) == (True, False)
    assert ROWS["output"].default == "required"
    assert "`file` (deprecated)" in attribute_table(SCHEMA)


def test_each_group_has_a_table_of_its_own_and_a_bar_does_not_end_a_cell():
    table = attribute_table(SCHEMA)

    assert table.count("| In `Column` |") == 1
    assert "Its \\| name." in table
    assert {line.replace("\\|", "").count("|") for line in table.splitlines() if line} == {6}


def test_a_component_without_attributes_says_so():
    assert attribute_table({"properties": {}}) == "No attributes.\n"


def test_a_docstring_is_taken_apart():
    doc = read_doc(
        """Makes a table
        of rows.

        It is :class:`quick`.

        .. code-block:: yaml

            type: components.Sample
            attributes:

              mode: append

        More to say.
        """
    )

    assert doc == Doc(
        "Makes a table of rows.",
        "It is `quick`.\n\nMore to say.",
        "type: components.Sample\nattributes:\n\n  mode: append\n",
    )
    assert as_used(doc.example, "acme") == "type: acme.Sample\nattributes:\n\n  mode: append\n"


def test_no_docstring_is_no_example():
    assert read_doc(None) == Doc("", "", "")


def test_the_options_of_the_scaffolder_are_rows_too():
    options = {row.name: row for row in rows(scaffold_parameters(ScheduledJobComponent))}

    assert options["job_name"].default == '`"daily_refresh"`'
    assert options["cron"].description != ""
