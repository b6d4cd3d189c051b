"""Files that arrive in a folder: which are new, and their rows as Auto Loader would give them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

_PREFIX = "cloudFiles."
_FORMATS = ("csv", "json", "parquet")
_RESCUED = "_rescued_data"


class StreamError(Exception):
    """A stream of files that cannot be read, with its folder."""


def new_files(
    folder: Path, pattern: str | None, taken: Mapping[str, list[int]]
) -> tuple[dict[str, list[int]], list[str]]:
    """The files of a folder, and those of them that nobody took yet.

    A file is known by its name, as Auto Loader knows it: written anew under the same name, it is not read again.

    Args:
        folder: Folder, searched with all below it; a name with a star is a pattern of files.
        pattern: Pattern of file names that count.
        taken: Size in bytes and time of change of the files that earlier runs took.
    """
    start, own = (folder.parent, folder.name) if "*" in folder.name else (folder, None)
    files = [folder] if folder.is_file() else sorted(path for path in start.rglob("*") if path.is_file())
    present: dict[str, list[int]] = {}
    for path in files:
        hidden = any(
            part.startswith((".", "_")) for part in path.relative_to(start if path != folder else path.parent).parts
        )
        if hidden or (own and not fnmatch(path.name, own)) or (pattern and not fnmatch(path.name, pattern)):
            continue
        stat = path.stat()
        present[str(path)] = [stat.st_size, stat.st_mtime_ns]
    return present, [name for name in present if name not in taken]


@dataclass(frozen=True)
class FileStream:
    """How files of a stream are read.

    Args:
        format: ``csv``, ``json`` or ``parquet``.
        options: Options of Spark's reader.
        schema: Columns and types, or None to find them out.
        auto: Whether the code asked for Auto Loader, which reads text as text and adds a column for what did not fit.
        infer: Whether Auto Loader finds out types.
        hints: Types of some columns, as a DDL string.
        pattern: Pattern of file names.
    """

    format: str
    options: Mapping[str, str]
    schema: Any
    auto: bool
    infer: bool
    hints: str
    pattern: str | None

    @classmethod
    def of(cls, source: str, options: Mapping[str, str], schema: Any) -> "FileStream":
        """The reading that ``readStream.format(source)`` with its options means.

        Raises:
            StreamError: the source is no file format that can be read here.
        """
        auto = source.lower() == "cloudfiles"
        kind = (options.get("cloudFiles.format") or "").lower() if auto else source.lower()
        if kind not in _FORMATS:
            what = f"cloudFiles.format {kind!r}" if auto else f"format {source!r}"
            raise StreamError(f"{what} is not valid here; expected one of {', '.join(_FORMATS)}")
        infer = options.get("cloudFiles.inferColumnTypes", "false").lower() == "true"
        plain = {key: value for key, value in options.items() if not key.startswith(_PREFIX) and key != "path"}
        pattern = plain.pop("pathGlobFilter", None) or plain.pop("fileNamePattern", None)
        hints = options.get("cloudFiles.schemaHints", "")
        return cls(kind, plain, schema, auto, infer, hints, pattern)

    def frame(self, spark: Any, place: str, folder: Path, present: Sequence[str], new: Sequence[str]) -> Any:
        """The rows of the new files; no rows, with the same columns, where there are none.

        Raises:
            StreamError: the folder has no files, so that nothing tells the columns.
        """
        if not present:
            if self.schema is not None:
                return self._finished(spark.createDataFrame([], self.schema))
            raise StreamError(f"{place} has no {self.format} files ({folder}); put some there, or give the schema")
        rows = self._finished(self._read(spark, list(new) or list(present[:1])))
        return rows if new else rows.limit(0)

    def _read(self, spark: Any, files: list[str]) -> Any:
        options = dict(self.options)
        if self.auto and self.format == "csv":
            options.setdefault("header", "true")
        if self.format == "csv" and self.schema is None:
            options["inferSchema"] = str(self.infer or options.get("inferSchema", "false") == "true").lower()
        reader = spark.read.format(self.format).options(**options)
        if self.schema is not None:
            reader = reader.schema(self.schema)
        return reader.load(files)

    def _finished(self, rows: Any) -> Any:
        from pyspark.sql import functions as F  # noqa: N812 - what everybody calls it

        if not self.auto or self.schema is not None:
            return rows
        if self.format == "json" and not self.infer:
            plain = {field.name for field in rows.schema.fields if field.dataType.typeName() not in ("struct", "array")}
            rows = rows.select(*[F.col(n).cast("string").alias(n) if n in plain else F.col(n) for n in rows.columns])
        for name, kind in self._hinted(rows):
            rows = rows.withColumn(name, F.col(name).cast(kind) if name in rows.columns else F.lit(None).cast(kind))
        return rows if _RESCUED in rows.columns else rows.withColumn(_RESCUED, F.lit(None).cast("string"))

    def _hinted(self, rows: Any) -> list[tuple[str, Any]]:
        if not self.hints:
            return []
        return [
            (field.name, field.dataType) for field in rows.sparkSession.createDataFrame([], self.hints).schema.fields
        ]
