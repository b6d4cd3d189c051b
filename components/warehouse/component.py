"""The component that gives a project its ``warehouse`` resource."""

from dataclasses import dataclass
from typing import Annotated

import dagster as dg
from pydantic import BaseModel, Field

from ..base import StrictComponent
from .resource import WarehouseResource
from .settings import EngineName, LocalEngineName


class WarehouseParams(BaseModel):
    """What the scaffolder asks."""

    engine: EngineName = Field(default="duckdb", description="The production engine")


class WarehouseScaffolder(dg.Scaffolder[WarehouseParams]):
    """Writes a warehouse with the chosen production engine."""

    @classmethod
    def get_scaffold_params(cls) -> type[WarehouseParams]:
        """The production engine."""
        return WarehouseParams

    def scaffold(self, request: dg.ScaffoldRequest[WarehouseParams]) -> None:
        """Write ``defs.yaml``."""
        dg.scaffold_component(request, {"engine": request.params.engine})


@dg.scaffold_with(WarehouseScaffolder)
@dataclass
class WarehouseComponent(StrictComponent):
    """The warehouse that SQL, dlt and dbt share: a local DuckDB file, and one engine in production.

    The environment variable ``WAREHOUSE_TARGET`` (``local`` or ``production``) switches all three together.

    .. code-block:: yaml

        type: components.WarehouseComponent
        attributes:
          engine: postgres
    """

    engine: Annotated[
        EngineName,
        dg.Resolver.default(
            description=(
                "The production engine. duckdb reads its file from WAREHOUSE_PRODUCTION_FILE; the others are found by "
                "their own variables: PGHOST …, GOOGLE_CLOUD_PROJECT …, SNOWFLAKE_ACCOUNT …, DATABRICKS_HOST …, "
                "REDSHIFT_HOST …, MOTHERDUCK_TOKEN …"
            ),
            examples=["duckdb", "bigquery"],
        ),
    ]

    local_engine: Annotated[
        LocalEngineName,
        dg.Resolver.default(
            description="What the local target is: a DuckDB file, or the Delta tables of LAKEHOUSE_FOLDER."
        ),
    ] = "duckdb"

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The ``warehouse`` resource."""
        resource = WarehouseResource(
            production_engine=self.engine, project_root=str(context.project_root), local_engine=self.local_engine
        )
        return dg.Definitions(resources={"warehouse": resource})
