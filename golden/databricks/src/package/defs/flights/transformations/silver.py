"""Silver: typed, cleaned, one row a thing."""

from pyspark import pipelines as dp
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.active()


def number(name: str, kind: str = "double"):
    """A column of numbers in which NA is empty."""
    return F.when(F.col(name) != "NA", F.col(name)).cast(kind).alias(name)


@dp.temporary_view(name="hourly_weather")
def hourly_weather():
    measures = [number(name) for name in ("temp", "wind_speed", "precip", "visib")]
    return (
        spark.read.table("bronze.weather")
        .select("origin", "time_hour", *measures)
        .dropDuplicates(["origin", "time_hour"])
    )


@dp.materialized_view(
    name="silver.flights",
    comment="One row a flight that was scheduled, with its airline and the weather at its hour.",
    table_properties={"quality": "silver"},
)
@dp.expect_or_fail("scheduled_in_2013", "flight_date BETWEEN DATE'2013-01-01' AND DATE'2013-12-31'")
@dp.expect_or_drop("has_a_route", "origin IS NOT NULL AND dest IS NOT NULL")
@dp.expect("has_weather", "temp IS NOT NULL")
@dp.expect("arrived", "arr_delay IS NOT NULL")
def silver_flights():
    airlines = spark.read.table("bronze.airlines").withColumnRenamed("name", "airline")
    return (
        spark.read.table("bronze.flights")
        .select(
            F.make_date(F.col("year").cast("int"), F.col("month").cast("int"), F.col("day").cast("int")).alias(
                "flight_date"
            ),
            "time_hour",
            number("hour", "int"),
            "carrier",
            number("flight", "int"),
            "tailnum",
            "origin",
            "dest",
            number("distance"),
            number("dep_delay"),
            number("arr_delay"),
            (F.col("dep_time") == "NA").alias("cancelled"),
        )
        .join(airlines, "carrier", "left")
        .join(spark.read.table("hourly_weather"), ["origin", "time_hour"], "left")
    )
