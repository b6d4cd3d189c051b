"""Where the lakehouse is: on this machine, or in the workspace that the environment names."""

import os
from typing import Literal, cast, get_args

Target = Literal["local", "workspace"]

TARGET_VARIABLE = "DATABRICKS_TARGET"
HOST_VARIABLE = "DATABRICKS_HOST"


def databricks_target() -> Target:
    """``DATABRICKS_TARGET``; where it is unset, the workspace if ``DATABRICKS_HOST`` names one.

    Raises:
        ValueError: the variable holds anything else.
    """
    value = os.environ.get(TARGET_VARIABLE) or ("workspace" if os.environ.get(HOST_VARIABLE) else "local")
    if value not in get_args(Target):
        raise ValueError(f"{TARGET_VARIABLE}: {value!r} is not valid; expected one of {', '.join(get_args(Target))}")
    return cast(Target, value)


def follow_target(catalog: str) -> Target:
    """Point the warehouse and MLflow at the same place as the lakehouse, unless the environment says otherwise.

    Args:
        catalog: Catalog of names that have none.
    """
    target = databricks_target()
    os.environ.setdefault("DATABRICKS_CATALOG", catalog)
    os.environ.setdefault("WAREHOUSE_TARGET", "production" if target == "workspace" else "local")
    if target == "workspace":
        os.environ.setdefault("MLFLOW_TRACKING_URI", "databricks")
    return target
