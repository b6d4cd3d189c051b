"""Creating what is missing of a catalog, and registering what is outside; nothing is ever dropped or changed."""

from dataclasses import dataclass, field
from typing import Any, Literal

from .client import Workspace
from .errors import WorkspaceError
from .statements import name as quoted
from .statements import rows, text


@dataclass(frozen=True)
class Thing:
    """Something that a catalog should have.

    Args:
        kind: What it is.
        name: Its full name.
        description: What its comment says.
        columns: Types by column, of a table.
        location: Where the files of something external are.
    """

    kind: Literal["catalog", "schema", "table", "volume"]
    name: str
    description: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    location: str | None = None


def create(workspace: Workspace, thing: Thing) -> dict[str, Any]:
    """Make sure that something is there; its metadata.

    Raises:
        WorkspaceError: the workspace refuses, or does not answer.
    """
    state = "was there"
    if not _is_there(workspace, thing):
        state = "registered" if thing.location else "created"
        try:
            _make(workspace, thing)
        except WorkspaceError as error:
            # Another run made it meanwhile, or the answer to the first try got lost.
            if not (error.transient or "already exists" in str(error)) or not _is_there(workspace, thing):
                raise
    return {"state": state, "name": thing.name, "url": f"{workspace.host}/explore/data/{thing.name.replace('.', '/')}"}


def _is_there(workspace: Workspace, thing: Thing) -> bool:
    def read(client: Any) -> Any:
        places = {"catalog": client.catalogs.get, "schema": client.schemas.get, "volume": client.volumes.read}
        return places.get(thing.kind, client.tables.get)(thing.name)

    try:
        workspace.call(f"looking for {thing.kind} {thing.name}", read)
    except WorkspaceError as error:
        if error.missing:
            return False
        raise
    return True


def _make(workspace: Workspace, thing: Thing) -> None:
    from databricks.sdk.service.catalog import VolumeType

    *parents, last = thing.name.split(".")
    comment = thing.description or None
    what = f"creating {thing.kind} {thing.name}"
    match thing.kind:
        case "catalog":
            workspace.call(what, lambda client: client.catalogs.create(last, comment=comment), again=False)
        case "schema":
            workspace.call(what, lambda client: client.schemas.create(last, parents[0], comment=comment), again=False)
        case "volume":
            kind = VolumeType.EXTERNAL if thing.location else VolumeType.MANAGED
            workspace.call(
                what,
                lambda client: client.volumes.create(
                    *parents, last, kind, comment=comment, storage_location=thing.location
                ),
                again=False,
            )
        case _:
            columns = ", ".join(f"{quoted(column)} {kind}" for column, kind in thing.columns.items())
            statement = f"CREATE TABLE IF NOT EXISTS {quoted(thing.name)}" + (f" ({columns})" if columns else "")
            statement += " USING DELTA" + (f" LOCATION {text(thing.location)}" if thing.location else "")
            statement += f" COMMENT {text(thing.description)}" if thing.description else ""
            rows(workspace, what, statement)
