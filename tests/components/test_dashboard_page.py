"""The page of a dashboard: values arrive as they are, no text breaks out, nothing comes from elsewhere."""

import base64
import hashlib
import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from components.bi.attributes import Tile
from components.bi.page import DrawnTile, Provenance, render_page
from components.bi.tiles import plan
from components.bi.values import script_json, to_dataset
from tests.components.dashboard_page import Page
from tests.components.dashboard_sample import (
    create_sales,
    every_tile,
    materialize,
    page,
)
from tests.components.warehouse.project import Project, project

__all__ = ["project"]

BI = Path(__file__).parents[2] / "components/bi"


def rendered(title: str = "T", tile_title: str = "Tile", rows: list[tuple[Any, ...]] | None = None) -> str:
    tile = Tile(title=tile_title, type="table", sql="select 1", description=tile_title)
    dataset = to_dataset(["a"], rows or [("x",)])
    spec = plan(tile, dataset, []).page_spec("tile-1", dataset, 0)
    provenance = Provenance(datetime(2024, 5, 1, tzinfo=UTC), "0123456789", "DuckDB", [(title, None)])
    drawn = [DrawnTile(tile, spec, len(dataset.rows))]
    return render_page(title, title, [], drawn, [{"columns": ["a"], "rows": dataset.rows}], provenance)


def test_values_reach_the_page_as_what_they_are() -> None:
    columns = ["i", "d", "n", "b", "day", "at", "zoned", "t", "odd", "big", "mixed", "none"]
    zone = timezone(timedelta(hours=-5))
    rows = [
        (1, Decimal("2.50"), 0.1 + 0.2, True, date(2024, 2, 29), datetime(2024, 2, 29, 13, 5),
         datetime(2024, 2, 29, 20, 5, tzinfo=zone), "<b>", b"x", 2**63, 1, None),
        (None, Decimal("NaN"), float("inf"), None, None, None, None, None, None, None, "a", None),
    ]  # fmt: skip
    dataset = to_dataset(columns, rows)
    assert dataset.rows == [
        [
            1,
            2.5,
            0.3,
            True,
            "2024-02-29",
            "2024-02-29T13:05:00",
            "2024-03-01T01:05:00",
            "<b>",
            "b'x'",
            str(2**63),
            "1",
            None,
        ],
        [None, None, None, None, None, None, None, None, None, None, "a", None],
    ]
    assert list(dataset.kinds.values()) == [
        "number", "number", "number", "boolean", "date", "datetime", "datetime", "text", "text", "text", "text", "empty"
    ]  # fmt: skip


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)))
def test_json_in_a_script_is_read_back_and_never_ends_the_script(value: Any) -> None:
    text = script_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)


HOSTILE = st.sampled_from(
    [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "$title",
        "${data}",
        "\" onload='x'",
        "]]>",
        "&amp;",
        "{{ x }}",
    ]
)
# HTML itself has no way to write a null or a lone carriage return.
TEXT = HOSTILE | st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=60, deadline=None)
@given(title=TEXT, tile_title=TEXT, value=TEXT)
def test_no_text_can_change_the_structure_of_the_page(title: str, tile_title: str, value: str) -> None:
    plain, hostile = Page(rendered()), Page(rendered(title, tile_title, [(value,)]))
    assert hostile.tags == plain.tags
    assert hostile.texts["h1"] == [title]
    assert hostile.texts["title"] == [title]
    assert hostile.texts["h3"] == [tile_title]
    assert hostile.data["datasets"] == [{"columns": ["a"], "rows": [[value]]}]
    assert hostile.data["tiles"][0]["title"] == tile_title


def test_the_page_reaches_no_network_and_runs_only_its_own_scripts(project: Project) -> None:
    create_sales(project)
    materialize(project, every_tile())
    seen = Page(page(project))
    assert [link for link in seen.links if not link.startswith(("data:", "#"))] == []
    allowed = re.search(r"script-src ([^;]*)", seen.policy)
    assert allowed
    digests = [
        f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'"
        for given_attributes, body in seen.scripts
        if "type" not in given_attributes
    ]
    assert allowed.group(1).split() == digests
    assert "default-src 'none'" in seen.policy
    assert "sourceMappingURL" not in page(project)


def test_the_vendored_library_is_the_file_its_notes_name() -> None:
    notes = (BI / "static/chart.LICENSE.md").read_text(encoding="utf-8")
    library = (BI / "static/chart.umd.min.js").read_bytes()
    assert hashlib.sha256(library).hexdigest() in notes
    assert re.search(r"\| (4\.\d+\.\d+) \|", notes).group(1) in library.decode()[:200]  # type: ignore[union-attr]


def test_no_file_of_the_component_holds_a_template_mark() -> None:
    marks = [opening + mark for opening, mark in ("[=", "[%", "[#", "#%")]
    files = [file for file in BI.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert len(files) > 15
    assert [(file.name, mark) for file in files for mark in marks if mark in file.read_text(encoding="utf-8")] == []


def test_what_is_inlined_cannot_end_its_element() -> None:
    for file in (BI / "static").glob("*.js"):
        assert not re.search(r"</script|<!--", file.read_text(encoding="utf-8"), re.IGNORECASE), file.name
    assert "</style" not in (BI / "static/page.css").read_text(encoding="utf-8").lower()
