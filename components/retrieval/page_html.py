"""The search page: one HTML file with passages, search and report inside it, that reaches no network."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from .figures import Figures, chart
from .passages import SUFFIXES
from .stores.base import Record
from .words import STOP_WORDS

_STATIC = Path(__file__).parent / "static"
_OPENING = '<script type="application/json" id="data">'


@dataclass(frozen=True)
class Report:
    """What the page tells about its index.

    Args:
        size: Names and figures of the index.
        history: Figures of the evaluation's runs, the oldest first.
        accepted: The figures that were accepted last.
        costs: Asset, model, calls, tokens and US dollars.
    """

    size: Mapping[str, Any]
    history: Sequence[Figures]
    accepted: Mapping[str, float]
    costs: Sequence[tuple[str, str, int, int, float]]


def passage(record: Record) -> dict[str, str]:
    """A chunk as the page shows it."""
    names = ("document", "title", "heading", "url", "text", "flags")
    return {name: getattr(record, name) for name in names}


def render(title: str, description: str, how: str, footer: str, data: Mapping[str, Any], report: Report) -> str:
    """The page; ``data`` has the passages, and what a server needs to search the index itself."""
    script = (_STATIC / "search.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    words = {"stop": sorted(STOP_WORDS), "suffixes": SUFFIXES}
    return Template((_STATIC / "search.html").read_text("utf-8")).substitute(
        title=escape(title),
        description=escape(description),
        how=escape(how),
        style=(_STATIC / "search.css").read_text("utf-8"),
        script=script,
        script_hash=f"sha256-{digest}",
        size=_table([(name, _shown(value)) for name, value in report.size.items()]),
        quality=_quality(report),
        cost=_costs(report),
        footer=escape(footer),
        data=_inside({**words, **data}),
    )


def data_of(page: str) -> dict[str, Any]:
    """The data inside a page.

    Raises:
        ValueError: it is no such page.
    """
    _, found, rest = page.partition(_OPENING)
    if not found:
        raise ValueError("is no search page")
    parsed: dict[str, Any] = json.loads(rest.partition("</script>")[0])
    return parsed


def served(page: str) -> str:
    """The page for its server, which searches the index itself."""
    before, opening, rest = page.partition(_OPENING)
    _, closing, after = rest.partition("</script>")
    return f"{before}{opening}{_inside({**data_of(page), 'served': True})}{closing}{after}"


def _inside(value: Any) -> str:
    """JSON that no text in it can end."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")


def _quality(report: Report) -> str:
    if not report.history:
        return "<p>No evaluation has run yet.</p>"
    last = report.history[-1]
    image = chart(report.history, dict(report.accepted), ["recall", "mrr", "ndcg"]).partition("(")[2].removesuffix(")")
    rows = [
        (name, f"{value:.3f}", f"{last.baseline[name]:.3f}" if name in last.baseline else "")
        for name, value in last.values.items()
    ]
    return f'<p><img alt="Figures over time" src="{image}"></p>' + _table(rows, ("figure", "now", "BM25"))


def _costs(report: Report) -> str:
    if not report.costs:
        return "<p>Nothing was paid: no provider was called.</p>"
    rows = [
        (asset, name, f"{calls:,}", f"{tokens:,}", f"{usd:.4f}") for asset, name, calls, tokens, usd in report.costs
    ]
    return _table(rows, ("asset", "model", "calls", "tokens", "USD"))


def _table(rows: Sequence[Sequence[str]], head: Sequence[str] = ()) -> str:
    top = f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr>" if head else ""
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{top}{body}</table>"


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
