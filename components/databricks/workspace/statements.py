"""SQL on the workspace's warehouse, by the cursor that the warehouse family has."""

from typing import Any

from ...warehouse.engines.base import WarehouseError
from ...warehouse.engines.databricks_statements import StatementCursor
from .client import HTTP_PATH_VARIABLE, WAREHOUSE_VARIABLE, Workspace
from .errors import WorkspaceError, explained, grant_for, words


def rows(workspace: Workspace, what: str, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement.

    Args:
        workspace: Where.
        what: What it is for, for messages.
        statement: One statement, whose values are escaped.

    Raises:
        WorkspaceError: there is no warehouse, or it refuses the statement.
    """
    if not workspace.warehouse_id:
        raise WorkspaceError(
            f"{what}: no SQL warehouse is named. Set {WAREHOUSE_VARIABLE}, or {HTTP_PATH_VARIABLE} to its path.",
            transient=False,
        )
    host = workspace.host

    def run(client: Any) -> list[tuple[Any, ...]]:
        cursor = StatementCursor(client, str(workspace.warehouse_id), None, _unchanged)
        cursor.run(statement)
        return cursor.fetchall()

    try:
        return workspace.call(what, run)
    except WarehouseError as error:
        said = words(error)
        missing = "TABLE_OR_VIEW_NOT_FOUND" in said
        raise WorkspaceError(f"{what}: {host}: {said}{grant_for(said)}", transient=False, missing=missing) from None


def text(value: str) -> str:
    """A value as a literal of SQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def name(full_name: str) -> str:
    """A name of up to three parts, quoted."""
    return ".".join("`" + part.replace("`", "``") + "`" for part in full_name.split("."))


def _unchanged(error: Exception) -> str:
    return str(explained(error, "statement", "the warehouse"))
