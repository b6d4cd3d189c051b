"""An index of many chunks: its memory, its time, a second run with nothing changed, and searches.

    uv run python bench/retrieval.py 200000 1000000

Each size runs in a process of its own, so that its greatest memory is its own.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
CHUNKS_A_DOCUMENT = 20
DIMENSION = 384
STARTS = ("ba", "co", "du", "fe", "gi", "ho", "ju", "ka", "le", "mi")
WORDS = [f"{start}{end}" for start in STARTS for end in ("ron", "tal", "vex", "dim", "sol")]


def embed(texts: Sequence[str]) -> np.ndarray:
    """Vectors that follow from the texts; as good as any for a measurement."""
    seeds = np.array([hash(text) & 0xFFFFFFFF for text in texts], np.uint64)
    rows = np.cos(np.outer(seeds % 9973 + 1, np.arange(1, DIMENSION + 1))).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def documents(chunks: int) -> Iterator[object]:
    """Markdown documents of twenty sections, made as they are asked for."""
    from components.retrieval.sources.base import SourceDocument

    for number in range(chunks // CHUNKS_A_DOCUMENT):
        generator = np.random.default_rng(number)
        sections = [
            f"## Part {part}\n\n{' '.join(generator.choice(WORDS, 120))} {number}.{part}."
            for part in range(CHUNKS_A_DOCUMENT)
        ]
        data = "\n\n".join(sections).encode()
        yield SourceDocument(f"{number:07d}.md", "markdown", lambda data=data: data, len(data))


def measure(chunks: int) -> dict[str, object]:
    """One size, in this process."""
    sys.path.insert(0, str(ROOT))
    from components.retrieval.building import Recipe, bring_up_to_date
    from components.retrieval.chunking import Chunking
    from components.retrieval.indexing import Limits
    from components.retrieval.pointer import read_pointer
    from components.retrieval.stores.sqlite import SqliteStore

    recipe = Recipe({"name": "bench"}, {}, Chunking(), Limits(10_000_000))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)

        def run() -> float:
            before = time.perf_counter()
            with SqliteStore(root / "vectors.db") as store:
                bring_up_to_date(store, root, "bench", [("made", lambda: documents(chunks))], recipe, embed)
            return time.perf_counter() - before

        first = run()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        second = run()
        with SqliteStore(root / "vectors.db") as store:
            pointer = read_pointer(store, "bench")
            if pointer is None:
                sys.exit("the index was not finished")
            count = store.count(pointer.collection)
            times = []
            for at in range(6):
                before = time.perf_counter()
                store.query(pointer.collection, embed([f"question {at}"])[0], 10)
                times.append(time.perf_counter() - before)
    return {
        "chunks": count,
        "first_run_s": round(first, 1),
        "second_run_s": round(second, 1),
        "peak_memory_mb": round(peak),
        "first_search_ms": round(1000 * times[0]),
        "later_search_ms": round(1000 * min(times[1:])),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(int(sys.argv[2]))))
    else:
        for size in sys.argv[1:] or ["100000", "200000"]:
            subprocess.run([sys.executable, __file__, "--one", size], check=True)
