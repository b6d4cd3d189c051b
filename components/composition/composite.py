"""The component that is made of any other components."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import dagster as dg

from ..attributes import Group, Owners, Tags
from ..base import StrictComponent
from .steps import Shared, Step, as_written, build, check_names, load_step


class CompositeScaffolder(dg.Scaffolder):
    """Writes a composition of two tables that runs as it is."""

    def scaffold(self, request: dg.ScaffoldRequest) -> None:
        """Write ``defs.yaml``."""
        name = request.target_path.name.replace("-", "_")
        lines = "SELECT 'a' AS product, 2 AS pieces UNION ALL SELECT 'b', 5"
        attributes = {
            "variables": {"schema": "marts"},
            "group": "warehouse",
            "steps": [
                {
                    "name": "lines",
                    "type": "SqlTableComponent",
                    "attributes": {
                        "key": "{{ variables.schema }}/" + f"{name}_lines",
                        "description": "Say what one row is.",
                        "sql": lines,
                    },
                },
                {
                    "name": "total",
                    "type": "SqlTableComponent",
                    "after": ["lines"],
                    "attributes": {
                        "key": "{{ variables.schema }}/" + f"{name}_total",
                        "description": "One row with the sum.",
                        "sql": f"SELECT sum(pieces) AS pieces FROM marts.{name}_lines",  # noqa: S608 - a folder's name
                    },
                },
            ],
        }
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(CompositeScaffolder)
@dataclass
class CompositeComponent(StrictComponent):
    """Any components as one, with shared variables, owners, group, tags and order.

    .. code-block:: yaml

        type: components.CompositeComponent
        attributes:
          variables:
            schema: marts
          owners: ["team:data"]
          group: sales
          steps:
            - name: lines
              type: SqlTableComponent
              attributes:
                key: "{{ variables.schema }}/sales_lines"
                description: Pieces sold of each product.
                sql: SELECT 'a' AS product, 2 AS pieces
            - name: total
              type: SqlTableComponent
              after: [lines]
              attributes:
                key: "{{ variables.schema }}/sales_total"
                description: One row with the sum.
                sql: SELECT sum(pieces) AS pieces FROM marts.sales_lines
    """

    steps: Annotated[
        Any,  # a list of Step; Dagster wants a type that it resolves itself
        dg.Resolver(
            as_written,
            model_field_type=list[Step],
            description="The components, in order.",
            examples=[[{"type": "components.SqlTableComponent", "attributes": {"key": "marts/a"}}]],
            json_schema_extra={"minItems": 1},
        ),
    ]
    variables: Annotated[
        dict[str, Any],
        dg.Resolver.default(
            description="Values that attributes of steps use as {{ variables.name }}.", examples=[{"schema": "marts"}]
        ),
    ] = field(default_factory=dict)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The definitions of all steps."""
        where = str(context.path if context.path.suffix else context.path / "defs.yaml")
        check_names(self.steps, where, "steps")
        shared = Shared(self.owners, self.group, self.tags, self.variables)
        loaded = [
            load_step(step, {}, shared, context, ("steps", index), step.after) for index, step in enumerate(self.steps)
        ]
        return build(loaded, shared)
