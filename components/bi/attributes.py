"""What a dashboard's YAML may say: tiles, their columns, and the filters of the page."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import BaseModel, model_validator

from ..base import StrictModel

TileType = Literal[
    "section", "metric", "line", "area", "bar", "stacked_bar", "horizontal_bar", "scatter", "heatmap", "table"
]
Aggregate = Literal["sum", "mean", "min", "max"]
Format = Literal[
    "integer", "decimal", "percent", "currency", "compact", "date", "month", "datetime", "weekday", "hour", "text"
]

_about = partial(dg.Resolver.default)
_ModelClass = type[BaseModel]  # the field called `type` hides the built-in inside Tile


@dataclass(frozen=True)
class _Keys:
    """The keys a type of tile needs and those it may have besides."""

    needs: tuple[str, ...]
    may_have: tuple[str, ...] = ()

    @property
    def valid(self) -> list[str]:
        return ["type", "title", "description", "width", *self.needs, *self.may_have]


_FIGURE = ("columns", "aggregate", "weight", "format", "unit")
_LINE = _Keys(("sql", "x", "y"), ("series", *_FIGURE))
_BAR = _Keys(("sql", "x", "y"), ("series", "sort", "limit", *_FIGURE))
KEYS: dict[str, _Keys] = {
    "section": _Keys(()),
    "metric": _Keys(("sql", "value"), ("trend", "better", *_FIGURE)),
    "line": _LINE,
    "area": _LINE,
    "bar": _BAR,
    "stacked_bar": _BAR,
    "horizontal_bar": _BAR,
    "scatter": _Keys(("sql", "x", "y"), ("label", "series", "size", "value", *_FIGURE)),
    "heatmap": _Keys(("sql", "x", "y", "value"), _FIGURE),
    "table": _Keys(("sql",), ("columns", "sort", "limit")),
}


class Filter(StrictModel):
    """A choice at the top of the page that applies to every tile whose query gives the column."""

    column: Annotated[str, _about(description="Column that tiles are filtered by.", examples=["origin"])]
    label: Annotated[str | None, _about(description="What readers see; the column's name if absent.")] = None


class Column(StrictModel):
    """How one column of a tile's query is named, summed up and written."""

    column: Annotated[str, _about(description="Column of the query.", examples=["delayed_share"])]
    label: Annotated[str | None, _about(description="What readers see; the column's name if absent.")] = None
    aggregate: Annotated[
        Aggregate | None, _about(description="How several rows become one figure; `mean` needs `weight`.")
    ] = None
    weight: Annotated[
        str | None, _about(description="Column that says how many observations a row stands for.", examples=["flights"])
    ] = None
    format: Annotated[
        Format | None,
        _about(description="How values are written. `percent` takes 0.25 for 25 %, `weekday` 1 for Monday."),
    ] = None
    unit: Annotated[
        str | None, _about(description="Unit after the number; a three-letter code for `currency`.", examples=["min"])
    ] = None

    @model_validator(mode="after")
    def _check(self) -> "Column":
        problems = list(_figure_problems(self))
        if problems:
            raise ValueError(f"column {self.column!r}: {'; '.join(problems)}")
        return self


class Tile(StrictModel):
    """One tile of the page: a heading, a figure, a chart or a table, from one query."""

    title: Annotated[str, _about(description="Heading of the tile.")]
    type: Annotated[TileType, _about(description="What is drawn; `section` is a heading for the tiles after it.")]
    description: Annotated[str | None, _about(description="One line under the title.")] = None
    sql: Annotated[
        str | None, _about(description="Query of the warehouse. Row order is not kept where `sort` says otherwise.")
    ] = None
    value: Annotated[
        str | None, _about(description="Column of the figure (metric) or of the colour (heatmap, scatter).")
    ] = None
    x: Annotated[str | None, _about(description="Column along the x axis; of the categories in bars.")] = None
    y: Annotated[str | list[str] | None, _about(description="Column or columns that are drawn.")] = None
    series: Annotated[str | None, _about(description="Column whose values become one line or colour each.")] = None
    label: Annotated[str | None, _about(description="Column that names a point; its rows become one point.")] = None
    size: Annotated[str | None, _about(description="Column of the size of a point.")] = None
    trend: Annotated[str | None, _about(description="Column of the periods of a metric's sparkline.")] = None
    better: Annotated[
        Literal["higher", "lower"] | None, _about(description="Which change of a metric is good; colours the change.")
    ] = None
    columns: Annotated[
        list[Column] | None,
        _about(description="Names, formats and aggregates; for a table also which and in what order."),
    ] = None
    aggregate: Annotated[
        Aggregate | None, _about(description="Aggregate of `y` or `value`; `mean` needs `weight`.")
    ] = None
    weight: Annotated[str | None, _about(description="Column that weighs the mean of `y` or `value`.")] = None
    format: Annotated[Format | None, _about(description="Format of `y` or `value`.")] = None
    unit: Annotated[str | None, _about(description="Unit of `y` or `value`.", examples=["minutes"])] = None
    sort: Annotated[
        str | None,
        _about(description="Column that rows are sorted by, `-` before it for descending.", examples=["-flights"]),
    ] = None
    limit: Annotated[int | None, _about(description="Only so many bars or rows.", json_schema_extra={"minimum": 1})] = (
        None
    )
    width: Annotated[
        int | None,
        _about(description="Columns of a grid of twelve.", json_schema_extra={"minimum": 1, "maximum": 12}),
    ] = None

    @classmethod
    def model(cls) -> _ModelClass:
        """The pydantic model of the YAML, whose JSON schema knows which keys go with which type of tile."""
        model = super().model()
        extra: Any = model.model_config.get("json_schema_extra") or {}
        rules: Any = _rules()
        model.model_config["json_schema_extra"] = {**extra, "allOf": rules}
        return model

    @model_validator(mode="after")
    def _check(self) -> "Tile":
        problems = list(_tile_problems(self))
        if problems:
            raise ValueError(f"tile {self.title!r} ({self.type}): {'; '.join(problems)}")
        return self

    @property
    def figures(self) -> list[str]:
        """The columns that `aggregate`, `weight`, `format` and `unit` of the tile itself speak of."""
        if self.type in ("metric", "heatmap"):
            return [self.value] if self.value else []
        return self.ys if self.type != "table" else []

    @property
    def ys(self) -> list[str]:
        """The columns of `y` as a list."""
        return [self.y] if isinstance(self.y, str) else self.y or []

    @property
    def drawn(self) -> list[str]:
        """Every column the tile shows, in the order of its keys; for a table those that `columns` lists."""
        if self.type == "table":
            return [column.column for column in self.columns or []]
        named = [self.x, *self.ys, self.series, self.label, self.size, self.value, self.trend]
        return list(dict.fromkeys(name for name in named if name))

    def column(self, name: str) -> Column:
        """What is said of a column: in `columns` first, then by the tile itself."""
        said: dict[str, Any] = {}
        if name in self.figures:
            said = {key: getattr(self, key) for key in ("aggregate", "weight", "format", "unit")}
        for column in self.columns or []:
            if column.column == name:
                said |= {
                    key: value for key, value in column.model_dump(exclude={"column"}).items() if value is not None
                }
        return Column(column=name, **said)


def _rules() -> list[dict[str, Any]]:
    """JSON schema: which keys go with which type of tile."""
    return [
        {
            "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
            "then": {"required": list(keys.needs), "propertyNames": {"enum": keys.valid}},
        }
        for kind, keys in KEYS.items()
    ]


def _figure_problems(part: "Column | Tile") -> Iterator[str]:
    if part.aggregate == "mean" and not part.weight:
        yield "aggregate: mean needs weight, the column that says how many observations a row stands for"
    if part.weight and part.aggregate != "mean":
        yield "weight is only for aggregate: mean"
    if part.format == "currency" and not (
        part.unit and len(part.unit) == 3 and part.unit.isascii() and part.unit.isupper()
    ):
        yield f"format: currency needs a three-letter currency code as unit, not {part.unit!r}"


def _tile_problems(tile: Tile) -> Iterator[str]:
    keys = KEYS[tile.type]
    given = {name for name, value in tile if value is not None}
    yield from (f"{key} is missing" for key in keys.needs if key not in given)
    if wrong := sorted(given - set(keys.valid)):
        yield f"{', '.join(wrong)} is no key of it; valid are {', '.join(keys.valid)}"
    yield from _figure_problems(tile)
    if tile.type in ("scatter", "heatmap") and len(tile.ys) > 1:
        yield "y takes one column"
    if tile.y is not None and not tile.ys:
        yield "y is empty"
    if tile.series and len(tile.ys) > 1:
        yield "series needs a single y"
    if tile.series and tile.type == "scatter" and tile.value:
        yield "colour comes from either series or value"
    listed = [column.column for column in tile.columns or []]
    yield from (f"columns has {name!r} twice" for name in dict.fromkeys(listed) if listed.count(name) > 1)
    if tile.type != "table":
        yield from (
            f"columns has {name!r}, which is not drawn; drawn are {', '.join(tile.drawn)}"
            for name in listed
            if name not in tile.drawn
        )
    if tile.sort and tile.drawn and tile.sort.removeprefix("-") not in tile.drawn:
        yield f"sort: {tile.sort!r} is not drawn; drawn are {', '.join(tile.drawn)}"
