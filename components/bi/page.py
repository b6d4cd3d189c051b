"""The HTML page: a static file with everything inside it, that reaches no network."""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from .attributes import Filter, Tile
from .values import script_json

_STATIC = Path(__file__).parent / "static"
_LIBRARY = "chart.umd.min.js"
_SCRIPTS = ("format.js", "compute.js", "look.js", "axes.js", "charts.js", "grids.js", "metrics.js", "page.js")
_SOURCE_MAP = re.compile(r"^//. sourceMappingURL=.*$", re.MULTILINE)
_WIDTHS = {"section": 12, "metric": 3, "table": 12}
_WITHOUT_DATA_BUTTON = ("section", "metric", "table")


@dataclass(frozen=True)
class DrawnTile:
    """A tile with what its query gave.

    Args:
        spec: What the page's script draws, by ``Plan.page_spec``; None for a section.
        rows: Rows of the query.
    """

    tile: Tile
    spec: dict[str, Any] | None
    rows: int


@dataclass(frozen=True)
class Provenance:
    """Where the data came from, for the footer.

    Args:
        materialized: Moment of the run, in UTC.
        run_id: The Dagster run.
        warehouse: The warehouse in a reader's words.
        sources: Asset keys with the moment each was last materialised, in UTC, where it is known.
    """

    materialized: datetime
    run_id: str
    warehouse: str
    sources: list[tuple[str, datetime | None]]


def render_page(
    title: str,
    description: str,
    filters: Sequence[Filter],
    tiles: Sequence[DrawnTile],
    datasets: Sequence[dict[str, Any]],
    provenance: Provenance,
) -> str:
    """The page as text. Two runs over the same data differ in the footer only."""
    style = _read("page.css")
    theme, library = _read("theme.js"), _SOURCE_MAP.sub("", _read(_LIBRARY))
    script = '"use strict";\n(() => {\n' + "\n".join(_read(name) for name in _SCRIPTS) + "})();\n"
    data = {
        "filters": [{"column": choice.column, "label": choice.label or choice.column} for choice in filters],
        "tiles": [tile.spec for tile in tiles if tile.spec],
        "datasets": list(datasets),
    }
    return Template(_read("page.html")).substitute(
        policy=escape(_policy(style, [theme, library, script])),
        title=escape(title),
        description=f'<p class="lead">{escape(description)}</p>' if description else "",
        filters=_filters(filters),
        tiles=_sections(tiles),
        footer=_footer(tiles, provenance),
        style=style,
        theme=theme,
        library=library,
        script=script,
        data=script_json(data),
    )


def _read(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


def _policy(style: str, scripts: Sequence[str]) -> str:
    """A content security policy that allows these very scripts and styles, and nothing from anywhere."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'sha256-{_digest(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _filters(filters: Sequence[Filter]) -> str:
    if not filters:
        return ""
    choices = "".join(
        f'<label class="filter"><span>{escape(choice.label or choice.column)}</span>'
        f'<select data-filter="{index}"><option value="">All</option></select></label>'
        for index, choice in enumerate(filters)
    )
    return (
        f'<form class="filters" aria-label="Filters">{choices}'
        '<button type="reset" class="button" hidden>Clear</button></form>'
    )


def _sections(tiles: Sequence[DrawnTile]) -> str:
    """The tiles, each section with those that follow it."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    for drawn in tiles:
        if drawn.tile.type == "section":
            sections.append((_heading(drawn.tile), []))
        else:
            sections[-1][1].append(_tile(drawn))
    return "\n".join(
        f'<section>{heading}<div class="grid">{"".join(articles)}</div></section>'
        for heading, articles in sections
        if heading or articles
    )


def _heading(tile: Tile) -> str:
    text = f"<p>{escape(tile.description)}</p>" if tile.description else ""
    return f'<header class="section-head"><h2>{escape(tile.title)}</h2>{text}</header>'


def _tile(drawn: DrawnTile) -> str:
    tile, identifier = drawn.tile, (drawn.spec or {})["id"]
    width = tile.width or _WIDTHS.get(tile.type, 6)
    unit = f' <span class="unit">{escape(tile.unit)}</span>' if tile.unit and tile.type != "metric" else ""
    text = f'<p class="about">{escape(tile.description)}</p>' if tile.description else ""
    button = (
        ""
        if tile.type in _WITHOUT_DATA_BUTTON
        else f'<button type="button" class="button data-toggle" aria-pressed="false" aria-controls="{identifier}-body">'
        '<span aria-hidden="true">Data</span>'
        f'<span class="hidden-text">Show data of {escape(tile.title)}</span></button>'
    )
    return (
        f'<article class="tile tile-{tile.type} w{width}" id="{identifier}" aria-labelledby="{identifier}-title">'
        f'<header><div><h3 id="{identifier}-title">{escape(tile.title)}{unit}</h3>{text}</div>{button}</header>'
        f'<div class="body" id="{identifier}-body"></div><p class="note" hidden></p></article>'
    )


def _footer(tiles: Sequence[DrawnTile], provenance: Provenance) -> str:
    rows = "".join(
        f"<tr><td>{escape(drawn.tile.title)}</td><td>{drawn.rows:,}</td></tr>" for drawn in tiles if drawn.spec
    )
    sources = "".join(
        f"<tr><td>{escape(key)}</td><td>{_time(moment) if moment else 'not recorded'}</td></tr>"
        for key, moment in provenance.sources
    )
    return (
        f"<p>Materialised {_time(provenance.materialized)} by run {escape(provenance.run_id[:8])} "
        f"from {escape(provenance.warehouse)}.</p>"
        '<details><summary>Sources and rows</summary><div class="sources">'
        "<table><thead><tr><th>Source</th><th>Last materialised</th></tr></thead>"
        f"<tbody>{sources}</tbody></table>"
        f"<table><thead><tr><th>Tile</th><th>Rows</th></tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def _time(moment: datetime) -> str:
    """A moment in UTC; the page adds how long ago that is."""
    return f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}">{moment.day} {moment:%b %Y, %H:%M} UTC</time>'
