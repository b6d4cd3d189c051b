"""Looking at many tables at once: whether they are there, their columns, their rows, and when they were written."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .client import CONNECTIONS, Workspace
from .errors import WorkspaceError
from .statements import name as quoted
from .statements import rows, text

_AT_ONCE = 24
_COUNTED_TOGETHER = 25
_LISTED_FROM = 20


@dataclass
class Seen:
    """What a table is like.

    Args:
        is_there: Whether the catalog has it.
        columns: Types by column, in order.
        updated: Seconds since 1970 of the last change, where the catalog knows it.
        rows: Number of rows, where a SQL warehouse could count them.
    """

    is_there: bool
    columns: dict[str, str] = field(default_factory=dict)
    updated: float | None = None
    rows: int | None = None


def look_at(workspace: Workspace, tables: Iterable[str], *, count: bool = True) -> dict[str, Seen]:
    """Every table as it is now.

    Args:
        workspace: Where.
        tables: Full names.
        count: Whether rows are counted, which needs a SQL warehouse.

    Raises:
        WorkspaceError: the workspace refuses, or does not answer; a table that is not there is no error.
    """
    names = list(tables)
    if not names:
        return {}
    workspace.client  # noqa: B018 one login, before there are threads
    with ThreadPoolExecutor(min(_AT_ONCE, CONNECTIONS, len(names))) as pool:
        known: dict[str, Seen] = {}
        for part in pool.map(lambda schema: listed(workspace, schema), _crowded(names)):
            known |= part
        # What a list lacks may be there without a grant, which asking for it tells.
        rest = [each for each in names if each not in known]
        found = {each: known[each] for each in names if each in known}
        found |= zip(rest, pool.map(lambda each: _seen(workspace, each), rest), strict=True)
        if count and workspace.warehouse_id:
            there = [each for each, seen in found.items() if seen.is_there]
            parts = [there[start : start + _COUNTED_TOGETHER] for start in range(0, len(there), _COUNTED_TOGETHER)]
            for counted in pool.map(lambda part: _counted(workspace, part), parts):
                for each, number in counted.items():
                    found[each].rows = number
    return found


def _crowded(names: list[str]) -> list[str]:
    """The schemas of which so many tables are wanted that listing them costs fewer requests than asking for each."""
    counts = Counter(each.rpartition(".")[0] for each in names)
    return [schema for schema, number in counts.items() if number >= _LISTED_FROM]


def listed(workspace: Workspace, schema: str) -> dict[str, Seen]:
    """The tables of a schema that the login may see, by full name; page by page, without their rows.

    Raises:
        WorkspaceError: the workspace refuses, or does not answer.
    """
    catalog, name = schema.split(".")
    found = workspace.call(f"listing {schema}", lambda client: list(client.tables.list(catalog, name)))
    return {each.full_name: _from(each) for each in found}


def _seen(workspace: Workspace, table: str) -> Seen:
    try:
        info = workspace.call(f"looking at {table}", lambda client: client.tables.get(table))
    except WorkspaceError as error:
        if error.missing:
            return Seen(is_there=False)
        raise
    return _from(info)


def _from(info: Any) -> Seen:
    columns = {column.name: (column.type_text or "").upper() for column in info.columns or []}
    return Seen(True, columns, info.updated_at / 1000 if info.updated_at else None)


def _counted(workspace: Workspace, tables: list[str]) -> dict[str, int]:
    """Rows of some tables; one that is dropped meanwhile leaves all of them uncounted."""
    union = " UNION ALL ".join(
        f"SELECT {text(each)} AS name, count(*) AS n FROM {quoted(each)}"  # noqa: S608 - escaped
        for each in tables
    )
    try:
        return {str(each): int(number) for each, number in rows(workspace, "counting rows", union)}
    except WorkspaceError as error:
        if error.missing:
            return {}
        raise
