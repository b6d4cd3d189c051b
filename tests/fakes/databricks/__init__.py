"""A Databricks workspace on this machine, which the real clients accept: the SDK, MLflow and dagster-databricks."""

from tests.fakes.databricks.server import TOKEN, FakeWorkspace
from tests.fakes.databricks.wire import Fault, Refused

__all__ = ["TOKEN", "FakeWorkspace", "Fault", "Refused"]
