"""What a workspace refuses, in words that say what to do."""

import os
import re
from typing import Any

import dagster as dg

_LACKS = re.compile(
    r"(?:does not have|lacks?)(?: permission| privilege)? (?P<privilege>[A-Z][A-Z_ ]*[A-Z])(?: privilege)? on "
    r"(?P<kind>\w+) [`'\"]?(?P<name>[\w`]+(?:\.[\w`]+)*)",
)
_SECRETS = ("DATABRICKS_TOKEN", "DATABRICKS_CLIENT_SECRET")


class WorkspaceError(Exception):
    """A workspace that refuses or does not answer.

    ``transient`` says whether the same later may succeed; ``missing`` whether what was asked for is not there.
    """

    def __init__(self, message: str, *, transient: bool, missing: bool = False) -> None:
        super().__init__(message)
        self.transient, self.missing = transient, missing

    def as_failure(self, what: str) -> dg.Failure:
        """The failure of a step; ``what`` names it."""
        return dg.Failure(description=f"{what}: {self}", allow_retries=self.transient)


def explained(error: Exception, what: str, host: str) -> WorkspaceError:
    """The error of a client as one message without secrets.

    Args:
        error: What the client raised.
        what: What was being done.
        host: Address of the workspace.
    """
    from databricks.sdk import errors

    said = words(error)
    if isinstance(error, errors.Unauthenticated):
        return WorkspaceError(
            f"{what}: {host} refuses the login: {said} Renew DATABRICKS_TOKEN, or check DATABRICKS_CLIENT_ID and "
            "DATABRICKS_CLIENT_SECRET.",
            transient=False,
        )
    if isinstance(error, errors.PermissionDenied):
        return WorkspaceError(f"{what}: {host} denies it: {said}{grant_for(said)}", transient=False)
    if isinstance(error, errors.NotFound):
        return WorkspaceError(f"{what}: {said}", transient=False, missing=True)
    if isinstance(error, errors.ResourceConflict | errors.BadRequest | ValueError):
        return WorkspaceError(f"{what}: {said}", transient=False)
    if isinstance(error, errors.DatabricksError):
        return WorkspaceError(f"{what}: {host}: {said}", transient=True)
    return WorkspaceError(
        f"{what}: {host} does not answer ({type(error).__name__}). Check DATABRICKS_HOST and the network.",
        transient=True,
    )


def words(error: Any) -> str:
    """What an error says, without secrets and without the SDK's configuration."""
    said = " ".join(str(error).split()).split(" Config: ")[0]
    for variable in _SECRETS:
        if secret := os.environ.get(variable):
            said = said.replace(secret, "***")
    return said if said.endswith((".", "!", "?")) else f"{said}."


def grant_for(said: str) -> str:
    """The grant that is missing, as the statement that an owner runs; empty where the message names none."""
    found = _LACKS.search(said)
    if not found:
        return ""
    privilege, kind, name = found["privilege"].replace("_", " "), found["kind"].upper(), found["name"].replace("`", "")
    quoted = ".".join(f"`{part}`" for part in name.split("."))
    target = kind if kind == "METASTORE" else f"{kind} {quoted}"
    return f" Missing grant: GRANT {privilege} ON {target} TO `<this login>`"
