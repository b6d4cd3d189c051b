"""Embedding 10,000 chunks within a provider's limit, side by side with loops that nobody governs.

    uv run python bench/model_calls.py [chunks]

The provider is local, takes 100 ms for an answer and allows 1,200 requests a minute. Exits with 1 below 0.8 of what
the limit allows, below five times the naive loop, or where two runs at once are refused.
"""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tests.components.llm.desk import Desk  # noqa: E402 the path comes first
from tests.fakes.models import FakeModels, Limit, model_server  # noqa: E402
from tests.fakes.models.server import KEY  # noqa: E402

LATENCY_SECONDS, REQUESTS_A_MINUTE, BATCH, NAIVE_CHUNKS = 0.1, 1200, 64, 120


def ours(desk: Desk, texts: list[str], run: str) -> None:
    """The library: batches, threads, one bucket for everybody."""
    settings = desk.settings(
        "openai", name="text-embedding-3-small", requests_per_minute=REQUESTS_A_MINUTE, batch_size=BATCH
    )
    with desk.calls(settings, run) as calls:
        calls.embed(texts)


def naive(url: str, texts: list[str], batch: int) -> None:
    """A loop over the SDK that waits when it is told to."""
    import openai

    client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
    for first in range(0, len(texts), batch):
        while True:
            try:
                client.embeddings.create(model="text-embedding-3-small", input=texts[first : first + batch])
                break
            except openai.RateLimitError as error:
                time.sleep(float(error.response.headers["retry-after"]))


def rate(texts: list[str], work: Callable[[], None]) -> float:
    """Chunks a second."""
    start = time.perf_counter()
    work()
    return len(texts) / (time.perf_counter() - start)


def at_once(desk: Desk, texts: list[str]) -> None:
    """Two runs, each with half of the texts."""
    halves = [threading.Thread(target=ours, args=(desk, texts[part::2], f"run-{part}")) for part in range(2)]
    for half in halves:
        half.start()
    for half in halves:
        half.join()


def fresh(server: FakeModels) -> Desk:
    """An empty ledger, and a full bucket at the provider."""
    server.limit = Limit(requests_per_minute=REQUESTS_A_MINUTE)
    server.seen.clear()
    return Desk(server, Path(tempfile.mkdtemp()))


def main(count: int) -> int:
    """Measure, print, and say whether it is good enough."""
    os.environ["OPENAI_API_KEY"] = KEY
    texts = [f"chunk {number} of a document about warehouses, models and the weather" for number in range(count)]
    allowed = REQUESTS_A_MINUTE / 60 * BATCH
    with model_server(latency=LATENCY_SECONDS) as server:
        ours(fresh(server), texts[:1], "run-0")  # imports the SDK and the price table
        desk = fresh(server)
        governed = rate(texts, lambda: ours(desk, texts, "run-1"))
        refused = server.statuses[429]
        fresh(server)
        looped = rate(texts[:NAIVE_CHUNKS], lambda: naive(server.url, texts[:NAIVE_CHUNKS], 1))
        fresh(server)
        batched = rate(texts, lambda: naive(server.url, texts, BATCH))
        desk = fresh(server)
        together = rate(texts, lambda: at_once(desk, texts))
        refused_together = server.statuses[429]
    print(f"{count:,} chunks; {LATENCY_SECONDS * 1000:.0f} ms an answer, {REQUESTS_A_MINUTE:,} requests a minute")
    print(f"the limit allows    {allowed:8.0f} chunks a second, {BATCH} in a request")
    print(f"governed            {governed:8.0f}   {governed / allowed:.2f} of the limit, {refused} refused")
    print(f"two runs at once    {together:8.0f}   {together / allowed:.2f} of the limit, {refused_together} refused")
    print(f"loop, one a call    {looped:8.0f}   governed is {governed / looped:.0f} times as fast")
    print(f"loop, {BATCH} a call     {batched:8.0f}   governed is {governed / batched:.1f} times as fast")
    good = governed >= 0.8 * allowed and governed >= 5 * looped and refused_together == 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
