"""Bronze: every file as it came, each taken once, all columns as text."""

from pyspark import pipelines as dp
from pyspark.sql import SparkSession

spark = SparkSession.active()
LANDING = spark.conf.get("flights.landing")


def arriving(name: str):
    """What is new in a folder of the landing volume."""
    files = spark.readStream.format("cloudFiles").option("cloudFiles.format", "csv").option("header", "true")
    return files.load(f"{LANDING}/{name}").drop("_rescued_data")


@dp.table(
    name="bronze.flights",
    comment="Flights out of New York as the files have them; NA is an empty value.",
)
@dp.expect("has_a_carrier", "carrier IS NOT NULL")
def flights():
    return arriving("flights")


@dp.table(
    name="bronze.weather",
    comment="Hourly weather as the file has it; NA is an empty value.",
)
def weather():
    return arriving("weather")


@dp.table(
    name="bronze.airlines",
    comment="Carrier codes and the names of their airlines, as the file has them.",
)
@dp.expect_or_drop("has_a_name", "name IS NOT NULL")
def airlines():
    return arriving("airlines")
