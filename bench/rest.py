"""A REST load of 100,000 rows from a server on this machine, against a source written by hand with dlt.

    uv run python bench/rest.py             # rows a CPU second of both, peak memory at two sizes; fails below 0.8

Each load is a process of its own, on DuckDB, with rows of twenty fields: merged by their key, and replaced.
"""

import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

ROWS = 100_000
PAGE = 1_000
RUNS = 2
WAYS = ("merge", "replace")
ALLOWED = 0.8
FLAT = 1.25


def page(start: int, total: int) -> bytes:
    """One page of records."""
    rows = [
        {"id": number, "updated_at": f"2024-01-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"}
        | {"address": {"city": "Lisbon", "zip": f"{number:05}"}, "tags": ["a", "b"]}
        | {f"field_{place}": f"value {number} of field {place}" for place in range(8)}
        | {f"number_{place}": number * place for place in range(8)}
        for number in range(start, min(start + PAGE, total))
    ]
    following = str(start + PAGE) if start + PAGE < total else None
    return json.dumps({"data": rows, "next": following}).encode()


class Server(BaseHTTPRequestHandler):
    """Gives pages that were made beforehand: what is measured is the client."""

    protocol_version = "HTTP/1.1"
    made: dict[tuple[int, int], bytes] = {}  # noqa: RUF012 - one for all requests

    def do_GET(self) -> None:
        """One page."""
        asked = parse_qs(urlsplit(self.path).query)
        total, start = int(asked["total"][0]), int(asked.get("cursor", ["0"])[0])
        body = self.made[total, start]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def by_hand(way: Any, base_url: str, total: int, folder: Path) -> None:
    """What somebody writes who knows dlt."""
    import dlt
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

    paginator = JSONResponseCursorPaginator(cursor_path="next", cursor_param="cursor")
    client = RESTClient(base_url=base_url, paginator=paginator)

    def rows() -> Any:
        yield from client.paginate("rows", params={"total": total}, data_selector="data")

    resource = dlt.resource(rows, name="rows", primary_key="id", write_disposition=way, max_table_nesting=0)
    if way == "merge":
        resource.apply_hints(incremental=dlt.sources.incremental("updated_at", initial_value="2000-01-01T00:00:00Z"))

    pipeline = dlt.pipeline(
        "by_hand",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(credentials=str(folder / "rows.duckdb")),
        dataset_name="bench",
    )
    pipeline.run(resource)


def by_component(way: str, base_url: str, total: int, folder: Path) -> None:
    """The same rows through the component's own loader."""
    from components.ingestion.rest.config import Filled, rest_config
    from components.ingestion.rest.format import Connector
    from components.ingestion.rest.loading import RestLoader
    from components.warehouse.engines.duckdb import LocalDuckDB

    rows: dict[str, Any] = {"name": "rows", "path": "rows", "description": "Rows.", "primary_key": ["id"]}
    rows |= {"write_disposition": way}
    rows |= {"cursor": "updated_at", "since": {"param": "since"}} if way == "merge" else {}
    described = {
        **{"title": "Bench", "docs": "https://example.com", "base_url": base_url, "data_selector": "data"},
        **{"params": {"total": total}, "resources": [rows]},
        "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"},
    }
    connector = Connector.model_validate(described)
    loader = RestLoader("bench", "bench", LocalDuckDB(folder), folder)
    config = rest_config(connector, ["rows"], Filled({}, {}), {}, None)
    loader.load_api(config, connector.resources, freeze=False)


def measured(what: str, way: str, base_url: str, total: int) -> tuple[float, float]:
    """CPU seconds of one load, imports aside, and its peak memory in MiB, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, what, way, base_url, str(total)], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)
    seconds, memory = done.stdout.split()[-2:]
    return float(seconds), float(memory)


def one_load(what: str, way: str, base_url: str, total: int) -> None:
    """Load, and print CPU seconds and peak memory."""
    import os

    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt.sources.rest_api  # noqa: F401 - both need it

    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        {"by_hand": by_hand, "by_component": by_component}[what](way, base_url, total, Path(folder))
        print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Measure and print.

    Raises:
        SystemExit: the component is slower than is allowed, or its memory grows with the rows.
    """
    sizes = (ROWS // 4, ROWS)
    Server.made = {(total, start): page(start, total) for total in sizes for start in range(0, total, PAGE)}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base_url = f"http://127.0.0.1:{server.server_address[1]}"
    enough = [is_enough(way, base_url, sizes) for way in WAYS]
    server.shutdown()
    if not all(enough):
        sys.exit(1)


def is_enough(way: str, base_url: str, sizes: tuple[int, int]) -> bool:
    """Measure one way to write, print the figures, and say whether they are what is allowed."""
    best: dict[str, float] = {}
    memory: dict[str, float] = {}
    for _ in range(RUNS):  # by turns, so that a busy machine is as unfair to the one as to the other
        for what in ("by_hand", "by_component"):
            seconds, memory[what] = measured(what, way, base_url, sizes[1])
            best[what] = min(best.get(what, seconds), seconds)
    small = {what: measured(what, way, base_url, sizes[0])[1] for what in memory}
    for what, seconds in best.items():
        told = f"{small[what]:.0f} MiB for {sizes[0]:,} rows, {memory[what]:.0f} MiB for {sizes[1]:,}"
        print(f"{way}, {what}: {sizes[1] / seconds:,.0f} rows a CPU second, {told}")
    share, growth = best["by_hand"] / best["by_component"], memory["by_component"] / small["by_component"]
    print(f"{way}: {share:.2f} of dlt's own rate (allowed from {ALLOWED}), {growth:.2f} times the memory (to {FLAT})")
    return share >= ALLOWED and growth <= FLAT


if __name__ == "__main__":
    if len(sys.argv) == 5:
        one_load(*sys.argv[1:4], int(sys.argv[4]))
    else:
        main()
