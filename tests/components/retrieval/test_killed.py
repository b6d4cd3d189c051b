"""An index run that is killed at any moment: the next run ends where an undisturbed one would have."""

import os
import random
import signal
import time
from multiprocessing import get_context
from pathlib import Path

import pytest

from components.retrieval.search import open_index
from tests.components.retrieval.library import KEY, Library, page

pytestmark = pytest.mark.slot("ai", "upsert", "embedded")
KILLS = 24


def changed(library: Library, moment: int) -> None:
    """Other documents, some gone, some new, and now and then another way of cutting."""
    chance = random.Random(moment)
    for at in range(60):
        name = f"{at:04d}.md"
        if chance.random() < 0.3:
            library.write(name, page(f"thing {at}", "More. " * chance.randrange(200)))
        elif chance.random() < 0.1:
            (library.root / "documents" / name).unlink(missing_ok=True)
    library.configure(chunking={"size": 300 + 100 * (moment // 8), "overlap": 50})


def run_and_kill(library: Library, after_seconds: float) -> bool:
    """One run in a process of its own, killed; whether it was still at work."""
    child = os.fork()
    if child == 0:
        try:
            library.materialize()
        finally:
            os._exit(0)
    time.sleep(after_seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def undisturbed(documents: Path, library: Library, root: Path) -> list[tuple[object, ...]]:
    """The index that one run over the same documents makes."""
    other = Library(root)
    (root / "documents").symlink_to(documents)
    other.component = library.component
    other.materialize()
    return other.content()


def test_an_index_run_that_is_killed_at_any_moment_loses_and_doubles_nothing(
    library: Library, tmp_path_factory: pytest.TempPathFactory
) -> None:
    library.fill(60)
    library.materialize()
    killed = moment = 0
    while killed < KILLS:  # a run that was faster than its end does not count
        changed(library, moment)
        killed += run_and_kill(library, 0.004 * (moment % 12) + 0.002)
        if moment % 6 == 5:
            library.materialize()
            expected = undisturbed(library.root / "documents", library, tmp_path_factory.mktemp("undisturbed"))
            assert library.content() == expected
            again = library.materialize()
            assert (again["chunks_written"], again["chunks_deleted"]) == (0, 0)
        moment += 1
    assert moment >= KILLS


def read_for(seconds: float, root: Path) -> None:
    """Search and read the index again and again; raises where it is not whole."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with open_index(root, KEY) as index:
            found = {record.document for record in index.scan()}
            assert len(found) == 10, found
            assert index.search("the violin", 1)[0].record.document == "docs/0003.md"


def test_a_reader_finds_a_whole_index_while_runs_are_killed(library: Library) -> None:
    library.materialize()
    reader = get_context("fork").Process(target=read_for, args=(1.0, library.root))
    reader.start()
    moment = 0
    while reader.is_alive():
        library.configure(chunking={"size": 300 + 10 * (moment % 7), "overlap": 20})
        run_and_kill(library, 0.01 * (moment % 9))
        library.materialize()
        moment += 1
    reader.join()
    assert (reader.exitcode, moment > 1) == (0, True)
