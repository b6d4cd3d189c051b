"""A tile meets the rows of its query: what is wrong is named here, what is right goes to the page."""

from dataclasses import dataclass
from typing import Any

from .attributes import Column, Filter, Tile
from .values import Dataset

_BARS = ("bar", "stacked_bar", "horizontal_bar")
_ORDERED = ("number", "date", "datetime", "empty")


class DashboardError(Exception):
    """A dashboard that cannot be drawn as its YAML says; the message names tile, column and what is valid."""


@dataclass(frozen=True)
class Plan:
    """How the page draws one tile.

    Args:
        keys: Columns whose distinct values make one mark each; empty for a metric.
        figures: Columns that hold numbers, aggregated per mark where they have an aggregate.
        grouped: Whether rows with equal keys are one mark; otherwise each row is one.
        columns: Every column in use by name, weights included.
    """

    tile: Tile
    keys: list[str]
    figures: list[str]
    grouped: bool
    columns: dict[str, Column]

    @property
    def keeps_query_order(self) -> bool:
        """Whether what is seen depends on the order in which the query gives its rows."""
        return self.tile.sort is None and self.tile.type in (*_BARS, "table")

    def page_spec(self, identifier: str, dataset: Dataset, dataset_index: int) -> dict[str, Any]:
        """What the page's script needs to know of the tile."""
        tile = self.tile
        return {
            "id": identifier,
            "title": tile.title,
            "type": tile.type,
            "dataset": dataset_index,
            "keys": self.keys,
            "figures": self.figures,
            "grouped": self.grouped,
            "x": tile.x,
            "y": tile.ys,
            "series": tile.series,
            "label": tile.label,
            "size": tile.size,
            "value": tile.value,
            "trend": tile.trend,
            "better": tile.better,
            "sort": {"column": tile.sort.removeprefix("-"), "descending": tile.sort.startswith("-")}
            if tile.sort
            else None,
            "limit": tile.limit,
            "columns": {name: _column_spec(column, dataset) for name, column in self.columns.items()},
        }


def plan(tile: Tile, dataset: Dataset, filters: list[Filter]) -> Plan:
    """Match a tile with the rows of its query.

    Raises:
        DashboardError: a column is missing, has no numbers where numbers are drawn, or several rows fall on one mark
            and nothing says how to sum them up.
    """
    drawn = tile.drawn or dataset.columns
    columns = {name: tile.column(name) for name in drawn}
    _check_names(tile, columns, dataset)
    figures, keys, grouped = _roles(tile, drawn, columns, dataset)
    for column in columns.values():
        _check_kinds(tile, column, column.column in figures, dataset)
    if grouped:
        _check_one_row_per_mark(tile, keys, [columns[name] for name in figures], dataset, filters)
    return Plan(tile, keys, figures, grouped, columns)


def embedded_columns(plan: Plan, filters: list[Filter]) -> set[str]:
    """The columns of the query that the page needs; no other leaves the warehouse."""
    weights = {column.weight for column in plan.columns.values() if column.weight}
    return set(plan.columns) | weights | {choice.column for choice in filters}


def _roles(
    tile: Tile, drawn: list[str], columns: dict[str, Column], dataset: Dataset
) -> tuple[list[str], list[str], bool]:
    """The figures and the keys of a tile, and whether its rows are grouped by the keys."""
    if tile.type == "table":
        summed = [name for name in drawn if columns[name].aggregate]
        return summed, [name for name in drawn if name not in summed], bool(summed)
    if tile.type == "scatter":
        placed = [name for name in (tile.x, *tile.ys, tile.size, tile.value) if name]
        named = [name for name in (tile.label, tile.series) if name]
        return list(dict.fromkeys(placed)), named, tile.label is not None
    crossed = tile.ys if tile.type == "heatmap" else []
    keys = [name for name in (tile.trend, tile.x, tile.series, *crossed) if name]
    return [tile.value] if tile.value else tile.ys, keys, True


def _check_names(tile: Tile, columns: dict[str, Column], dataset: Dataset) -> None:
    if len(set(dataset.columns)) < len(dataset.columns):
        twice = next(name for name in dataset.columns if dataset.columns.count(name) > 1)
        raise DashboardError(
            f"tile {tile.title!r}: its query gives two columns called {twice!r}; name them apart with `as`"
        )
    wanted = [*columns, *(column.weight for column in columns.values() if column.weight)]
    if tile.sort:
        wanted.append(tile.sort.removeprefix("-"))
    for name in wanted:
        if name not in dataset.columns:
            raise DashboardError(
                f"tile {tile.title!r}: its query gives no column {name!r}; it gives {', '.join(dataset.columns)}"
            )


def _check_kinds(tile: Tile, column: Column, is_figure: bool, dataset: Dataset) -> None:
    numbers = (
        [column.column]
        if is_figure or column.format in ("integer", "decimal", "percent", "currency", "compact", "weekday", "hour")
        else []
    )
    numbers += [column.weight] if column.weight else []
    for name in numbers:
        kind = dataset.kinds[name]
        if kind not in ("number", "empty"):
            example = next(value for value in dataset.values(name) if value is not None)
            raise DashboardError(
                f"tile {tile.title!r}: column {name!r} holds {kind} such as {example!r}; numbers are needed"
            )
    kind = dataset.kinds[column.column]
    if column.format in ("date", "month", "datetime") and kind not in ("date", "datetime", "empty"):
        raise DashboardError(
            f"tile {tile.title!r}: column {column.column!r} holds {kind}; format: {column.format} needs dates"
        )


def _check_one_row_per_mark(
    tile: Tile, keys: list[str], figures: list[Column], dataset: Dataset, filters: list[Filter]
) -> None:
    """Several rows on one mark need an aggregate: adding up or averaging by default would be silently wrong."""
    bare = [column.column for column in figures if not column.aggregate]
    if not bare:
        return
    if tile.type == "metric":
        keys = []
    indexes = [dataset.columns.index(name) for name in keys]
    seen: dict[tuple[Any, ...], int] = {}
    for row in dataset.rows:
        mark = tuple(row[index] for index in indexes)
        seen[mark] = seen.get(mark, 0) + 1
    mark, count = max(seen.items(), key=lambda item: item[1], default=((), 0))
    if count < 2:
        return
    where = ", ".join(f"{name} = {value}" for name, value in zip(keys, mark, strict=True)) or "the figure"
    filtered = [choice.column for choice in filters if choice.column in dataset.columns and choice.column not in keys]
    hint = f" (its query has a row for each {', '.join(filtered)}, for the filter)" if filtered else ""
    raise DashboardError(
        f"tile {tile.title!r}: {count} rows fall on {where}{hint}; "
        f"say how {', '.join(bare)} is summed up: aggregate: sum, mean (with weight), min or max"
    )


def _column_spec(column: Column, dataset: Dataset) -> dict[str, Any]:
    """A column as the page's script knows it, its format decided."""
    kind = dataset.kinds[column.column]
    return {
        "label": column.label or _readable(column.column),
        "kind": kind,
        "ordered": kind in _ORDERED,
        "aggregate": column.aggregate,
        "weight": column.weight,
        "format": column.format or _default_format(column, dataset),
        "unit": column.unit,
    }


def _readable(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _default_format(column: Column, dataset: Dataset) -> str:
    kind = dataset.kinds[column.column]
    if kind in ("date", "datetime"):
        return kind
    if kind != "number":
        return "text"
    whole = all(isinstance(value, int) for value in dataset.values(column.column) if value is not None)
    return "integer" if whole and column.aggregate != "mean" else "decimal"
