"""Tables of databases arrive in the warehouse as they are, once each."""

import datetime as dt
import sys
from decimal import Decimal

import pytest

from tests.components.ingestion.databases import BINARY, TEXT, add, load

ORDERS = {"name": "orders", "write_disposition": "merge", "primary_key": ["id"], "cursor": "updated_at"}
APPENDED = {**ORDERS, "write_disposition": "append", "primary_key": []}
REPLACED = {"name": "orders"}


def orders(project):
    return project.rows("SELECT id, amount FROM raw.orders ORDER BY id, amount")


@pytest.fixture
def shop(sqlserver_shop):
    return with_orders(sqlserver_shop)


def with_orders(shop):
    """A shop that has two orders."""
    shop.execute(
        f"CREATE TABLE orders (id INT PRIMARY KEY, amount DECIMAL(12, 2) NOT NULL, updated_at {shop.local_time})",
        "INSERT INTO orders VALUES (1, 10.10, '2024-01-01 10:00:00'), (2, 20.20, '2024-01-02 10:00:00')",
    )
    return shop


def updates_arrive_once(project, shop) -> None:
    """Two runs of a merged table, with changes between them."""
    assert load(project, with_orders(shop), ORDERS)["raw/orders"]["rows_loaded"] == 2
    shop.execute(
        "UPDATE orders SET amount = 25.25, updated_at = '2024-01-03 10:00:00' WHERE id = 2",
        "INSERT INTO orders VALUES (3, 30.30, '2024-01-03 10:00:00'), (4, 40.40, '2023-12-31 10:00:00')",
    )
    metadata = load(project, shop, ORDERS)["raw/orders"]
    assert (metadata["rows_loaded"], metadata["dagster/row_count"]) == (2, 3)
    assert load(project, shop, ORDERS)["raw/orders"]["dagster/row_count"] == 3
    assert orders(project) == [(1, Decimal("10.10")), (2, Decimal("25.25")), (3, Decimal("30.30"))]


@pytest.mark.postgres
@pytest.mark.slot("modern-data", "postgres-source", "server")
@pytest.mark.slot("modern-data", "dlt", "server")
def test_postgres_rows_that_changed_arrive_once(project, postgres_shop):
    updates_arrive_once(project, postgres_shop)


@pytest.mark.mariadb
@pytest.mark.slot("modern-data", "mysql-source", "server")
def test_mariadb_rows_that_changed_arrive_once(project, mysql_shop):
    updates_arrive_once(project, mysql_shop)


@pytest.mark.slot("modern-data", "sqlserver-source", "fake")
def test_sql_server_rows_that_changed_arrive_once(project, sqlserver_shop):
    updates_arrive_once(project, sqlserver_shop)
    selects = [sql for sql in sqlserver_shop.server.queries if "FROM orders" in sql]
    assert "WHERE orders.updated_at >= '2024-01-0" in selects[-1]


def test_append_takes_only_rows_above_the_cursor_whatever_the_filter_says(project, shop):
    table = {**APPENDED, "where": "id > 2 OR '%' <> ' :b' OR updated_at IS NULL -- every row"}
    load(project, shop, table)
    shop.execute("INSERT INTO orders VALUES (3, 30.30, '2024-01-03 10:00:00')")
    assert load(project, shop, table)["raw/orders"]["rows_loaded"] == 1
    assert load(project, shop, table)["raw/orders"]["rows_loaded"] == 0
    assert [number for number, _ in orders(project)] == [1, 2, 3]


def test_replace_follows_the_database_down_to_an_empty_table(project, shop):
    assert load(project, shop, REPLACED)["raw/orders"]["dagster/row_count"] == 2
    shop.execute("DELETE FROM orders WHERE id = 1")
    load(project, shop, REPLACED)
    assert orders(project) == [(2, Decimal("20.20"))]
    shop.execute("DELETE FROM orders WHERE id = 2")
    metadata = load(project, shop, REPLACED)["raw/orders"]
    assert metadata["dagster/row_count"] == 0
    assert [column.name for column in metadata["dagster/column_schema"].columns][:3] == ["id", "amount", "updated_at"]


def test_only_chosen_columns_and_rows_are_read_under_another_name(project, shop):
    table = {"name": "big_orders", "table": "orders", "select": ["id", "amount"], "where": "amount > 15"}
    metadata = load(project, shop, table)["raw/big_orders"]
    assert project.rows("SELECT id, amount FROM raw.big_orders") == [(2, Decimal("20.20"))]
    assert project.warehouse.engine.columns("raw", "big_orders")[2].name == "_dlt_load_id"
    assert metadata["source_table"] == "orders"


def test_many_chunks_are_one_table(project, shop):
    values = ", ".join(f"({number}, {number}.5, '2024-02-01 00:00:00')" for number in range(10, 1_010))
    shop.execute(f"INSERT INTO orders VALUES {values}")
    assert load(project, shop, ORDERS, chunk_rows=99)["raw/orders"]["dagster/row_count"] == 1_002


def test_every_common_type_arrives_as_it_is_and_ten_megabytes_in_one_field(project, any_shop):
    kind = any_shop.engine
    quoted = "`at`" if kind == "mysql" else '"at"'
    raw = {"postgres": "'\\x6162'", "mysql": "x'6162'", "sqlserver": "CAST('ab' AS VARBINARY(max))"}[kind]
    flag, yes = ("BOOLEAN", "true") if kind == "postgres" else ("BIT", "1")
    double = "FLOAT" if kind == "sqlserver" else "DOUBLE PRECISION"
    moment = "2024-07-01 05:06:07" + ("" if kind == "mysql" else "+02:00")  # MySQL writes it in the session's zone
    body = "ü" + "x" * 10_000_000
    any_shop.execute(
        f"CREATE TABLE facts (small SMALLINT, big BIGINT, price DECIMAL(38, 9), ratio {double}, ok {flag}, d DATE, "
        f"t TIME, {quoted} {any_shop.local_time}, moment {any_shop.moment}, raw {BINARY[kind]}, "
        f"name {TEXT[kind]}, body {TEXT[kind]}, nothing INT)"
    )
    any_shop.execute(
        "INSERT INTO facts VALUES (-7, 9007199254740993, '12345678901234567890123456789.000000001', 1.5, "
        f"{yes}, '2024-02-29', :t, :at, :moment, {raw}, 'Zoë 🦆', :body, NULL)",
        **{"t": "05:06:07", "at": "2024-01-01 05:06:07.123456", "moment": moment, "body": body},
    )
    load(project, any_shop, {"name": "facts"})
    columns = 'small, big, price, ratio, ok, d, t, "at", moment, raw, name, length(body), left(body, 2), nothing'
    [row] = project.rows(f"SELECT {columns} FROM raw.facts")
    assert row[:4] == (-7, 9007199254740993, Decimal("12345678901234567890123456789.000000001"), 1.5)
    assert row[4:8] == (True, dt.date(2024, 2, 29), dt.time(5, 6, 7), dt.datetime(2024, 1, 1, 5, 6, 7, 123456))
    assert row[8].astimezone(dt.UTC) == dt.datetime(2024, 7, 1, 5 if kind == "mysql" else 3, 6, 7, tzinfo=dt.UTC)
    assert (bytes(row[9]), *row[10:]) == (b"ab", "Zoë 🦆", 10_000_001, "üx", None)


def test_times_without_a_zone_get_the_one_given_in_summer_and_winter(project, shop):
    shop.execute("UPDATE orders SET updated_at = '2024-07-01 10:00:00' WHERE id = 2")
    load(project, shop, ORDERS, time_zone="Europe/Berlin")
    found = [
        moment.astimezone(dt.UTC).hour for [moment] in project.rows("SELECT updated_at FROM raw.orders ORDER BY id")
    ]
    assert found == [9, 8]
    shop.execute("INSERT INTO orders VALUES (3, 1, '2024-07-01 10:00:01'), (4, 1, '2024-07-01 09:59:59')")
    assert load(project, shop, ORDERS, time_zone="Europe/Berlin")["raw/orders"]["rows_loaded"] == 2
    assert project.rows("SELECT max(id) FROM raw.orders") == [(3,)]


def test_a_new_column_and_a_wider_one_arrive(project, any_shop):
    shop = with_orders(any_shop)
    load(project, shop, ORDERS)
    add_column = "ADD" if shop.engine == "sqlserver" else "ADD COLUMN"
    widen = {"mysql": "MODIFY amount DECIMAL(20, 2)", "postgres": "ALTER COLUMN amount TYPE DECIMAL(20, 2)"}
    shop.execute(
        f"ALTER TABLE orders {add_column} paid_by VARCHAR(20)",
        f"ALTER TABLE orders {widen.get(shop.engine, 'ALTER COLUMN amount DECIMAL(20, 2)')}",
        "INSERT INTO orders VALUES (3, 1234567890.25, '2024-01-03 10:00:00', 'card')",
    )
    load(project, shop, ORDERS)
    assert project.rows("SELECT id, amount, paid_by FROM raw.orders WHERE id > 1 ORDER BY id") == [
        (2, Decimal("20.20"), None),
        (3, Decimal("1234567890.25"), "card"),
    ]


def test_loading_the_definitions_imports_no_driver_and_contacts_nothing(project, sqlserver_shop, monkeypatch):
    for name in list(sys.modules):
        if name.partition(".")[0] in ("sqlalchemy", "pymssql", "dlt"):
            monkeypatch.delitem(sys.modules, name)
    before = len(sqlserver_shop.server.queries)
    add(project, sqlserver_shop, ORDERS)
    spec = project.spec("raw/orders")
    assert (spec.kinds, spec.metadata["dagster/storage_kind"]) == ({"dlt", "sqlserver", "duckdb"}, "duckdb")
    assert len(sqlserver_shop.server.queries) == before
    assert not {"sqlalchemy", "pymssql", "dlt"} & set(sys.modules)
