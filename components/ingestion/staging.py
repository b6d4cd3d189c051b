"""Reading files with DuckDB into typed Parquet files, so that nothing is loaded before everything has been read."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .attributes import LoadedTable
from .files import SourceError, SourceFile, readable_file
from .types import dlt_column, duckdb_type

# Rows that decide a type: all of them where types are found out, few where they are known.
ALL_ROWS = -1
KNOWN_TYPES_SAMPLE = 2_048

# Without TIMESTAMP: only ISO 8601 is taken for a time, never a day that could as well be a month.
_CSV_TYPES = "['BOOLEAN', 'BIGINT', 'DOUBLE', 'TIME', 'DATE', 'TIMESTAMPTZ', 'VARCHAR']"


@dataclass(frozen=True)
class StagedTable:
    """The rows of one table, typed and ready to load."""

    table: LoadedTable
    files: list[SourceFile]
    parquet: Path
    columns: dict[str, dict[str, Any]]
    rows: int
    metadata: Mapping[str, Any] = field(default_factory=dict)
    is_asset: bool = True

    @classmethod
    def nothing(cls, table: LoadedTable) -> "StagedTable":
        """A table for which the source has nothing new."""
        return cls(table, [], Path(), {}, 0)


class Stager:
    """Reads tables into a work folder. Use it as a context manager.

    Args:
        work: Empty folder for unpacked and staged files.
        dataset: Dataset the tables belong to, for messages.
        normalize: dlt's naming convention for a column.
        zone: Zone of the times in Parquet that have none, as Europe/Berlin; they stay without one where it is None.
    """

    def __init__(self, work: Path, dataset: str, normalize: Callable[[str], str], zone: str | None = None) -> None:
        import duckdb

        self._work, self._dataset, self._normalize, self._zone = work, dataset, normalize, zone
        self._unpacked = work / "unpacked"
        self._unpacked.mkdir()
        self._duckdb_error = duckdb.Error
        self._connection = duckdb.connect(config={"temp_directory": str(work / "spill")})
        self._connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")

    def __enter__(self) -> "Stager":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def stage(
        self,
        table: LoadedTable,
        files: list[SourceFile],
        existing: Mapping[str, dict[str, Any]],
        since: Any,
        *,
        freeze: bool,
    ) -> StagedTable:
        """Read the files of one table.

        Args:
            table: The table.
            files: Its files.
            existing: Columns that the warehouse already has, with dlt's hints; they keep their types.
            since: Greatest cursor value in the warehouse, or None where every row is wanted.
            freeze: Whether a column that the warehouse does not have is an error.

        Raises:
            SourceError: a file, column or value does not fit.
        """
        sources = {str(readable_file(file, self._unpacked)): file.name for file in files}
        relation = f"{self._dataset}.{table.name}"
        reading = _Reading(self._connection, table, relation, sources, self._duckdb_error, self._zone)
        names = self._column_names(reading)
        columns = self._columns(reading, names, existing, freeze=freeze)
        types = {original: duckdb_type(columns[name]) for original, name in names.items()}
        target = self._work / f"{table.name}.parquet"
        condition = self._condition(table, columns, since)
        rows = reading.copy(names, types, condition, target)
        self._check_filled(reading, target)
        read = {
            "files": [file.short_name for file in files],
            "file_bytes": sum(file.path.stat().st_size for file in files),
        }
        return StagedTable(table, files, target, columns, rows, read)

    def _column_names(self, reading: "_Reading") -> dict[str, str]:
        """The files' column names to the warehouse's; raises SourceError where two become one."""
        names: dict[str, str] = {}
        for original in reading.sniffed:
            name = self._normalize(original)
            if twin := next((key for key, value in names.items() if value == name), None):
                raise reading.error(f"columns {twin!r} and {original!r} would both be named {name!r}")
            if name.startswith("_dlt_"):
                raise reading.error(f"column {original!r} has a name that dlt keeps for itself")
            names[original] = name
        return names

    def _columns(
        self, reading: "_Reading", names: dict[str, str], existing: Mapping[str, dict[str, Any]], *, freeze: bool
    ) -> dict[str, dict[str, Any]]:
        """dlt's hints for each column: the type declared, else the warehouse's, else the files' own."""
        table = reading.table
        declared = {self._normalize(name): kind for name, kind in table.columns.items()}
        keys = [self._normalize(name) for name in table.primary_key]
        cursor = self._normalize(table.cursor) if table.cursor else None
        wanted = [*declared, *keys, *([cursor] if cursor else [])]
        if missing := [name for name in wanted if name not in names.values()]:
            raise reading.error(f"no column {', '.join(map(repr, missing))}; there are: {', '.join(names.values())}")
        if freeze and existing and (new := [name for name in names.values() if name not in existing]):
            raise reading.error(f"new column {', '.join(map(repr, new))}, and schema_contract is freeze")

        columns: dict[str, dict[str, Any]] = {}
        for original, name in names.items():
            found = existing.get(name)
            if found and declared.get(name, found["data_type"]) != found["data_type"]:
                raise reading.error(
                    f"column {name!r} is declared {declared[name]}, but is {found['data_type']} in the warehouse; "
                    f"drop {reading.relation} to load it anew"
                )
            if found is None:
                found = {"data_type": declared[name]} if name in declared else dlt_column(reading.found_type(original))
            hints = {key: found[key] for key in ("data_type", "precision", "scale", "timezone") if key in found}
            columns[name] = {"name": name, "nullable": name not in keys, **hints}
        for key in keys:
            columns[key]["primary_key"] = True
        if cursor and table.write_disposition == "merge":
            columns[cursor]["dedup_sort"] = "desc"
        return columns

    def _condition(self, table: LoadedTable, columns: Mapping[str, dict[str, Any]], since: Any) -> str:
        """The filter that leaves new rows; rows without a cursor value pass, to be reported."""
        if table.cursor is None or since is None:
            return "true"
        name = self._normalize(table.cursor)
        above = ">" if table.write_disposition == "append" else ">="
        return f"{_name(name)} IS NULL OR {_name(name)} {above} CAST({_text(since)} AS {duckdb_type(columns[name])})"

    def _check_filled(self, reading: "_Reading", staged: Path) -> None:
        table = reading.table
        for role, names in (("primary_key", table.primary_key), ("cursor", [table.cursor] if table.cursor else [])):
            for name in map(self._normalize, names):
                query = f"SELECT count(*) FROM read_parquet({_text(staged)}) WHERE {_name(name)} IS NULL"  # noqa: S608
                [empty] = self._connection.execute(query).fetchone() or (0,)
                if empty:
                    raise reading.error(f"{role} {name!r} has no value in {empty:,} rows")


class _Reading:
    """The files of one table as DuckDB reads them."""

    def __init__(
        self,
        connection: Any,
        table: LoadedTable,
        relation: str,
        sources: dict[str, str],
        duckdb_error: type[Exception],
        zone: str | None,
    ) -> None:
        self.table, self.relation, self._zone = table, relation, zone
        self._connection, self._sources, self._duckdb_error = connection, sources, duckdb_error
        try:
            described = connection.execute(f"DESCRIBE FROM {self._reader({}, ALL_ROWS)}").fetchall()
        except duckdb_error as error:
            if table.file_format == "csv":
                self._blame_line()
            raise self.error(self._told(error)) from None
        self.sniffed: dict[str, str] = {row[0]: row[1] for row in described}
        if table.file_format == "csv" and list(self.sniffed) == ["column0"]:
            self._blame_line()

    def error(self, reason: str, files: str | None = None) -> SourceError:
        """An error that names the table and its files."""
        shown = files or ", ".join(list(self._sources.values())[:3])
        more = "" if files or len(self._sources) <= 3 else f" and {len(self._sources) - 3} more"
        return SourceError(f"table {self.relation}, {self.table.noun} {shown}{more}: {reason}.")

    def found_type(self, column: str) -> str:
        """The type of a column as it was found; a time that is written without a zone is of the zone given, or UTC."""
        kind = self.sniffed[column]
        zoned = kind == "TIMESTAMP" and (self._zone or self.table.file_format != "parquet")
        return "TIMESTAMP WITH TIME ZONE" if zoned else kind

    def copy(self, names: dict[str, str], types: dict[str, str], condition: str, target: Path) -> int:
        """Write the typed rows to a Parquet file, and count them."""
        selected = ", ".join(
            f"CAST({self._value(original, types[original])} AS {types[original]}) AS {_name(name)}"
            for original, name in names.items()
        )
        rows = f"SELECT * FROM (SELECT {selected} FROM {self._reader(types, KNOWN_TYPES_SAMPLE)}) WHERE {condition}"  # noqa: S608
        try:
            done = self._connection.execute(f"COPY ({rows}) TO {_text(target)} (FORMAT parquet)").fetchone()
        except self._duckdb_error as error:
            self._blame(types)
            raise self.error(self._told(error)) from None
        return int(done[0])

    def _value(self, column: str, duckdb_kind: str) -> str:
        """A column as an expression: nested values of Parquet are written out as JSON, times get their zone."""
        if self._zone and self.sniffed[column] == "TIMESTAMP":
            return f"timezone({_text(self._zone)}, {_name(column)})"
        nested = duckdb_kind == "JSON" and self.table.file_format == "parquet" and self.sniffed[column] != "JSON"
        return f"to_json({_name(column)})" if nested else _name(column)

    def _blame(self, types: dict[str, str]) -> None:
        """Raise an error that names the first column and value that do not have the column's type."""
        texts = self._reader(dict.fromkeys(types, "VARCHAR"), KNOWN_TYPES_SAMPLE, file_column="_source_file")
        for column, kind in types.items():
            query = (
                f"SELECT CAST({_name(column)} AS VARCHAR), _source_file FROM {texts} "  # noqa: S608
                f"WHERE {_name(column)} IS NOT NULL AND TRY_CAST({_name(column)} AS {kind}) IS NULL LIMIT 1"
            )
            try:
                found = self._connection.execute(query).fetchone()
            except self._duckdb_error:
                return
            if found:
                value, file = found
                raise self.error(f"column {column!r} has {value!r}, which is no {kind}", self._sources[file])

    def _blame_line(self) -> None:
        """Raise an error that names the first line of a CSV file that is not like its header."""
        for read, file in self._sources.items():
            lines = "delim = '', quote = '', escape = '', header = false, columns = {'line': 'VARCHAR'}"
            first = f"FROM read_csv({_text(read)}, auto_detect = false, {lines}) LIMIT 1"
            try:
                [header] = self._connection.execute(first).fetchone() or (None,)
                if not header:
                    raise self.error("there is no line of column names", file)
                width = len(next(csv.reader([header], delimiter=self.table.csv_delimiter)))
                columns = "columns = {" + ", ".join(f"'{place}': 'VARCHAR'" for place in range(width)) + "}"
                options = ", ".join(["auto_detect = false", "header = true", columns, *self._csv_dialect()])
                self._connection.execute(f"SELECT count(*) FROM read_csv({_text(read)}, {options})")  # noqa: S608
            except self._duckdb_error as error:
                raise self.error(self._told(error), file) from None

    def _told(self, error: Exception) -> str:
        """DuckDB's reason, up to its list of options, with the files' own names."""
        reason = str(error).strip().split("\n\n")[0].split("\nPossible ")[0].replace("\n", " ")
        for read, file in self._sources.items():
            reason = reason.replace(read, file)
        return reason.rstrip(".")

    def _csv_dialect(self) -> list[str]:
        """How CSV is written: stated, as a guess takes a broken file for one of another dialect and skips its rows."""
        return [
            f"delim = {_text(self.table.csv_delimiter)}",
            *("quote = '\"'", "escape = '\"'", "comment = ''", "skip = 0"),
            *("strict_mode = true", "null_padding = false"),
        ]

    def _reader(self, types: dict[str, str], sample: int, file_column: str | None = None) -> str:
        """The table function that reads the files."""
        files = "[" + ", ".join(_text(file) for file in self._sources) + "]"
        options = ["union_by_name = true"]
        if file_column:
            options.append(f"filename = {_text(file_column)}")
        struct = "{" + ", ".join(f"{_text(name)}: {_text(kind)}" for name, kind in types.items()) + "}"
        match self.table.file_format:
            case "csv":
                nulls = "[" + ", ".join(map(_text, self.table.csv_nulls)) + "]"
                options += ["header = true", f"nullstr = {nulls}", f"sample_size = {sample}", *self._csv_dialect()]
                options += ["dateformat = '%Y-%m-%d'", f"auto_type_candidates = {_CSV_TYPES}"]
                options += [f"types = {struct}"] if types else []
                function = "read_csv"
            case "jsonl":
                options += ["format = 'newline_delimited'", f"sample_size = {sample}"]
                options += [f"columns = {struct}"] if types else []
                function = "read_json"
            case "parquet":
                function = "read_parquet"
        return f"{function}({files}, {', '.join(options)})"


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
