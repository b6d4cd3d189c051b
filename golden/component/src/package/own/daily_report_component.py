"""DailyReportComponent: a table of rows that Python makes."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import dagster as dg

from ..attributes import AssetKeyText, Description, Group, Owners, Tags
from ..base import StrictComponent


class DailyReportComponentScaffolder(dg.Scaffolder):
    """Writes a first defs.yaml that runs."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write ``defs.yaml``."""
        attributes = {
            "key": f"reports/{request.target_path.name}",
            "description": "Say what one row is, and who reads it.",
            "output": f"exports/{request.target_path.name}.csv",
            "owners": ["team:data"],
            "group": "reports",
            "tags": {"domain": "example"},
        }
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(DailyReportComponentScaffolder)
@dataclass
class DailyReportComponent(StrictComponent):
    """A table of rows that Python makes, written as CSV.

    .. code-block:: yaml

        type: acme_components.DailyReportComponent
        attributes:
          key: reports/daily_report_component
          description: One row per number, to start from.
          output: exports/daily_report_component.csv
          rows: 10
          owners: ["team:data"]
          group: reports
          tags: {domain: example}
    """

    key: AssetKeyText
    description: Description
    output: Annotated[
        str,
        dg.Resolver.default(
            description="File that is written, from the project's root.",
            examples=["exports/report.csv"],
            json_schema_extra={"pattern": r"\.csv$"},
        ),
    ]
    rows: Annotated[
        int, dg.Resolver.default(description="How many rows there are.", json_schema_extra={"minimum": 1})
    ] = 10
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset."""
        file = context.project_root / self.output

        @dg.asset(
            key=self.key.split("/"),
            description=self.description,
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"python", "csv"},
        )
        def report() -> dg.MaterializeResult[Any]:
            return dg.MaterializeResult(metadata={"dagster/row_count": self.write(file), "path": str(file)})

        return dg.Definitions(assets=[report])

    def make_rows(self) -> Iterator[dict[str, Any]]:
        """The rows of the table. This is the method to write."""
        for number in range(1, self.rows + 1):
            yield {"number": number, "square": number**2}

    def write(self, file: Path) -> int:
        """Write the rows, all or nothing.

        Returns:
            How many rows were written.
        """
        rows = list(self.make_rows())
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        with part.open("w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, list(rows[0]) if rows else [])
            writer.writeheader()
            writer.writerows(rows)
        part.replace(file)
        return len(rows)
