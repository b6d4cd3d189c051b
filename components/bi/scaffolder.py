"""The first defs.yaml of a dashboard: it materialises as it stands, for any table."""

import dagster as dg
from pydantic import BaseModel, Field


class DashboardParams(BaseModel):
    """What the scaffolder asks."""

    table: str = Field(
        default="marts/my_table", pattern=r"^\w+/\w+$", description="Asset key of the table that the first tiles read"
    )
    title: str = Field(default="", description="Title of the page; the table's name if absent")
    owner: str = Field(default="team:analytics", description="Who answers for the dashboard")


class DashboardScaffolder(dg.Scaffolder[DashboardParams]):
    """Writes a dashboard that shows one table: how many rows, and the first hundred."""

    @classmethod
    def get_scaffold_params(cls) -> type[DashboardParams]:
        """The table, the title and the owner."""
        return DashboardParams

    def scaffold(self, request: dg.ScaffoldRequest[DashboardParams]) -> None:
        """Write ``defs.yaml``."""
        params = request.params
        name = params.table.split("/")[1]
        relation = params.table.replace("/", ".")
        title = params.title or name.replace("_", " ").capitalize()
        dg.scaffold_component(
            request,
            {
                "key": f"dashboards/{name}",
                "title": title,
                "description": f"What {params.table} holds.",
                "output": f"dashboards/{name}.html",
                "owners": [params.owner],
                "depends_on": [params.table],
                "tiles": [
                    {
                        "title": "Rows",
                        "type": "metric",
                        "sql": f"select count(*) as row_count from {relation}",  # noqa: S608 - two words
                        "value": "row_count",
                        "format": "integer",
                    },
                    {
                        "title": "First rows",
                        "type": "table",
                        "sql": f"select * from {relation} limit 100",  # noqa: S608 - two words
                    },
                ],
            },
        )
