"""Any components as one: order, what they share, and mistakes that are named with their step."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from components import composition, ml
from components.composition import CompositeComponent
from tests.components.warehouse.project import scaffolded

PLAIN = "tests.components.composition.plain.PlainComponent"
LINES = {
    "name": "lines",
    "type": "components.warehouse.SqlTableComponent",
    "attributes": {
        "key": "{{ variables.schema }}/lines",
        "description": "Pieces sold.",
        "sql": "SELECT {{ variables.pieces }} AS pieces",
        "tags": {"tier": "gold"},
    },
}
TOTAL = {
    "name": "total",
    "type": "SqlTableComponent",
    "after": ["lines"],
    "attributes": {
        "key": "{{ variables.schema }}/total",
        "description": "Their sum.",
        "sql": "SELECT sum(pieces) AS pieces FROM marts.lines",
        "owners": ["team:finance"],
    },
}
SALES = {
    "variables": {"schema": "marts", "pieces": 7},
    "owners": ["team:data"],
    "group": "sales",
    "tags": {"domain": "sales", "tier": "silver"},
    "steps": [LINES, TOTAL],
}


def changed(step, **attributes):
    return {**step, "attributes": {**step["attributes"], **attributes}}


def test_steps_run_in_order_with_the_variables_that_they_share(project):
    project.add(CompositeComponent, "sales", SALES)
    metadata = project.materialize()
    assert list(metadata) == ["marts/lines", "marts/total"]
    assert project.rows("SELECT pieces FROM marts.total") == [(7,)]


def test_owners_group_and_tags_are_inherited_unless_a_step_has_its_own(project):
    project.add(CompositeComponent, "sales", SALES)
    lines, total = project.spec("marts/lines"), project.spec("marts/total")
    assert (lines.owners, total.owners) == (["team:data"], ["team:finance"])
    assert (lines.group_name, total.group_name) == ("sales", "sales")
    assert (lines.tags["domain"], lines.tags["tier"], total.tags["tier"]) == ("sales", "gold", "silver")
    assert [dep.asset_key.to_user_string() for dep in total.deps] == ["marts/lines"]


def test_a_component_without_such_attributes_inherits_and_waits_all_the_same(project):
    plain = {"type": PLAIN, "attributes": {"name": "{{ variables.schema }}"}, "after": ["lines"]}
    last = {**TOTAL, "after": ["plain"]}
    project.add(CompositeComponent, "sales", {**SALES, "steps": [LINES, plain, last]})
    first, second = project.spec("plain/marts"), project.spec("plain/marts_second")
    assert (first.owners, first.group_name, first.tags["domain"]) == (["team:data"], "sales", "own")
    assert (second.owners, second.tags["domain"]) == (["team:other"], "sales")
    deps = [[dep.asset_key.to_user_string() for dep in spec.deps] for spec in (first, second)]
    assert deps == [["marts/lines"], ["plain/marts"]]
    assert list(project.materialize()) == ["marts/lines", "plain/marts", "plain/marts_second", "marts/total"]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([changed(LINES, materialized="tabel")], "steps.0 (components.warehouse.SqlTableComponent): materialized"),
        ([changed(LINES, materialized="tabel")], "'tabel' is not valid; expected one of table, view"),
        (
            [LINES, changed(TOTAL, sqll="SELECT 1")],
            "steps.1 (SqlTableComponent): sqll: unknown key; did you mean 'sql'?",
        ),
        ([changed(LINES, key="{{ variables.shema }}/a")], "shema"),
        ([{**LINES, "type": "components.warehouse.SqlTabelComponent"}], "did you mean SqlTableComponent?"),
        ([{**LINES, "type": "SqlTabelComponent"}], "no component of this library; did you mean 'SqlTableComponent'?"),
        ([{**LINES, "type": "json.JSONDecoder"}], "steps.0: type: 'json.JSONDecoder' is no component"),
        ([LINES, LINES], "steps.1: there is a step 'lines' already"),
        ([TOTAL, LINES], "steps.0: after: 'lines' is no step before 'total'; those are: none"),
        ([{**LINES, "attribute": {}}], "unknown key; did you mean 'attributes'?"),
        ([], "has too few items"),
    ],
)
def test_a_mistake_is_named_with_its_step_when_it_loads(project, steps, expected):
    project.add(CompositeComponent, "sales", {**SALES, "steps": steps})
    assert expected in project.load_error()


def test_a_mistake_in_a_step_is_shown_with_file_and_line(project):
    folder = project.add(CompositeComponent, "sales", {**SALES, "steps": [LINES, changed(TOTAL, materialized="tabel")]})
    line = (folder / "defs.yaml").read_text().splitlines().index("      materialized: tabel") + 1
    assert f"{folder / 'defs.yaml'}:{line} - attributes.steps.1.attributes.materialized" in project.load_error()


@pytest.mark.parametrize(
    ("step", "place"),
    [
        (changed(LINES, materialized="tabel"), ["steps", 0, "attributes", "materialized"]),
        (changed(LINES, partition={"by": "dayly"}), ["steps", 0, "attributes", "partition", "by"]),
        ({**LINES, "after": "lines"}, ["steps", 0, "after"]),
        ({"type": 5}, ["steps", 0, "type"]),
        ({**LINES, "type": "SqlTabelComponent"}, ["steps", 0, "type"]),
    ],
)
def test_the_json_schema_finds_a_mistake_inside_a_step(step, place):
    schema = Draft202012Validator(CompositeComponent.get_model_cls().model_json_schema())
    assert not list(schema.iter_errors(SALES))
    assert place in [list(error.absolute_path) for error in schema.iter_errors({**SALES, "steps": [step]})]


def test_the_scaffolder_writes_what_materialises(project):
    scaffolded(CompositeComponent, project._sandbox.defs_folder_path / "orders")
    project.materialize()
    assert project.rows("SELECT pieces FROM marts.orders_total") == [(7,)]


@pytest.mark.parametrize("name", [*ml.__all__, *composition.__all__])
def test_the_example_of_each_component_is_whole_and_valid(name):
    component = getattr(ml if name in ml.__all__ else composition, name)
    example = yaml.safe_load(textwrap.dedent(component.__doc__.split(".. code-block:: yaml")[1]))
    assert example["type"] == f"components.{name}"
    schema = Draft202012Validator(component.get_model_cls().model_json_schema())
    assert list(schema.iter_errors(example["attributes"])) == []
    assert component.get_model_cls().model_validate(example["attributes"])


def test_families_and_schemas_cost_no_heavy_import():
    script = """
import sys
from components import composition, ml
for family in (ml, composition):
    for name in family.__all__:
        getattr(family, name).get_model_cls().model_json_schema()
heavy = {"sklearn", "mlflow", "pandas", "numpy", "scipy", "duckdb", "pyarrow", "xgboost", "skops", "papermill"}
print(sorted(heavy & set(sys.modules)))
"""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=120)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
