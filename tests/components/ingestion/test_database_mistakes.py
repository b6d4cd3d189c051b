"""What a database does wrong is named, loses and doubles nothing, and the next run completes."""

import socket
import threading
import time
from decimal import Decimal

import pytest
import sqlalchemy

from tests.components.ingestion.databases import PASSWORD, add, failure, load
from tests.components.ingestion.test_databases import APPENDED, ORDERS, orders, with_orders

TITLES = {"postgres": "Postgres", "mysql": "MySQL", "sqlserver": "SQL Server"}


@pytest.fixture
def shop(sqlserver_shop):
    return with_orders(sqlserver_shop)


def test_a_refused_login_names_the_variables_and_no_secret(project, any_shop, monkeypatch):
    monkeypatch.setenv(PASSWORD, "s3cret-and-wrong")
    message = failure(project, any_shop, ORDERS)
    assert message == f"{TITLES[any_shop.engine]} refused the login. Check SHOP_DB_USER and SHOP_DB_PASSWORD."


def test_a_database_that_is_not_there_is_named_by_its_variable(project, any_shop, monkeypatch):
    monkeypatch.setenv("SHOP_DB_NAME", "no_such_database")
    expected = "no such database, or not for this user. Check SHOP_DB_NAME"
    if any_shop.engine == "sqlserver":  # whose driver says nothing more, once a login was refused in this process
        expected = "Check SHOP_DB_NAME"
    assert expected in failure(project, any_shop, ORDERS)


@pytest.mark.parametrize("engine", TITLES)
def test_a_host_that_does_not_answer_is_named_by_its_variables_and_tried_again(project, monkeypatch, engine):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        values = {"HOST": "127.0.0.1", "PORT": str(taken.getsockname()[1]), "NAME": "d", "USER": "u"}
        for name, value in (values | {"PASSWORD": "s3cret-word"}).items():
            monkeypatch.setenv(f"SHOP_DB_{name}", value)
        from tests.components.ingestion.databases import Shop

        add(project, Shop(engine, sqlalchemy.URL.create("sqlite"), None), ORDERS)
        failed = project.failed()
    expected = f"{TITLES[engine]} does not answer. Check SHOP_DB_HOST and SHOP_DB_PORT, and that this machine may reach"
    assert str(failed.description).startswith(expected)
    assert failed.allow_retries


def test_a_connection_that_cannot_be_encrypted_is_refused_where_it_must_be(project, any_shop):
    add(project, any_shop, ORDERS)
    file = project._sandbox.defs_folder_path / "ingestion" / "shop" / "defs.yaml"
    file.write_text(file.read_text().replace("  connection:\n", "  connection:\n    require_tls: true\n"))
    message = project.failure()
    assert message.startswith(f"{TITLES[any_shop.engine]} gave no connection: ")
    assert any(word in message for word in ("SSL", "TDS server connection failed"))


def test_a_port_that_is_none_is_named(project, shop, monkeypatch):
    monkeypatch.setenv("SHOP_DB_PORT", "fifty")
    assert "SHOP_DB_PORT: 'fifty' is not a port; expected a number up to 65535" in failure(project, shop, ORDERS)


def test_some_variables_without_the_others_are_a_mistake_even_where_there_is_a_sample(project, shop, monkeypatch):
    monkeypatch.delenv("SHOP_DB_USER")
    message = failure(project, shop, ORDERS, sample="sample.sql")
    assert message == "source: SHOP_DB_USER is not set. Set it."


def test_a_missing_password_is_named(project, shop, monkeypatch):
    monkeypatch.delenv(PASSWORD)
    assert "secret 'SHOP_DB_PASSWORD'" in failure(project, shop, ORDERS)


def test_a_table_that_vanished_is_named_with_those_that_are_there_and_the_old_rows_stay(project, shop):
    load(project, shop, ORDERS)
    shop.execute("CREATE TABLE sales (id INT)", "DROP TABLE orders")
    message = failure(project, shop, ORDERS)
    assert message == (
        "table 'orders': no table or view orders in SQL Server that this user may read (there is: sales)."
    )
    assert len(orders(project)) == 2
    shop.execute("DROP TABLE sales")
    assert load(project, with_orders(shop), ORDERS)["raw/orders"]["dagster/row_count"] == 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"cursor": "changed_at"}, "no column 'changed_at' in orders; there are: id, amount, updated_at"),
        ({"primary_key": ["nr"]}, "no column 'nr'; there are: id, amount, updated_at"),
        ({"where": "colour = 'red'"}, "SQL Server, table orders: the query was refused"),
    ],
)
def test_what_the_database_does_not_know_is_named(project, shop, change, expected):
    assert expected in failure(project, shop, {**ORDERS, **change})


def test_keys_without_a_value_are_named_and_nothing_is_loaded(project, shop):
    shop.execute("CREATE TABLE loose (id INT, amount INT)", "INSERT INTO loose VALUES (1, 1), (NULL, 2), (NULL, 3)")
    table = {"name": "loose", "write_disposition": "merge", "primary_key": ["id"]}
    message = failure(project, shop, {**ORDERS}, table)
    assert message == "table raw.loose, source table loose: primary_key 'id' has no value in 2 rows."
    assert project.warehouse.engine.relation_type("raw", "orders") is None
    shop.execute("DELETE FROM loose WHERE id IS NULL")
    assert load(project, shop, ORDERS, table)["raw/loose"]["dagster/row_count"] == 1


def test_a_cursor_without_a_value_is_named(project, shop):
    load(project, shop, ORDERS)
    shop.execute("INSERT INTO orders VALUES (3, 30.30, NULL)")
    assert "source table orders: cursor 'updated_at' has no value in 1 rows" in failure(project, shop, ORDERS)


def test_a_column_whose_type_changed_into_another_is_named_with_the_value(project, shop):
    load(project, shop, ORDERS)
    shop.execute(
        "DROP TABLE orders",
        "CREATE TABLE orders (id INT PRIMARY KEY, amount NVARCHAR(20), updated_at DATETIME2)",
        "INSERT INTO orders VALUES (3, 'thirty', '2024-01-03 10:00:00')",
    )
    message = failure(project, shop, ORDERS)
    assert message == "table raw.orders, source table orders: column 'amount' has 'thirty', which is no DECIMAL(12,2)."
    shop.execute("UPDATE orders SET amount = '30.30'")
    load(project, shop, ORDERS)
    assert orders(project)[-1] == (3, Decimal("30.30"))


def test_a_frozen_schema_refuses_a_new_column(project, shop):
    load(project, shop, ORDERS, schema_contract="freeze")
    shop.execute("ALTER TABLE orders ADD paid_by NVARCHAR(20)")
    assert "new column 'paid_by', and schema_contract is freeze" in failure(
        project, shop, ORDERS, schema_contract="freeze"
    )


def test_a_connection_that_breaks_between_two_chunks_loses_and_doubles_nothing(project, shop):
    load(project, shop, APPENDED)
    values = ", ".join(f"({number}, {number}, '2024-02-01 00:00:00')" for number in range(10, 2_010))
    shop.execute(f"INSERT INTO orders VALUES {values}")
    shop.server.cut_after = 1_500
    add(project, shop, APPENDED, chunk_rows=100)
    failed = project.failed()
    assert str(failed.description).startswith("SQL Server, table orders: the connection broke")
    assert failed.allow_retries
    assert len(orders(project)) == 2
    shop.server.cut_after = None
    assert load(project, shop, APPENDED)["raw/orders"]["dagster/row_count"] == 2_002


@pytest.mark.postgres
def test_a_postgres_session_that_is_ended_in_mid_load_is_told_and_the_next_run_completes(project, postgres_shop):
    postgres_shop.execute(
        "CREATE TABLE numbers (id INT PRIMARY KEY)", "INSERT INTO numbers SELECT * FROM generate_series(1, 200)"
    )
    reading = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'FETCH%' "
    reading += "AND application_name = 'dagster'"
    server, database = postgres_shop.server, postgres_shop.url.database

    def end_it() -> None:
        while "t" not in server.psql(database, reading):
            time.sleep(0.1)

    ender = threading.Thread(target=end_it)
    add(project, postgres_shop, {"name": "numbers", "where": "pg_sleep(0.05) IS NOT NULL"}, chunk_rows=10)
    ender.start()
    failed = project.failed()
    ender.join()
    assert str(failed.description).startswith("Postgres, table numbers: the connection broke: ")
    assert failed.allow_retries
    assert load(project, postgres_shop, {"name": "numbers"})["raw/numbers"]["dagster/row_count"] == 200


@pytest.mark.mariadb
def test_a_day_that_is_none_is_named_with_its_column_and_may_be_read_as_text(project, mysql_shop):
    mysql_shop.execute(
        "CREATE TABLE people (id INT PRIMARY KEY, born DATE)",
        "SET sql_mode = ''",
        "INSERT INTO people VALUES (1, '1990-02-28'), (2, '0000-00-00')",
    )
    message = failure(project, mysql_shop, {"name": "people"})
    assert message.startswith("table 'people', source table people: column 'born' has '0000-00-00', which is no date")
    assert "columns: {born: text}" in message
    load(project, mysql_shop, {"name": "people", "columns": {"born": "text"}})
    assert project.rows("SELECT born FROM raw.people ORDER BY id") == [("1990-02-28",), ("0000-00-00",)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"where": ""}, "where: '' does not match"),
        ({"select": ["amount"]}, "table 'orders': select leaves out 'id', 'updated_at', which primary_key, cursor"),
        ({"cursor": None, "write_disposition": "upsert"}, "expected one of replace, append, merge"),
    ],
)
def test_a_mistake_in_the_yaml_is_named_when_it_loads(project, shop, change, expected):
    add(project, shop, {**ORDERS, **change})
    assert expected in project.load_error()
