"""The scaffolder of transforms: delays of real flights that run as they are."""

import shutil

import dagster as dg
from pydantic import BaseModel, Field

from .training_scaffolder import write_flights

_SQL = """\
SELECT
    origin,
    dest,
    count(*) AS flights,
    round(avg(arr_delay), 1) AS delay_minutes
FROM flights
WHERE arr_delay IS NOT NULL
GROUP BY origin, dest
"""
_OWN_SQL = "SELECT * FROM source\n"


class SparkTransformParams(BaseModel):
    """What the scaffolder asks."""

    key: str = Field(default="data/route_delays", pattern=r"^\w+/\w+$", description="Asset key, group/name")
    compute_size: str = Field(default="small", description="Approved size of policy.yaml")
    source: str = Field(default="", description="Path or address of your data; a sample of flights when left out")


class SparkTransformScaffolder(dg.Scaffolder[SparkTransformParams]):
    """Writes a transform of real flights, or one over the user's own data."""

    @classmethod
    def get_scaffold_params(cls) -> type[SparkTransformParams]:
        """Key, size and data."""
        return SparkTransformParams

    def scaffold(self, request: dg.ScaffoldRequest[SparkTransformParams]) -> None:
        """Write ``defs.yaml`` and a SQL file, and for the example ``flights.csv``."""
        params, folder = request.params, request.target_path
        group, name = params.key.split("/")
        try:
            if not params.source:
                write_flights(folder / "flights.csv")
            attributes = {
                "key": params.key,
                "description": "Say what one row is, and what the data is for.",
                "compute_size": params.compute_size,
                "inputs": {"source": {"source": params.source}} if params.source else {"flights": _FLIGHTS},
                "sql_file": f"{name}.sql",
                "output": {"path": f"data/{name}", "format": "parquet"},
                **({} if params.source else {"expectations": _EXPECTATIONS}),
                "resources": {"max_runtime_hours": 1, "max_cost_usd": 5, "priority": "normal"},
                "owners": ["team:data"],
                "group": group,
            }
            (folder / f"{name}.sql").write_text(_OWN_SQL if params.source else _SQL, encoding="utf-8")
            dg.scaffold_component(request, attributes)
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            raise


_FLIGHTS = {"source": "flights.csv"}
_EXPECTATIONS = [
    {"rule": "unique", "columns": ["origin", "dest"]},
    {"rule": "range", "columns": ["delay_minutes"], "minimum": -120, "maximum": 600},
]
