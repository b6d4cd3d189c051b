"""Orders, each file taken once."""

from pyspark import pipelines as dp
from pyspark.sql import SparkSession

spark = SparkSession.active()


@dp.table(name="bronze.orders", comment="Every order as it came.")
@dp.expect_or_fail("has_id", "order_id IS NOT NULL")
def orders():
    files = spark.readStream.format("cloudFiles").option("cloudFiles.format", "csv")
    return files.option("cloudFiles.inferColumnTypes", "true").load("/Volumes/main/landing/orders")
