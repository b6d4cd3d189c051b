"""Sample rows stand in until there is a real source, and never mix with its rows."""

from decimal import Decimal

import pytest

from components.ingestion.database_source import DatabaseSourceComponent
from components.ingestion.file_source import FileSourceComponent
from tests.components.ingestion.databases import VARIABLES, add
from tests.components.ingestion.test_databases import ORDERS, orders, with_orders
from tests.components.warehouse.project import PAYLOAD, scaffolded, starter_attributes

SAMPLE = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, amount DECIMAL(12, 2) NOT NULL, updated_at TIMESTAMP);
INSERT INTO orders VALUES (70, 7.70, '2030-01-01 00:00:00');
"""
NONE_SET = "source: SHOP_DB_HOST, SHOP_DB_NAME, SHOP_DB_USER are not set"


@pytest.fixture
def shop(sqlserver_shop):
    return with_orders(sqlserver_shop)


@pytest.fixture
def without(monkeypatch):
    """A function that takes the variables of the connection away."""

    def take_away() -> None:
        for name in VARIABLES.values():
            monkeypatch.delenv(name, raising=False)

    return take_away


STARTER = {
    **{"postgres_shop/customers": 3, "postgres_shop/orders": 3, "mysql_catalogue/products": 3},
    **{"mysql_catalogue/stock_movements": 3, "sqlserver_finance/invoices": 2, "sqlserver_finance/cost_centers": 2},
    **{"landing/deliveries": 3, "landing/carriers": 2},
}


def with_sample(project, shop) -> None:
    add(project, shop, ORDERS, sample="sample.sql")
    (project._sandbox.defs_folder_path / "ingestion" / "shop" / "sample.sql").write_text(SAMPLE)


def test_the_sample_says_so_and_the_first_real_rows_replace_it(project, shop, monkeypatch):
    with monkeypatch.context() as unset:
        for name in VARIABLES.values():
            unset.delenv(name)
        with_sample(project, shop)
        for _ in range(2):
            metadata = project.materialize()["raw/orders"]
            assert (metadata["sample"], metadata["dagster/row_count"]) == (True, 1)
        assert orders(project) == [(70, Decimal("7.70"))]
    for _ in range(2):
        metadata = project.materialize()["raw/orders"]
        assert ("sample" in metadata, metadata["dagster/row_count"]) == (False, 2)
    assert [number for number, _ in orders(project)] == [1, 2]


def test_the_sample_never_replaces_real_rows(project, shop, without):
    with_sample(project, shop)
    project.materialize()
    without()
    assert project.failure().startswith("raw.orders: rows of the real source are there, and SHOP_DB_HOST")
    assert len(orders(project)) == 2


def test_a_failed_first_real_load_leaves_the_sample(project, shop, monkeypatch):
    with monkeypatch.context() as unset:
        for name in VARIABLES.values():
            unset.delenv(name)
        with_sample(project, shop)
        project.materialize()
    shop.execute("INSERT INTO orders VALUES (3, 1, NULL)")
    assert "cursor 'updated_at' has no value" in project.failure()
    assert orders(project) == [(70, Decimal("7.70"))]


def test_in_production_no_sample_stands_in(project, shop, without, monkeypatch, tmp_path):
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    without()
    with_sample(project, shop)
    assert project.failure() == f"{NONE_SET}, and WAREHOUSE_TARGET is production, where no sample stands in. Set it."


def test_without_a_sample_the_variables_are_named(project, shop, without):
    without()
    add(project, shop, ORDERS)
    assert project.failure() == f"{NONE_SET}. Set it."


def test_a_sample_that_sqlite_refuses_is_named(project, shop, without):
    without()
    with_sample(project, shop)
    (project._sandbox.defs_folder_path / "ingestion" / "shop" / "sample.sql").write_text("CREATE TABEL x;")
    assert 'sample.sql: SQLite refuses it: near "TABEL": syntax error' in project.failure()


def test_the_scaffolder_writes_what_materialises(project, without):
    without()
    project.file("policy.yaml", "version: 1\n")
    scaffolded(DatabaseSourceComponent, project._sandbox.defs_folder_path / "made", engine="mysql", table="people")
    assert project.materialize()["raw/people"]["dagster/row_count"] == 2


@pytest.mark.slot("modern-data", "files/local", "embedded")
def test_the_starters_databases_and_files_load_their_samples_twice_alike(project, monkeypatch):
    monkeypatch.delenv("LANDING_URL", raising=False)
    for name in ("postgres", "mysql", "sqlserver", "files"):
        component = FileSourceComponent if name == "files" else DatabaseSourceComponent
        folder = project.add(component, name, starter_attributes(f"ingestion/{name}"))
        source = PAYLOAD / "src" / "[= package =]" / "defs" / "ingestion" / name
        for file in source.rglob("*"):
            if file.is_file() and file.suffix != ".jinja":
                target = folder / file.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    for _ in range(2):
        metadata = project.materialize()
        assert {key: entry["dagster/row_count"] for key, entry in metadata.items()} == STARTER
        assert all(entry["sample"] for entry in metadata.values())


def test_real_files_replace_those_of_the_sample_also_of_the_same_name(project, monkeypatch):
    monkeypatch.delenv("LANDING_URL", raising=False)
    table = {"name": "orders", "file": "*.csv", "description": "Orders.", "write_disposition": "append"}
    source = {"url_env": "LANDING_URL", "sample": "sample"}
    attributes = {"source": source, "tables": [{**table, "only_new": "name"}]}
    folder = project.add(FileSourceComponent, "landing", attributes)
    (folder / "sample").mkdir()
    (folder / "sample" / "1.csv").write_text("id,amount\n70,7\n")
    assert project.materialize()["raw/orders"]["sample"] is True
    project.file("real/2.csv", "id,amount\n2,20\n")
    monkeypatch.setenv("LANDING_URL", "real")
    project.materialize()
    project.file("real/1.csv", "id,amount\n1,10\n")
    project.materialize()
    assert orders(project) == [(1, 10), (2, 20)]
    monkeypatch.setenv("LANDING_URL", "ftp://nowhere/x")
    assert "source: LANDING_URL: 'ftp://nowhere/x' is not valid; expected a folder, or an address" in project.failure()
