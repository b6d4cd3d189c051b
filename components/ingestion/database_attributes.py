"""What the YAML of a database source says about its connection and tables."""

from typing import Annotated, ClassVar, Literal

import dagster as dg
from pydantic import Field, model_validator

from ..base import StrictModel
from .attributes import SECRET_NAME, LoadedTable

DatabaseName = Literal["postgres", "mysql", "sqlserver"]

_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"


class DatabaseConnection(StrictModel):
    """Where the database is: names of variables and secrets, which are read when an asset runs."""

    engine: Annotated[DatabaseName, dg.Resolver.default(description="Which database; mysql is MariaDB too.")]
    host_env: Annotated[
        str,
        dg.Resolver.default(
            description="Variable with the host's name or address.",
            examples=["SHOP_DB_HOST"],
            json_schema_extra={"pattern": _VARIABLE},
        ),
    ]
    database_env: Annotated[
        str,
        dg.Resolver.default(
            description="Variable with the name of the database.",
            examples=["SHOP_DB_NAME"],
            json_schema_extra={"pattern": _VARIABLE},
        ),
    ]
    user_env: Annotated[
        str,
        dg.Resolver.default(
            description="Variable with the user, who needs to read only.",
            examples=["SHOP_DB_USER"],
            json_schema_extra={"pattern": _VARIABLE},
        ),
    ]
    password: Annotated[
        str,
        dg.Resolver.default(
            description="Name of the secret with the password, in the store that policy.yaml names.",
            examples=["SHOP_DB_PASSWORD"],
            json_schema_extra={"pattern": SECRET_NAME},
        ),
    ]
    port_env: Annotated[
        str | None,
        dg.Resolver.default(
            description="Variable with the port; the engine's own where it is left out or not set.",
            examples=["SHOP_DB_PORT"],
            json_schema_extra={"pattern": _VARIABLE},
        ),
    ] = None
    require_tls: Annotated[
        bool,
        dg.Resolver.default(description="Refuse a connection that is not encrypted; certificates are not checked."),
    ] = False

    @property
    def variables(self) -> list[str]:
        """The environment variables without which there is no connection."""
        return [self.host_env, self.database_env, self.user_env]


class DatabaseTable(LoadedTable):
    """One table or view of the database, and how its rows get into the warehouse."""

    noun: ClassVar[str] = "source table"

    table: Annotated[
        str | None,
        dg.Resolver.default(
            description="Name of the table or view in the database; the same as name when left out.",
            examples=["SalesOrder"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ] = None
    select: Annotated[
        list[str],
        dg.Resolver.default(
            description="Columns that are read, in the database's spelling; all when left out.",
            examples=[["id", "email"]],
        ),
    ] = Field(default_factory=list)
    where: Annotated[
        str | None,
        dg.Resolver.default(
            description="Which rows are read, in the database's own SQL.",
            examples=["status <> 'draft'"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ] = None

    @property
    def source_name(self) -> str:
        """The name in the database."""
        return self.table or self.name

    @model_validator(mode="after")
    def _check_selection(self) -> "DatabaseTable":
        wanted = [*self.primary_key, *([self.cursor] if self.cursor else []), *self.columns]
        if self.select and (left := [name for name in wanted if name not in self.select]):
            raise ValueError(
                f"table {self.name!r}: select leaves out {', '.join(map(repr, left))}, "
                "which primary_key, cursor or columns name"
            )
        return self
