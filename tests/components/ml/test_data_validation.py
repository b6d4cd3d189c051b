"""Data held against rules: in the warehouse, in files, and what a broken rule stops."""

import dagster as dg
import pytest
import yaml

from components.ml import DataValidationComponent
from components.warehouse.sql_table import SqlTableComponent
from tests.components.warehouse.project import any_project, scaffolded  # noqa: F401 - a fixture

PEOPLE = """SELECT * FROM (VALUES
    (1, 'ann@example.org', 31, 'DE', TIMESTAMP '2024-01-01 10:00:00'),
    (2, 'bob', 17, 'FR', TIMESTAMP '2024-01-02 10:00:00'),
    (2, NULL, 200, 'XX', TIMESTAMP '2024-01-03 10:00:00')) AS people (id, mail, age, country, seen)"""


def rules(*items, folder):
    (folder / "rules.yaml").write_text(yaml.safe_dump({"rules": list(items)}))


def checked(project):
    """Results of the asset checks of a run that goes on whatever they say, by name."""
    with project.definitions() as definitions:
        done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(raise_on_error=False)
    found = {evaluation.check_name: evaluation for evaluation in done.get_asset_check_evaluations()}
    made = {event.asset_key.to_user_string() for event in done.get_asset_materialization_events()}
    return found, made


def people(project, *items, **attributes):
    project.add(SqlTableComponent, "people", {"key": "raw/people", "sql": PEOPLE, "description": "People."})
    countries = "SELECT 'DE' AS code UNION ALL SELECT 'FR'"
    project.add(SqlTableComponent, "countries", {"key": "raw/countries", "sql": countries, "description": "Known."})
    checks = {"key": "raw/people_checks", "description": "People, checked.", "data": {"table": "raw/people"}}
    folder = project.add(DataValidationComponent, "checks", {**checks, "rules": "rules.yaml", **attributes})
    rules(*items, folder=folder)
    return folder


def test_every_kind_of_rule_counts_what_breaks_it(any_project):  # noqa: F811
    people(
        any_project,
        {"check": "not_null", "columns": ["mail"], "severity": "warn"},
        {"check": "not_null", "columns": ["id"]},
        {"check": "unique", "columns": ["id"], "severity": "warn"},
        {"check": "unique", "columns": ["id", "age"]},
        {"check": "range", "columns": ["age"], "minimum": 18, "maximum": 120, "severity": "warn"},
        {"check": "accepted_values", "columns": ["country"], "values": ["DE", "FR", "XX"]},
        {"check": "regex", "columns": ["mail"], "pattern": "^[^@]+@[^@]+$", "severity": "warn"},
        {"check": "row_count", "minimum": 3, "maximum": 3},
        {"check": "freshness", "columns": ["seen"], "maximum_age_hours": 1, "severity": "warn"},
        {"check": "schema", "types": {"id": "integer", "mail": None}, "allow_more_columns": True},
        {"check": "foreign_key", "columns": ["country"], "references": "raw/countries", "referenced_column": "code",
         "severity": "warn"},
        {"check": "sql", "name": "adults", "expression": "age >= 18", "where": "country = 'FR'", "severity": "warn"},
        {"check": "sql", "name": "most_are_adults", "expression": "age >= 18", "maximum_failing_rows": 1},
    )  # fmt: skip
    found, _ = checked(any_project)
    failed = {name for name, evaluation in found.items() if not evaluation.passed}
    assert failed == {
        *("not_null_mail", "unique_id", "range_age", "regex_mail", "freshness_seen", "foreign_key_country", "adults"),
    }
    counts = {name: evaluation.metadata.get("failing_rows") for name, evaluation in found.items()}
    assert {name: count.value for name, count in counts.items() if count} == {
        **{"not_null_mail": 1, "not_null_id": 0, "unique_id": 2, "unique_id_age": 0, "range_age": 2},
        **{"accepted_values_country": 0, "regex_mail": 1, "foreign_key_country": 1, "adults": 1, "most_are_adults": 1},
    }
    assert "200" in found["range_age"].metadata["sample"].value
    assert found["adults"].severity == dg.AssetCheckSeverity.WARN


def test_a_broken_rule_of_severity_error_stops_what_is_downstream(project):
    people(project, {"check": "unique", "columns": ["id"]})
    after = {"key": "marts/people", "sql": "SELECT 1 AS n", "depends_on": ["raw/people_checks"], "description": "x"}
    project.add(SqlTableComponent, "after", after)
    found, made = checked(project)
    assert not found["unique_id"].passed
    assert made == {"raw/people", "raw/countries", "raw/people_checks"}


def test_a_broken_rule_of_severity_warn_stops_nothing(project):
    people(project, {"check": "unique", "columns": ["id"], "severity": "warn"})
    after = {"key": "marts/people", "sql": "SELECT 1 AS n", "depends_on": ["raw/people_checks"], "description": "x"}
    project.add(SqlTableComponent, "after", after)
    assert "marts/people" in checked(project)[1]


def test_a_sample_hides_personal_columns(project):
    people(
        project, {"check": "range", "columns": ["age"], "maximum": 30, "severity": "warn"}, personal_columns=["mail"]
    )
    sample = checked(project)[0]["range_age"].metadata["sample"].value
    assert "ann@example.org" not in sample
    assert "| 1 | *** | 31 | DE |" in sample


def test_a_file_is_checked_as_a_table_is(wines):
    checks = {"key": "ml/checks", "description": "Wines.", "data": {"path": "data/wine.csv"}, "rules": "rules.yaml"}
    folder = wines.add(DataValidationComponent, "checks", checks)
    (wines.root / "data" / "known.csv").write_text("name\ncultivar_0\ncultivar_1\n")
    reference = {"check": "foreign_key", "columns": ["cultivar"], "references": "data/known.csv"}
    rules(
        {**reference, "referenced_column": "name", "severity": "warn"},
        {"check": "schema", "types": {"alcohol": "double", "hues": None}, "severity": "warn"},
        folder=folder,
    )
    found, _ = checked(wines)
    assert found["foreign_key_cultivar"].metadata["failing_rows"].value == 48
    assert found["schema"].description == "no column hues"


def test_the_report_is_in_the_metadata_and_the_table_is_upstream(project):
    people(project, {"check": "row_count", "minimum": 1})
    deps = {dep.asset_key.to_user_string() for dep in project.spec("raw/people_checks").deps}
    assert deps == {"raw/people"}
    metadata = project.materialize()["raw/people_checks"]
    assert (metadata["dagster/row_count"], metadata["rules"], metadata["broken_rules"]) == (3, 1, 0)
    assert "| row_count | error | yes | 3 rows |" in metadata["report"]


def test_a_partition_is_checked_alone(project):
    partition = {"by": "daily", "start": "2024-01-01", "column": "seen"}
    folder = people(project, {"check": "range", "columns": ["age"], "maximum": 100}, partition=partition)
    metadata = project.materialize("raw/people")  # the table, whole
    metadata = project.materialize("raw/people_checks", partition="2024-01-02")["raw/people_checks"]
    assert metadata["dagster/row_count"] == 1
    assert folder.is_dir()


def test_a_column_that_is_not_there_is_named_with_those_that_are(project):
    people(project, {"check": "not_null", "columns": ["e_mail"]})
    message = project.failure()
    assert "rule not_null_e_mail: raw/people has no column 'e_mail'; it has: id, mail, age, country, seen" in message


def test_sql_that_the_warehouse_refuses_is_named_with_its_file(project):
    folder = people(project, {"check": "sql", "expression": "agee > 1"})
    assert project.failure().startswith(f"raw/people_checks ({folder / 'rules.yaml'}): ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules:\n- check: not_nul\n  columns: [a]\n", ":2: rules.0: check: 'not_nul' is not valid; "),
        ("rules:\n- check: range\n  columns: [a]\n", "range needs minimum or maximum or both"),
        ("rules:\n- check: regex\n  columns: [a]\n", ":2 - rules.0"),
        ("rules:\n- check: unique\n  columns: [a]\n  pattern: x\n", "unique does not take pattern; it takes columns"),
        ("rules:\n- check: unique\n  column: [a]\n", ":3: rules.0.column: unknown key; did you mean 'columns'?"),
        ("rules:\n- {check: row_count, minimum: 1}\n- {check: row_count, minimum: 2}\n", "row_count is there twice"),
        ("rules: []\n", ":1: rules: () has too few items"),
        ("rules: [\n", "this is not YAML"),
        ("", ":1: expected the keys rules"),
        ("rules:\n- {check: foreign_key, columns: [a], references: x.csv, referenced_column: b}\n",
         "'x.csv' is not valid; expected a table as schema/table"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_rules_is_named_with_file_and_line_when_it_loads(project, text, expected):
    folder = people(project, {"check": "row_count", "minimum": 1})
    (folder / "rules.yaml").write_text(text)
    message = project.load_error()
    assert str(folder / "rules.yaml") in message
    assert expected in message


def test_the_scaffolder_writes_what_materialises(project):
    scaffolded(DataValidationComponent, project._sandbox.defs_folder_path / "made")
    metadata = project.materialize("ml/wine_data_checks")["ml/wine_data_checks"]
    assert (metadata["rules"], metadata["broken_rules"]) == (7, 0)
