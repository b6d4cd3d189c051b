"""Sling's own program replicates files and Postgres tables into DuckDB, and what it cannot do is named."""

import subprocess
import sys
import uuid

import pytest

from components.ingestion.sling import SlingReplicationComponent
from tests.components.warehouse.project import scaffolded
from tests.rendering import ROOT

TOOLS = ROOT / "build" / "tools" / "sling"
PACKAGES = ["sling-linux-amd64==1.4.11", "duckdb-cli==1.5.5", "duckdb-extension-json==1.5.5"]
SHOP = {
    "type": "postgres",
    "variables": {"host": "SHOP_DB_HOST", "database": "SHOP_DB_NAME", "user": "SHOP_DB_USER", "port": "SHOP_DB_PORT"},
    "secrets": {"password": "SHOP_DB_PASSWORD"},
    "options": {"sslmode": "disable"},
}
FILES = """
source: LOCAL
target: WAREHOUSE
defaults: {mode: full-refresh}
streams:
  file://orders.csv: {object: raw.orders, meta: {dagster: {description: Orders.}}}
"""
TABLES = """
source: SHOP
target: WAREHOUSE
streams:
  public.orders: {object: raw.orders, mode: incremental, primary_key: [id], update_key: updated_at}
"""


@pytest.fixture
def program(monkeypatch, tmp_path):
    """Sling's program and DuckDB's, installed below build/ the first time: 400 MB, in an environment of their own."""
    if not TOOLS.is_dir():
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, str(TOOLS)], check=True)
        install = ["uv", "pip", "install", "--quiet", "--python", str(TOOLS / "bin" / "python"), *PACKAGES]
        subprocess.run(install, check=True)
    sys.path.append(str(next(TOOLS.glob("lib/python*/site-packages"))))  # at the end: only what is missing here
    for name in ("SLING_BINARY", "DUCKDB_PATH", "SLING_HOME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    yield
    sys.path.pop()


def add(project, replication, **attributes):
    project.file("policy.yaml", "version: 1\n")
    given = {"replication": "replication.yaml", "owners": ["team:data"], "group": "ingestion", **attributes}
    folder = project.add(SlingReplicationComponent, "ingestion/sling", given)
    (folder / "replication.yaml").write_text(replication)
    return folder


@pytest.mark.e2e
@pytest.mark.postgres
@pytest.mark.slot("modern-data", "sling", "server")
def test_files_and_then_postgres_rows_arrive_in_the_warehouse(program, project, postgres_shop, monkeypatch):
    reader = f"reader_{uuid.uuid4().hex[:8]}"  # this Sling takes no password with quotes or percent signs
    folder = add(project, TABLES, connections={"SHOP": SHOP}, sample="sample.yaml")
    (folder / "sample.yaml").write_text(FILES)
    (folder / "orders.csv").write_text("id,amount\n1,10\n2,20\n")
    with monkeypatch.context() as without:
        for name in SHOP["variables"].values():
            without.delenv(name)
        metadata = project.materialize()["raw/orders"]
        assert (metadata["dagster/row_count"], metadata["sample"]) == (2, True)

    postgres_shop.execute(
        "CREATE TABLE orders (id INT PRIMARY KEY, amount DECIMAL(12, 2), updated_at TIMESTAMP)",
        "INSERT INTO orders VALUES (7, 70.70, '2024-01-01 10:00:00')",
        f"CREATE ROLE {reader} LOGIN PASSWORD 's3cret-and-right'",
        f"GRANT SELECT ON orders TO {reader}",
    )
    monkeypatch.setenv("SHOP_DB_USER", reader)
    monkeypatch.setenv("SHOP_DB_PASSWORD", "s3cret-and-right")
    metadata = project.materialize()["raw/orders"]
    assert (metadata["dagster/row_count"], "sample" in metadata) == (1, False)
    postgres_shop.execute("INSERT INTO orders VALUES (8, 80.80, '2024-01-02 10:00:00')")
    assert project.materialize()["raw/orders"]["dagster/row_count"] == 2
    rows = project.rows("SELECT id, CAST(amount AS DECIMAL(12, 2)) FROM raw.orders ORDER BY id")
    assert [(number, str(amount)) for number, amount in rows] == [(7, "70.70"), (8, "80.80")]

    monkeypatch.setenv("SHOP_DB_PASSWORD", "s3cret-and-wrong")
    message = project.failure()
    assert "password authentication failed" in message
    assert "s3cret" not in message


def test_the_spec_has_the_companys_standards_and_loading_starts_no_program(project, monkeypatch):
    monkeypatch.delitem(sys.modules, "sling", raising=False)
    add(project, FILES, tags={"domain": "shop"})
    spec = project.spec("raw/orders")
    assert (spec.owners, spec.group_name, spec.description) == (["team:data"], "ingestion", "Orders.")
    assert (spec.tags["domain"], spec.kinds) == ("shop", {"sling", "duckdb"})
    assert "sling" not in sys.modules


def test_a_missing_program_is_named_with_where_to_get_it(project, monkeypatch, tmp_path):
    for name in ("SLING_BINARY", "SLING_HOME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    add(project, FILES)
    assert "Sling's program is not installed. Name it in SLING_BINARY, or add the package sling-" in project.failure()


def test_missing_variables_are_named(project, monkeypatch):
    add(project, TABLES, connections={"SHOP": SHOP})
    assert "connections: SHOP_DB_NAME, SHOP_DB_HOST, SHOP_DB_PORT, SHOP_DB_USER not set" in project.failure()


@pytest.mark.parametrize(
    ("replication", "expected"),
    [
        ("source: LOCAL\ntarget: WAREHOUSE\n", "no streams; expected source, target and streams"),
        (TABLES.replace("raw.orders", "orders"), "object: 'orders' is not valid; expected schema.table, as raw.orders"),
        ("a: [", "replication.yaml: "),
    ],
)
def test_a_mistake_in_the_replication_is_named_when_it_loads(project, replication, expected):
    add(project, replication)
    assert expected in project.load_error()


def test_a_sample_that_makes_other_tables_is_named_when_it_loads(project):
    folder = add(project, TABLES, connections={"SHOP": SHOP}, sample="sample.yaml")
    (folder / "sample.yaml").write_text(FILES.replace("raw.orders", "raw.sales"))
    assert "the sample makes raw.sales; expected what replication.yaml makes: raw.orders" in project.load_error()


def test_the_scaffolder_writes_what_loads(project):
    scaffolded(SlingReplicationComponent, project._sandbox.defs_folder_path / "made")
    assert project.spec("raw/orders").kinds == {"sling", "duckdb"}
