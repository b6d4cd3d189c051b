"""The component that materialises a dashboard as one HTML file."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import dagster as dg

from ..attributes import Group, Owners, Tags
from ..base import StrictComponent
from ..formats import ASSET_KEY
from ..warehouse.transpile import WrittenIn, transpiled
from .attributes import Filter, Tile
from .lineage import tables_read
from .page import DrawnTile, Provenance, render_page
from .scaffolder import DashboardScaffolder
from .tiles import DashboardError, Plan, embedded_columns, plan
from .values import Dataset, to_dataset


@dg.scaffold_with(DashboardScaffolder)
@dataclass
class DashboardComponent(StrictComponent):
    """A dashboard as one self-contained HTML file: interactive charts from SQL, viewed without a server or a network.

    .. code-block:: yaml

        type: components.DashboardComponent
        attributes:
          key: dashboards/orders
          title: Orders
          output: dashboards/orders.html
          owners: [team:analytics]
          depends_on: [marts/orders]
          filters: [{column: region, label: Region}]
          tiles:
            - title: Revenue
              type: metric
              sql: select month, region, revenue from marts.orders
              value: revenue
              trend: month
              aggregate: sum
              format: currency
              unit: EUR
    """

    key: Annotated[
        str,
        dg.Resolver.default(
            description="Asset key, two levels.",
            examples=["dashboards/flights"],
            json_schema_extra={"pattern": r"^\w+/\w+$"},
        ),
    ]
    title: Annotated[str, dg.Resolver.default(description="Title of the page.")]
    output: Annotated[
        str,
        dg.Resolver.default(
            description="The file to write, from the project's root.",
            examples=["dashboards/flights.html"],
            json_schema_extra={"pattern": r"^(?:[\w-][\w.-]*/)*[\w-][\w.-]*\.html$"},
        ),
    ]
    tiles: Annotated[list[Tile], dg.Resolver.default(description="What the page shows, in order.")]
    description: Annotated[str, dg.Resolver.default(description="What the page is about; stands under the title.")] = ""
    depends_on: Annotated[
        list[Annotated[str, ASSET_KEY]],
        dg.Resolver.default(
            description="Asset keys of the tables that the tiles read; one that is read and not listed is an error.",
            examples=[["marts/fct_flights"]],
        ),
    ] = field(default_factory=list)
    filters: Annotated[
        list[Filter],
        dg.Resolver.default(description="Choices at the top; they apply to the tiles whose query gives the column."),
    ] = field(default_factory=list)
    max_rows: Annotated[
        int,
        dg.Resolver.default(
            description="Rows a tile may have: they are embedded in the page, so summing up belongs into the SQL.",
            json_schema_extra={"minimum": 1},
        ),
    ] = 5000
    dialect: WrittenIn = None
    owners: Owners = field(default_factory=list)
    group: Group = "dashboards"
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One asset that writes the page.

        Raises:
            dagster.DagsterInvalidDefinitionError: a tile reads a table that ``depends_on`` does not list.
        """
        self._check_lineage()
        root = Path(context.project_root)

        @dg.asset(
            key=dg.AssetKey(self.key.split("/")),
            deps=[dg.AssetKey(key.split("/")) for key in self.depends_on],
            description=self.description or self.title,
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"dashboard", "html"},
            required_resource_keys={"warehouse"},
        )
        def dashboard(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return self._materialize(context, root / self.output)

        return dg.Definitions(assets=[dashboard])

    def _check_lineage(self) -> None:
        missing = [
            f"tile {tile.title!r} reads {key}"
            for tile in self.tiles
            for key in tables_read(tile.sql or "")
            if key not in self.depends_on
        ]
        if missing:
            raise dg.DagsterInvalidDefinitionError(
                f"dashboard {self.key}: depends_on does not list every table that is read: {'; '.join(missing)}"
            )

    def _materialize(self, context: dg.AssetExecutionContext, path: Path) -> dg.MaterializeResult:
        started = datetime.now(UTC)
        warehouse = context.resources.warehouse
        queried = {tile.sql: self._query(warehouse, tile) for tile in reversed(self.tiles) if tile.sql}
        try:
            self._check_filters(queried)
            drawn, datasets = self._draw(queried)
        except DashboardError as error:
            raise dg.Failure(f"dashboard {self.key}: {error}", allow_retries=False) from None
        provenance = Provenance(
            started, context.run.run_id, f"{warehouse.engine.title} ({warehouse.target} target)", self._sources(context)
        )
        page = render_page(self.title, self.description, self.filters, drawn, datasets, provenance)
        size = write_atomically(path, page)
        rows = {tile.tile.title: tile.rows for tile in drawn if tile.spec}
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(path),
                "url": dg.MetadataValue.url(path.as_uri()),
                "size_bytes": size,
                "rows_per_tile": rows,
                "preview": dg.MetadataValue.md(_preview(self.title, drawn)),
            }
        )

    def _query(self, warehouse: Any, tile: Tile) -> Dataset:
        sql = tile.sql or ""
        try:
            engine = warehouse.engine
            query = engine.one_query(transpiled(sql, self.dialect, engine.dialect, self.key))
            rows = f"select * from (\n{query}\n) as tile limit {self.max_rows + 1}"  # noqa: S608 - the user's SQL
            result = engine.query(rows)
        except Exception as error:
            raise dg.Failure(
                f"dashboard {self.key}: the query of tile {tile.title!r} failed: {error}\n\n{sql}"
            ) from error
        if len(result.rows) > self.max_rows:
            raise dg.Failure(
                f"dashboard {self.key}: tile {tile.title!r} has more than {self.max_rows:,} rows (max_rows); "
                f"they would all be embedded in the page. Sum them up in its SQL:\n\n{sql}",
                allow_retries=False,
            )
        return to_dataset(result.columns, result.rows)

    def _check_filters(self, queried: Mapping[str, Dataset]) -> None:
        given = sorted({name for dataset in queried.values() for name in dataset.columns})
        for choice in self.filters:
            if choice.column not in given:
                raise DashboardError(
                    f"filter {choice.column!r}: no tile's query gives that column; the queries give {', '.join(given)}"
                )

    def _draw(self, queried: Mapping[str, Dataset]) -> tuple[list[DrawnTile], list[dict[str, Any]]]:
        """The tiles as they are drawn, and the rows to embed: those of equal queries once."""
        plans = {
            index: plan(tile, queried[tile.sql], self.filters) for index, tile in enumerate(self.tiles) if tile.sql
        }
        queries = list(dict.fromkeys(tile.sql for tile in self.tiles if tile.sql))
        embedded = [
            _embedded(queried[sql], [p for p in plans.values() if p.tile.sql == sql], self.filters) for sql in queries
        ]
        drawn = []
        for index, tile in enumerate(self.tiles):
            if tile.sql is None:
                drawn.append(DrawnTile(tile, None, 0))
                continue
            at, dataset = queries.index(tile.sql), queried[tile.sql]
            drawn.append(DrawnTile(tile, plans[index].page_spec(f"tile-{index + 1}", dataset, at), len(dataset.rows)))
        return drawn, [{"columns": dataset.columns, "rows": dataset.rows} for dataset in embedded]

    def _sources(self, context: dg.AssetExecutionContext) -> list[tuple[str, datetime | None]]:
        """When each upstream asset was last materialised, as Dagster knows it."""
        sources: list[tuple[str, datetime | None]] = []
        for key in self.depends_on:
            event = context.instance.get_latest_materialization_event(dg.AssetKey(key.split("/")))
            sources.append((key, datetime.fromtimestamp(event.timestamp, UTC) if event else None))
        return sources


def write_atomically(path: Path, text: str) -> int:
    """Write a file in one step, so that readers see the old page or the new one; returns its size in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return len(content)


def _embedded(dataset: Dataset, plans: Sequence[Plan], filters: Sequence[Filter]) -> Dataset:
    columns = set().union(*(embedded_columns(plan, list(filters)) for plan in plans))
    return dataset.narrowed(columns, sort=not any(plan.keeps_query_order for plan in plans))


def _preview(title: str, drawn: Sequence[DrawnTile]) -> str:
    def cell(text: str) -> str:
        return text.replace("|", "\\|").replace("\n", " ")

    lines = [f"| {cell(tile.tile.title)} | {tile.tile.type} | {tile.rows:,} |" for tile in drawn if tile.spec]
    return "\n".join([f"**{cell(title)}**", "", "| tile | type | rows |", "| --- | --- | ---: |", *lines])
