"""Reading, splitting, checking and writing data with Spark, the same on every engine."""

import re
from pathlib import Path
from typing import Any

from spark_job_contexts import SparkJobError

_BUCKETS = 10_000
_NO_TABLE = re.compile(
    r"No commit files|not a Delta table|TABLE_NOT_FOUND|PATH_NOT_FOUND|SCHEMA_NOT_SET|does ?n.t exist|does not exist"
    r"|DATA_SOURCE_NOT_FOUND|Failed to find (the )?data ?source",
    re.IGNORECASE,
)
PARTITION_COLUMN = "partition_key"


def read(spark: Any, source: dict[str, Any], what: str) -> Any:
    """A DataFrame of a path or an address.

    Args:
        spark: Session.
        source: ``path``, ``format`` (``None``: found out), ``options`` of Spark's reader and ``on_this_machine``.
        what: Attribute that names it, for messages.

    Raises:
        SparkJobError: nothing is there, or it cannot be read.
    """
    path = source["path"]
    if source["on_this_machine"] and not Path(path).exists():
        raise SparkJobError(f"{what}: {source['written']!r} does not exist ({path})")
    try:
        frame = _reader(spark, source).load(path)
        columns = frame.columns
    except Exception as error:
        raise SparkJobError(f"{what}: {source['written']!r} cannot be read: {_first_line(error)}") from None
    if not columns:  # some engines read a path with nothing in it as a table without columns
        raise SparkJobError(f"{what}: {source['written']!r} has no data; expected files, or a table, in {path}")
    return frame


def _reader(spark: Any, source: dict[str, Any]) -> Any:
    kind = source["format"] or _found_format(spark, source["path"])
    header = {"header": "true", "inferSchema": "true"} if kind == "csv" else {}
    return spark.read.format(kind).options(**{**header, **source["options"]})


def _found_format(spark: Any, path: str) -> str:
    """The format of a path: by its ending, its files, or by asking for a Delta table first."""
    endings = {".csv": "csv", ".json": "json", ".jsonl": "json", ".parquet": "parquet"}
    if kind := endings.get(Path(path).suffix.lower()):
        return kind
    folder = Path(path)
    if folder.is_dir():
        if (folder / "_delta_log").is_dir():
            return "delta"
        kinds = {endings[file.suffix.lower()] for file in folder.rglob("*") if file.suffix.lower() in endings}
        return kinds.pop() if len(kinds) == 1 else "parquet"
    # Read as Parquet, a Delta table would bring back rows that were deleted.
    return "delta" if _is_table(spark, path) else "parquet"


def split(frame: Any, validation_share: float, by: list[str]) -> tuple[Any, Any]:
    """Rows for training and for validation, by a hash: the same row is always on the same side, on every machine.

    Args:
        frame: All rows.
        validation_share: Share for validation, 0 to 1.
        by: Columns whose equal values stay together; all columns where it is empty.

    Raises:
        SparkJobError: a column does not exist.
    """
    from pyspark.sql import functions as F  # noqa: N812 - what everybody calls it

    if missing := [name for name in by if name not in frame.columns]:
        raise SparkJobError(f"data.split_by: no column {', '.join(missing)}; the data has: {', '.join(frame.columns)}")
    maps = {field.name for field in frame.schema.fields if field.dataType.typeName() == "map"}  # Spark hashes no maps
    columns = by or [name for name in frame.columns if name not in maps]
    bucket = F.pmod(F.xxhash64(*[frame[name] for name in columns]), F.lit(_BUCKETS))
    limit = F.lit(round(validation_share * _BUCKETS))
    return frame.where(bucket >= limit), frame.where(bucket < limit)


def count_rows(frame: Any) -> int:
    """Number of rows."""
    return int(frame.count())


def schema_of(frame: Any) -> list[dict[str, Any]]:
    """Names, types and whether they may be empty, of all columns."""
    return [
        {"name": field.name, "type": field.dataType.simpleString(), "nullable": field.nullable}
        for field in frame.schema.fields
    ]


def expectation_results(frame: Any, expectations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How many rows break each expectation.

    Raises:
        SparkJobError: a column does not exist.
    """
    from pyspark.sql import functions as F  # noqa: N812

    results = []
    for expectation in expectations:
        columns = expectation["columns"]
        if missing := [name for name in columns if name not in frame.columns]:
            raise SparkJobError(
                f"expectations: no column {', '.join(missing)} in the result; it has: {', '.join(frame.columns)}"
            )
        match expectation["rule"]:
            case "unique":
                repeated = frame.groupBy(*columns).count().where(F.col("count") > 1)
                failed = repeated.agg(F.sum("count")).collect()[0][0] or 0
            case "not_null":
                failed = frame.where(" OR ".join(f"`{name}` IS NULL" for name in columns)).count()
            case _:  # a range; what is empty is not_null's to say
                low, high = expectation["minimum"], expectation["maximum"]
                outside = [f"`{columns[0]}` < {low}"] * (low is not None)
                outside += [f"`{columns[0]}` > {high}"] * (high is not None)
                failed = frame.where(" OR ".join(outside)).count()
        results.append({**expectation, "failed_rows": int(failed)})
    return results


def write(spark: Any, frame: Any, output: dict[str, Any]) -> Any:
    """Write a result and read it back.

    Args:
        spark: Session.
        frame: The result.
        output: ``path``, ``format``, and ``partition`` with the partition's key where the output has partitions.
    """
    path, kind, partition = output["path"], output["format"], output["partition"]
    if kind == "parquet":
        frame.write.mode("overwrite").parquet(path)
        made = spark.read.parquet(path)
        return made if made.columns else _without_rows(spark, frame, path)
    from pyspark.sql import functions as F  # noqa: N812

    if partition is None:
        frame.write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(path)
        return spark.read.format("delta").load(path)
    writer = frame.withColumn(PARTITION_COLUMN, F.lit(partition)).write.format("delta")
    its_rows = f"{PARTITION_COLUMN} = '{partition}'"
    if _is_table(spark, path):
        writer.mode("overwrite").option("replaceWhere", its_rows).save(path)
    else:  # appended: if somebody makes the table meanwhile, their rows stay
        writer.mode("append").partitionBy(PARTITION_COLUMN).save(path)
    return spark.read.format("delta").load(path).where(its_rows)


def _without_rows(spark: Any, frame: Any, path: str) -> Any:
    """A table with columns only: some engines write no file for no rows, and so lose the columns."""
    import pyarrow.parquet

    Path(path).mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(frame.limit(0).toArrow(), Path(path) / "part-00000.parquet")
    return spark.read.parquet(path)


def _is_table(spark: Any, path: str) -> bool:
    """Whether a Delta table is there; a store that does not answer is no answer."""
    if "://" not in path and Path(path).is_dir():
        return (Path(path) / "_delta_log").is_dir()
    try:
        return bool(spark.read.format("delta").load(path).columns)
    except Exception as error:
        if _NO_TABLE.search(str(error)):
            return False
        raise


def _first_line(error: Exception) -> str:
    text = " ".join(str(error).split("JVM stacktrace")[0].split())
    return text[:300]
