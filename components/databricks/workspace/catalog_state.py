"""What is known of a catalog without asking it: tables that were found, and what they are made from."""

import json
from dataclasses import asdict, dataclass, field

from .client import Workspace
from .observing import listed
from .statements import rows, text


@dataclass
class CatalogState:
    """What the last refresh found.

    Args:
        tables: Names by schema.
        lineage: Full names of what a table is made from, by its full name.
    """

    tables: dict[str, list[str]] = field(default_factory=dict)
    lineage: dict[str, list[str]] = field(default_factory=dict)

    def to_json(self) -> str:
        """The state as text, the same for the same content."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, content: str) -> "CatalogState":
        """The state of a text."""
        return cls(**json.loads(content))


def fetched_state(workspace: Workspace, catalog: str, schemas: list[str], lineage_days: int) -> CatalogState:
    """What a catalog has now.

    Args:
        workspace: Where.
        catalog: Its name.
        schemas: Schemas whose tables are listed.
        lineage_days: Days of lineage; 0 for none.

    Raises:
        WorkspaceError: the workspace refuses, or does not answer.
    """
    state = CatalogState()
    for schema in schemas:
        state.tables[schema] = sorted(name.rpartition(".")[2] for name in listed(workspace, f"{catalog}.{schema}"))
    if lineage_days:
        statement = (
            "SELECT DISTINCT source_table_full_name, target_table_full_name FROM system.access.table_lineage "  # noqa: S608
            f"WHERE target_table_catalog = {text(catalog)} AND source_table_full_name IS NOT NULL "
            "AND target_table_full_name IS NOT NULL AND source_table_full_name <> target_table_full_name "
            f"AND event_date >= date_sub(current_date(), {int(lineage_days)})"
        )
        for source, target in sorted(rows(workspace, "reading lineage", statement)):
            state.lineage.setdefault(target, []).append(source)
    return state
