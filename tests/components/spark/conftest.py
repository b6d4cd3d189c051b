"""Fixtures of the Spark tests."""

from tests.components.spark.lab import lab, mlflow_database

__all__ = ["lab", "mlflow_database"]
