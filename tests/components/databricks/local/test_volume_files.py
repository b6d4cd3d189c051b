"""Files in a volume, and the Delta tables of this machine as a warehouse."""

import zipfile
from typing import Any

import pytest

from components.databricks import LakehouseTableComponent, VolumeFilesComponent
from components.warehouse.engines.base import WarehouseError
from components.warehouse.sql_table import SqlTableComponent
from tests.components.databricks.local.project import LakehouseProject, failure, metadata
from tests.components.warehouse.project import scaffolded


def add(project: LakehouseProject, **attributes: Any) -> None:
    given = {
        "key": "landing/orders",
        "description": "Orders.",
        "source": {"folder": "."},
        "files": ["orders.csv"],
        "volume": "/Volumes/main/landing/orders",
        **attributes,
    }
    project.add(VolumeFilesComponent, "landing", given, orders__csv="id,day\n1,2\n007,10\n3,\n")


def landed(project: LakehouseProject) -> dict[str, str]:
    folder = project.lakehouse / "volumes/main/landing/orders"
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def test_files_are_put_into_the_folder_for_the_volume_and_the_same_file_is_not_written_twice(project: LakehouseProject):
    add(project)
    first, second = (metadata(project.run("landing/orders"), "landing/orders") for _ in range(2))

    assert landed(project) == {"orders.csv": "id,day\n1,2\n007,10\n3,\n"}
    assert (first["files_written"], second["files_written"]) == (1, 0)


def test_a_csv_file_is_split_by_a_column_and_its_values_stay_text(project: LakehouseProject):
    add(project, split_by="day")
    assert project.run("landing/orders").success

    assert landed(project) == {
        "orders-02.csv": "id,day\n1,2\n",
        "orders-10.csv": "id,day\n007,10\n",
        "orders-none.csv": "id,day\n3,\n",
    }


def test_a_zip_archive_is_unpacked(project: LakehouseProject):
    add(project, files=["*.zip"])
    folder = project._sandbox.defs_folder_path / "landing"
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr("may.csv", "id\n1\n")

    assert project.run("landing/orders").success
    assert landed(project) == {"may.csv": "id\n1\n"}


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"files": ["gone*.csv"]}, "files: no file 'gone*.csv' in"),
        ({"source": {"folder": "nowhere"}}, "source: no folder 'nowhere' in"),
        ({"source": {"folder": ".", "package": "nosuchpackage"}}, "package 'nosuchpackage' is not installed"),
        ({"split_by": "month"}, "split_by: no column 'month' in orders.csv; it has: id, day"),
    ],
)
def test_a_source_that_is_not_there_is_named(project: LakehouseProject, attributes: dict[str, Any], words: str):
    add(project, **attributes)

    told = failure(project.run("landing/orders"))

    assert "defs.yaml: landing/orders" in told
    assert words in told


def test_the_scaffolded_files_land(project: LakehouseProject):
    scaffolded(VolumeFilesComponent, project._sandbox.defs_folder_path / "files", key="landing/orders")

    assert project.run("landing/orders").success
    assert landed(project) == {"orders.csv": "order_id,amount\n1,20.5\n2,7.0\n"}


def test_tables_by_sql_read_and_write_delta_tables(project: LakehouseProject):
    table = {"key": "silver/days", "description": "Days.", "sql": "SELECT 1 AS day UNION ALL SELECT 2"}
    project.add(LakehouseTableComponent, "days", table)
    mart = {"key": "gold/late", "description": "Late.", "sql": "SELECT day * 10 AS day FROM silver.days WHERE day > 1"}
    project.add(SqlTableComponent, "late", {**mart, "depends_on": ["silver/days"]})

    result = project.run()

    assert result.success
    assert project.table("gold.late") == [(20,)]
    assert metadata(result, "gold/late")["warehouse"] == "Delta tables on this machine (local)"
    assert project.spec("gold/late").kinds == {"sql", "table", "delta"}


def test_rows_of_a_period_are_replaced_in_one_commit_and_others_refused(project: LakehouseProject):
    engine = project.warehouse.engine
    engine.replace_table("gold", "t", "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(day, word)")
    engine.replace_rows("gold", "t", "SELECT 2 AS day, 'new' AS word", '"day" = 2')

    assert project.table("gold.t") == [(1, "a"), (2, "new")]
    with pytest.raises(WarehouseError, match="1 rows of the query are not where"):
        engine.replace_rows("gold", "t", "SELECT 3 AS day, 'x' AS word", '"day" = 2')
    assert project.table("gold.t") == [(1, "a"), (2, "new")]


def test_a_view_is_kept_for_the_next_connection_and_never_hides_a_table(project: LakehouseProject):
    engine = project.warehouse.engine
    engine.replace_table("gold", "t", "SELECT 1 AS day")
    engine.replace_view("gold", "v", "SELECT day + 1 AS day FROM gold.t")

    assert project.rows("SELECT * FROM gold.v") == [(2,)]
    assert (engine.relation_type("gold", "v"), engine.relation_type("gold", "t")) == ("view", "table")
    with pytest.raises(WarehouseError, match=r"gold\.t is a table here"):
        engine.replace_view("gold", "t", "SELECT 1 AS x")
