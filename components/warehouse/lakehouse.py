"""Where Delta tables, volumes and their records stand on this machine."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER_VARIABLE = "LAKEHOUSE_FOLDER"
CATALOG_VARIABLE = "DATABRICKS_CATALOG"
FOLDER = "data/lakehouse"
DEFAULT_CATALOG = "main"
_VOLUMES = "/Volumes/"


@dataclass(frozen=True)
class TableName:
    """A table by its three names, all in small letters as Unity Catalog keeps them."""

    catalog: str
    schema: str
    table: str

    @classmethod
    def parse(cls, name: str, catalog: str, schema: str) -> "TableName":
        """The table that a name of one to three parts means.

        Args:
            name: ``table``, ``schema.table`` or ``catalog.schema.table``; back quotes are taken off.
            catalog: Catalog of names that have none.
            schema: Schema of names that have none.

        Raises:
            ValueError: it has more parts, or an empty one.
        """
        parts = [part.strip().strip("`").lower() for part in name.split(".")]
        if len(parts) > 3 or not all(parts):
            raise ValueError(f"{name!r} is not a table's name; expected table, schema.table or catalog.schema.table")
        return cls(*[catalog, schema][: 3 - len(parts)], *parts)

    def __str__(self) -> str:
        return f"{self.catalog}.{self.schema}.{self.table}"

    @property
    def quoted(self) -> str:
        """The name as Spark SQL."""
        return ".".join(f"`{part}`" for part in (self.catalog, self.schema, self.table))


@dataclass(frozen=True)
class Lakehouse:
    """The folders of a local lakehouse: ``catalog/schema/table`` below a root, volumes beside them.

    Args:
        root: Absolute path; nothing is made before something is written.
    """

    root: Path

    @classmethod
    def of(cls, project_root: Path) -> "Lakehouse":
        """The lakehouse of a project: ``LAKEHOUSE_FOLDER``, or the default below the project."""
        return cls((project_root / (os.environ.get(FOLDER_VARIABLE) or FOLDER)).absolute())

    @property
    def tables_root(self) -> Path:
        """The folder of the catalogs."""
        return self.root / "tables"

    @property
    def checkpoints(self) -> Path:
        """The folder of what streams have taken."""
        return self.root / "checkpoints"

    def folder(self, name: TableName) -> Path:
        """The folder of a table, whether it is there or not."""
        return self.tables_root / name.catalog / name.schema / name.table

    def has(self, name: TableName) -> bool:
        """Whether the table is there."""
        return (self.folder(name) / "_delta_log").is_dir()

    def tables(self, catalog: str | None = None) -> Iterator[TableName]:
        """Every Delta table that is there, in order."""
        for log in sorted(self.tables_root.glob(f"{catalog or '*'}/*/*/_delta_log")):
            yield TableName(*log.parent.relative_to(self.tables_root).parts)

    def local_path(self, path: str) -> str:
        """A path of a Unity Catalog volume as a path of this machine; other paths as they are."""
        bare = path.removeprefix("dbfs:")
        if not bare.startswith(_VOLUMES):
            return path
        return str(self.root / "volumes" / bare.removeprefix(_VOLUMES).strip("/"))


def default_catalog() -> str:
    """The catalog of names that have none: ``DATABRICKS_CATALOG``, or ``main``."""
    return (os.environ.get(CATALOG_VARIABLE) or DEFAULT_CATALOG).lower()
