"""Redshift: Postgres's protocol, with variables of its own and less SQL."""

import os
from dataclasses import dataclass
from typing import Any

from .base import Column
from .postgres import Postgres


@dataclass(frozen=True)
class Redshift(Postgres):
    """A database of a Redshift cluster or workgroup; it keeps names in small letters."""

    name = "redshift"
    title = "Redshift"
    dialect = "redshift"
    load_format = "insert_values"  # files would need a bucket that both sides reach
    required_environment = ("REDSHIFT_HOST", "REDSHIFT_USER", "REDSHIFT_PASSWORD", "REDSHIFT_DATABASE")
    prefix = "REDSHIFT_"
    default_port = "5439"

    def _dlt_destination(self) -> Any:
        """A dlt destination for this database."""
        import dlt
        from dlt.destinations.impl.redshift.configuration import RedshiftCredentials

        return dlt.destinations.redshift(
            credentials=RedshiftCredentials(self._dlt_login()),
            destination_name="warehouse",
            replace_strategy="insert-from-staging",
        )

    def _login(self) -> dict[str, Any]:
        names = {"host": "HOST", "user": "USER", "password": "PASSWORD", "dbname": "DATABASE"}
        login: dict[str, Any] = {name: self._variable(variable) for name, variable in names.items()}
        return {**login, "port": self._port(), "sslmode": os.environ.get("REDSHIFT_SSLMODE") or "prefer"}

    def quote(self, identifier: str) -> str:
        """An identifier as SQL, as Redshift keeps it."""
        return super().quote(identifier.lower())

    def columns(self, schema: str, table: str) -> list[Column]:
        """The columns of a relation in their order."""
        with self.connect() as cursor:
            cursor.execute(
                "SELECT column_name, data_type FROM information_schema.columns "
                "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
                (schema.lower(), table.lower()),
            )
            return [Column(name, kind) for name, kind in cursor.fetchall()]

    def _relation_type(self, cursor: Any, schema: str, table: str) -> str | None:
        return super()._relation_type(cursor, schema.lower(), table.lower())

    def _replace_view(self, cursor: Any, relation: str, select: str, *, present: bool) -> None:
        # Redshift has no savepoints, and replaces a view only by one of the same columns.
        if present:
            cursor.execute(f"DROP VIEW {relation}")
        cursor.execute(f"CREATE VIEW {relation} AS {select}")
