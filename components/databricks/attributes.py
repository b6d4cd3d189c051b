"""Attributes that the components of this family share."""

from typing import Annotated

import dagster as dg

NAME_PATTERN = r"^[A-Za-z_]\w*$"

SchemaName = Annotated[
    str,
    dg.Resolver.default(
        description="Schema of tables that name none.", examples=["silver"], json_schema_extra={"pattern": NAME_PATTERN}
    ),
]
CatalogName = Annotated[
    str | None,
    dg.Resolver.default(
        description="Catalog of tables that name none; DATABRICKS_CATALOG, or main, when left out.",
        examples=["main"],
        json_schema_extra={"pattern": NAME_PATTERN},
    ),
]
