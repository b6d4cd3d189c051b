"""Fixtures of the warehouse tests."""

from tests.components.warehouse.project import any_project, project
from tests.components.warehouse.servers import (
    bigquery_environment,
    bigquery_port,
    databricks_server,
    redshift_environment,
    snowflake_environment,
    snowflake_port,
)

__all__ = [
    "any_project",
    "bigquery_environment",
    "bigquery_port",
    "databricks_server",
    "project",
    "redshift_environment",
    "snowflake_environment",
    "snowflake_port",
]
