"""What needs a workspace, where the environment names none: left out with a warning, or refused in production."""

import dagster as dg

from ...warehouse.settings import warehouse_target
from ..target import HOST_VARIABLE, TARGET_VARIABLE, databricks_target


def has_workspace(context: dg.AssetExecutionContext, what: str) -> bool:
    """Whether there is a workspace to work in.

    Args:
        context: The step, which is told what it leaves out.
        what: What is left out.

    Raises:
        Failure: there is none, and the environment says that this is production.
    """
    is_local = databricks_target() == "local"
    if is_local and warehouse_target() == "local":
        context.log.warning(f"{what}: NOT MADE, as there is no workspace. Set {HOST_VARIABLE} and a login to make it.")
        return False
    if is_local:
        raise dg.Failure(
            description=f"{what}: production needs a workspace: {HOST_VARIABLE} is not set, or {TARGET_VARIABLE} is "
            "local",
            allow_retries=False,
        )
    return True
