"""MotherDuck: DuckDB whose database is a service, found and logged in to by the service's own variables."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .duckdb import DuckDB


@dataclass(frozen=True)
class MotherDuck(DuckDB):
    """A MotherDuck database. DuckDB downloads the extension that speaks to it when it first connects."""

    name = "motherduck"
    title = "MotherDuck"
    load_format = "parquet"
    required_environment = ("MOTHERDUCK_TOKEN", "MOTHERDUCK_DATABASE")

    @property
    def file(self) -> Path:
        """The database, in DuckDB's words for it."""
        return Path(f"md:{os.environ['MOTHERDUCK_DATABASE']}")

    @property
    def file_variable(self) -> str:
        """The variable that names the database."""
        return "MOTHERDUCK_DATABASE"

    def _dlt_destination(self) -> Any:
        """A dlt destination for this database."""
        import dlt
        from dlt.destinations.impl.motherduck.configuration import MotherDuckCredentials

        self.check_environment()
        login = {"database": os.environ["MOTHERDUCK_DATABASE"], "password": os.environ["MOTHERDUCK_TOKEN"]}
        return dlt.destinations.motherduck(
            credentials=MotherDuckCredentials(login),
            destination_name="warehouse",
            replace_strategy="insert-from-staging",
        )

    def _address(self) -> tuple[str, dict[str, Any]]:
        return str(self.file), {"motherduck_token": os.environ["MOTHERDUCK_TOKEN"]}

    def _refusal(self, reason: str) -> str:
        database, token = os.environ["MOTHERDUCK_DATABASE"], os.environ["MOTHERDUCK_TOKEN"]
        words = " ".join(reason.replace(token, "***").split())
        place = f"MotherDuck (database {database!r})"
        if "extension" in reason and ("download" in reason or "install" in reason):
            return f"{place} is out of reach: DuckDB cannot download its extension for it. Check the network. {words}"
        if "token" in reason.lower() or "authenticat" in reason.lower():
            return f"{place} refused the login. Check MOTHERDUCK_TOKEN. {words}"
        return f"{place} cannot be used: {words} Check MOTHERDUCK_DATABASE and the network."
