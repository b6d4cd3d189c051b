"""The scaffolder of declarative pipelines: bronze, silver and gold over files that run as they are."""

import shutil

import dagster as dg
from pydantic import BaseModel, Field

_PYTHON = '''"""Orders, from files as they came to rows that can be trusted."""

from pyspark import pipelines as dp

LANDING = "/Volumes/main/landing/orders"


@dp.table(name="bronze.orders", comment="Every order as it came.")
@dp.expect("has_id", "order_id IS NOT NULL")
def bronze_orders():
    return (
        spark.readStream.format("cloudFiles")
        .option("cloudFiles.format", "csv")
        .option("cloudFiles.inferColumnTypes", "true")
        .load(LANDING)
    )


@dp.materialized_view(name="silver.orders", comment="One row an order, without those that are none.")
@dp.expect_or_drop("has_id", "order_id IS NOT NULL")
@dp.expect_or_fail("amount_is_known", "amount IS NOT NULL")
def silver_orders():
    return spark.read.table("bronze.orders").select("order_id", "customer", "amount")
'''
_SQL = """\
CREATE OR REFRESH MATERIALIZED VIEW gold.customers (
  CONSTRAINT has_orders EXPECT (orders > 0)
)
COMMENT 'One row a customer: orders and what they came to.'
AS SELECT customer, count(*) AS orders, sum(amount) AS total
FROM silver.orders
GROUP BY customer;
"""
_ORDERS = "order_id,customer,amount\n1,ann,20.5\n2,bob,7.0\n3,ann,12.25\n,cy,1.0\n"


class PipelineParams(BaseModel):
    """What the scaffolder asks."""

    name: str = Field(default="orders", description="Name of the pipeline", pattern=r"^[a-z][a-z0-9_]*$")


class PipelineScaffolder(dg.Scaffolder[PipelineParams]):
    """Writes a pipeline of Python and SQL, and the files that it reads."""

    @classmethod
    def get_scaffold_params(cls) -> type[PipelineParams]:
        """The name."""
        return PipelineParams

    def scaffold(self, request: dg.ScaffoldRequest[PipelineParams]) -> None:
        """Write two documents in one ``defs.yaml``: files into a volume, and the pipeline over them."""
        folder = request.target_path
        try:
            (folder / "transformations").mkdir()
            (folder / "transformations" / "orders.py").write_text(_PYTHON, encoding="utf-8")
            (folder / "transformations" / "customers.sql").write_text(_SQL, encoding="utf-8")
            (folder / "orders.csv").write_text(_ORDERS, encoding="utf-8")
            dg.scaffold_component(
                request,
                {
                    "name": request.params.name,
                    "files": ["transformations/**"],
                    "catalog": "main",
                    "default_schema": "silver",
                    "depends_on": {"bronze.orders": ["landing/orders"]},
                    "owners": ["team:data"],
                },
            )
            landing = request.type_name.rpartition(".")[0] + ".VolumeFilesComponent"
            with (folder / "defs.yaml").open("a", encoding="utf-8") as file:
                file.write(_LANDING.replace("TYPE", landing))
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            raise


_LANDING = """
---
type: TYPE

attributes:
  key: landing/orders
  description: Orders as the shop exports them.
  source: {folder: .}
  files: [orders.csv]
  volume: /Volumes/main/landing/orders
  owners: ["team:data"]
  group: landing
"""
