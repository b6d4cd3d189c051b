"""Declarative pipelines on this machine: every kind of data set and expectation, made by real Spark."""

import json

import pytest

from components.databricks import DeclarativePipelineComponent
from tests.components.databricks.local.orders import add_pipeline
from tests.components.databricks.local.project import LakehouseProject, checks, made, metadata


@pytest.mark.slot("databricks", "pipelines", "embedded")
def test_every_kind_of_data_set_is_made_and_every_expectation_is_a_check(project: LakehouseProject):
    add_pipeline(project)

    result = project.run()

    assert result.success
    assert made(result) == {
        "bronze/orders",
        "silver/orders",
        "silver/everyone",
        "silver/latest",
        "gold/customers",
        "gold/big",
        "gold/history",
    }
    assert checks(result) == {
        "bronze/orders:has_id": (False, 4, 1),
        "silver/orders:typed_amount_is_known": (True, 5, 0),
        "silver/orders:has_id": (False, 4, 1),
        "silver/orders:has_customer": (True, 5, 0),
        "silver/orders:small": (True, 5, 0),
        "silver/orders:no_debts": (True, 5, 0),
        "silver/everyone:named": (False, 6, 2),
        "gold/customers:spent_something": (True, 2, 0),
        "gold/customers:several": (True, 2, 0),
    }
    assert project.table("bronze.orders", "customer") == [("ann",), ("ann",), ("bob",), ("bob",), ("cy",)]
    assert project.table("silver.orders", "order_id") == [(1,), (2,), (3,), (4,)]
    assert project.table("silver.everyone") == [("ANN",), ("ANN",), ("BOB",), ("BOB",), ("ann",), ("ann",)]
    assert project.table("gold.customers") == [("ann", 2, 50.0), ("bob", 2, 5.0)]
    assert project.table("gold.big") == [(1,), (3,)]


def test_changes_are_applied_by_key_and_order_and_deletes_delete(project: LakehouseProject):
    add_pipeline(project)
    project.run()

    assert project.table("silver.latest") == [(3, "ann")]
    assert project.table("gold.history", "order_id", "customer", "__START_AT", "__END_AT") == [
        (1, "ann", 1, 3),
        (2, "bob", 2, 4),
        (3, "ann", 3, None),
    ]


def test_the_assets_say_where_they_come_from_and_what_they_are(project: LakehouseProject):
    add_pipeline(project, depends_on={"bronze.orders": ["landing/orders"]}, descriptions={"gold.big": "Big ones."})

    with project.definitions() as definitions:
        specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    parents = {key: {dep.asset_key.to_user_string() for dep in spec.deps} for key, spec in specs.items()}

    assert parents["bronze/orders"] == {"landing/orders"}
    assert parents["silver/orders"] == {"bronze/orders"}
    assert parents["gold/big"] == parents["gold/customers"] == parents["silver/latest"] == {"silver/orders"}
    assert specs["bronze/orders"].description == "Orders as they came."
    assert specs["silver/orders"].description == "Orders that can be trusted."
    assert specs["gold/customers"].description == "One row a customer."
    assert specs["gold/big"].description == "Big ones."
    assert specs["gold/big"].group_name == "gold"
    assert specs["gold/big"].kinds == {"spark", "delta", "streamingtable"}
    assert specs["gold/big"].metadata["dagster/table_name"] == "main.gold.big"


def test_the_metadata_has_rows_time_and_what_the_expectations_met(project: LakehouseProject):
    add_pipeline(project)
    result = project.run()

    told = metadata(result, "silver/orders")

    assert told["dagster/row_count"] == 4
    assert (told["expectations_passed"], told["expectations_failed"]) == (19, 1)
    assert told["seconds"] > 0
    assert told["mode"] == "snapshot"
    assert told["engine"] == "Spark on this machine (sail)"


def test_comments_and_properties_stand_in_the_table_itself(project: LakehouseProject):
    from deltalake import DeltaTable

    add_pipeline(project)
    project.run()

    table = DeltaTable(project.lakehouse / "tables/main/gold/customers").metadata()
    assert (table.description, table.configuration["quality"]) == ("One row a customer.", "gold")


def test_a_part_of_the_pipeline_is_made_alone_with_the_views_it_needs(project: LakehouseProject):
    add_pipeline(project)
    project.run()
    project.land("b.csv", "order_id,customer,amount\n5,cy,7\n")

    result = project.run("gold/big")

    assert made(result) == {"gold/big"}
    assert checks(result) == {}
    assert len(project.table("bronze.orders")) == 5


def test_the_same_code_under_its_old_name_dlt(project: LakehouseProject):
    import dlt

    code = """
import dlt

@dlt.table(name="numbers")
@dlt.expect_or_drop("positive", "id > 0")
def numbers():
    return spark.range(-2, 3)

@dlt.view
def doubled():
    return dlt.read("numbers").selectExpr("id * 2 AS id")

@dlt.table
def quadrupled():
    return dlt.read("LIVE.doubled").selectExpr("id * 2 AS id")
"""
    attributes = {"name": "n", "files": ["n.py"], "default_schema": "silver"}
    project.add(DeclarativePipelineComponent, "n", attributes, n__py=code)

    result = project.run()

    assert result.success
    assert checks(result) == {"silver/numbers:positive": (False, 2, 3)}
    assert project.table("silver.quadrupled") == [(4,), (8,)]
    assert hasattr(dlt, "pipeline"), "the loader of the same name is what it was"
    import dlt as again

    assert again is dlt


def test_names_that_only_running_tells_are_declared_in_the_yaml(project: LakehouseProject):
    code = """
from pyspark import pipelines as dp

def make(name, low):
    @dp.materialized_view(name=f"silver.{name}")
    @dp.expect("low", f"id >= {low}")
    def rows():
        return spark.range(2)

for name in ("one", "two"):
    make(name, 0)
"""
    low = [{"name": "low", "condition": "id >= 0"}]
    declared = [{"name": f"silver.{name}", "file": "n.py", "expectations": low} for name in ("one", "two")]
    attributes = {"name": "n", "files": ["n.py"], "default_schema": "silver", "declared": declared}
    project.add(DeclarativePipelineComponent, "n", attributes, n__py=code)

    result = project.run()

    assert made(result) == {"silver/one", "silver/two"}
    assert checks(result)["silver/two:low"] == (True, 2, 0)


def test_a_server_that_speaks_spark_connect_runs_it_too(project: LakehouseProject, monkeypatch: pytest.MonkeyPatch):
    from pysail.spark import SparkConnectServer

    monkeypatch.setenv("SAIL_CATALOG__LIST", '[{name="main", type="memory", initial_database=["default"]}]')
    monkeypatch.setenv("SAIL_CATALOG__DEFAULT_CATALOG", "main")
    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    try:
        monkeypatch.setenv("SPARK_REMOTE", f"sc://127.0.0.1:{server.listening_address[1]}")
        add_pipeline(project, spark_engine="connect")
        result = project.run()
    finally:
        server.stop()

    assert result.success
    assert metadata(result, "gold/big")["engine"] == "Spark on this machine (connect)"


def test_the_scaffolded_pipeline_runs_as_it_is(project: LakehouseProject):
    from dagster.components.component_scaffolding import scaffold_object

    folder = project._sandbox.defs_folder_path / "orders"
    name = "components.databricks.DeclarativePipelineComponent"
    scaffold_object(folder, name, json.dumps({"name": "orders"}), "yaml", project.root)

    result = project.run()

    assert result.success
    assert made(result) == {"landing/orders", "bronze/orders", "silver/orders", "gold/customers"}
    assert project.table("gold.customers") == [("ann", 2, 32.75), ("bob", 1, 7.0)]


def test_loading_runs_nothing_and_asks_no_workspace(project: LakehouseProject, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABRICKS_HOST", "https://127.0.0.1:1")
    code = 'raise SystemExit("this file ran")\nfrom pyspark import pipelines as dp\n\n@dp.table\ndef t():\n    pass\n'
    attributes = {"name": "n", "files": ["n.py"], "default_schema": "silver"}
    project.add(DeclarativePipelineComponent, "n", attributes, n__py=code)

    assert "databricks" in project.spec("silver/t").kinds


def test_files_are_parsed_again_only_when_they_changed(project: LakehouseProject, monkeypatch: pytest.MonkeyPatch):
    from components.databricks.pipeline import sources

    add_pipeline(project)
    before = project.spec("gold/big").description
    monkeypatch.setattr(sources, "read_pipeline", lambda *given: pytest.fail("the files were read again"))
    assert project.spec("gold/big").description == before

    monkeypatch.undo()
    folder = project._sandbox.defs_folder_path / "orders"
    (folder / "gold.sql").write_text("CREATE MATERIALIZED VIEW gold.big COMMENT 'New.' AS SELECT 1 AS id")
    assert project.spec("gold/big").description == "New."
