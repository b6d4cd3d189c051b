"""The warehouse: one resource for SQL, dlt and dbt, whichever engine is in force."""

from .bigquery_table import BigQueryTableComponent
from .component import WarehouseComponent
from .resource import WarehouseResource
from .sql_table import SqlTableComponent

__all__ = ["BigQueryTableComponent", "SqlTableComponent", "WarehouseComponent", "WarehouseResource"]
