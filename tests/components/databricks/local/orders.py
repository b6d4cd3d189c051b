"""A pipeline with every kind of data set and expectation, over a few orders."""

from components.databricks import DeclarativePipelineComponent
from tests.components.databricks.local.project import LakehouseProject

PYTHON = '''
from pyspark import pipelines as dp
from pyspark.sql import functions as F

LANDING = "/Volumes/main/landing/orders"
RULES = {"has_customer": "customer IS NOT NULL", "small": "amount < 1000"}


@dp.table(name="bronze.orders", comment="Orders as they came.")
@dp.expect("has_id", "order_id IS NOT NULL")
def bronze():
    files = spark.readStream.format("cloudFiles").option("cloudFiles.format", "csv")
    return files.option("cloudFiles.inferColumnTypes", "true").load(LANDING)


@dp.temporary_view(name="typed")
@dp.expect("amount_is_known", "amount IS NOT NULL")
def typed():
    return read_bronze().select("order_id", "customer", F.col("amount").cast("double"))


def read_bronze():
    return spark.read.table("bronze.orders")


@dp.materialized_view(name="silver.orders", table_properties={"quality": "silver"}, cluster_by_auto=True)
@dp.expect_or_drop("has_id", "order_id IS NOT NULL")
@dp.expect_all(RULES)
@dp.expect_or_fail("no_debts", "coalesce(amount, 0) >= 0")
def silver():
    """Orders that can be trusted."""
    return spark.sql("SELECT * FROM typed")


dp.create_streaming_table("silver.everyone", expect_all_or_drop={"named": "who <> 'bob'"})


@dp.append_flow(target="silver.everyone")
def customers():
    return spark.readStream.table("silver.orders").select(F.col("customer").alias("who"))


@dp.append_flow(target="silver.everyone")
def once_more():
    return spark.readStream.table("silver.orders").select(F.upper("customer").alias("who"))


dp.create_streaming_table("silver.latest")
dp.create_auto_cdc_flow(
    target="silver.latest",
    source="silver.orders",
    keys=["customer"],
    sequence_by=F.col("order_id"),
    apply_as_deletes=F.expr("amount = 0"),
    except_column_list=["amount"],
)
'''
SQL = """
-- A comment; with a semicolon, and the word EXPECT.
CREATE OR REFRESH MATERIALIZED VIEW gold.customers (
  customer STRING COMMENT 'who',
  CONSTRAINT `spent something` EXPECT (total > ${minimum}) ON VIOLATION DROP ROW,
  CONSTRAINT several EXPECT (orders > 1)
) COMMENT 'One row a customer.' TBLPROPERTIES ('quality' = 'gold')
AS WITH totals AS (SELECT customer, count(*) AS orders, sum(amount) AS total FROM silver.orders GROUP BY customer)
SELECT * FROM totals;

CREATE TEMPORARY VIEW big AS SELECT * FROM silver.orders WHERE amount > 10;
CREATE STREAMING TABLE gold.big AS SELECT order_id FROM STREAM(LIVE.big);
CREATE OR REFRESH STREAMING TABLE gold.history;
CREATE FLOW changes AS AUTO CDC INTO gold.history FROM STREAM(silver.orders)
KEYS (customer) APPLY AS DELETE WHEN amount = 0 SEQUENCE BY order_id COLUMNS * EXCEPT (amount) STORED AS SCD TYPE 2
"""
ORDERS = "order_id,customer,amount\n1,ann,20\n2,bob,5\n3,ann,30\n,cy,1\n4,bob,0\n"


def add_pipeline(project: LakehouseProject, **attributes: object) -> None:
    project.land("a.csv", ORDERS)
    project.add(
        DeclarativePipelineComponent,
        "orders",
        {
            "name": "orders",
            "files": ["*.py", "*.sql"],
            "default_schema": "silver",
            "configuration": {"minimum": "1"},
            "compute_size": "small",
            "owners": ["team:data"],
            "tags": {"domain": "sales"},
            **attributes,
        },
        orders__py=PYTHON,
        gold__sql=SQL,
    )
