"""The ledger: killed processes, shared limits, and what is in it."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from components.llm import sqlite_file
from components.llm.errors import ModelCallError
from components.llm.governor import SHARE, Governor
from components.llm.ledger import Ledger
from components.llm.settings import Price
from tests.components.llm.desk import Desk, requests
from tests.components.llm.worker import PROMPTS, TEXTS
from tests.fakes.models import Limit, Trouble

ROOT = Path(__file__).parents[3]


def work(mode: str, desk: Desk) -> None:
    command = [sys.executable, "-m", "tests.components.llm.worker", mode, desk.models.url, str(desk.root)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)


@pytest.mark.slot("ai", "ledger/cost", "fake")
def test_processes_killed_at_many_moments_pay_for_no_answer_that_they_had(desk: Desk) -> None:
    desk.models.latency = 0.01
    work("killed", desk)
    assert set(desk.models.paid) == set(PROMPTS)
    again = sum(desk.models.paid.values()) - len(PROMPTS)
    states = desk.states()
    assert states["paid"] == len(PROMPTS), "each answer that came is there once"
    assert again <= states["open"] <= 60, "only calls under way at a kill, two at a time, may be sent again"
    assert desk.rows("SELECT count(*) FROM answers") == [(len(PROMPTS),)]


def test_two_processes_share_a_limit_without_being_refused(desk: Desk) -> None:
    desk.models.limit = Limit(requests_per_minute=1200, burst_seconds=1)
    started = time.monotonic()
    work("shared", desk)
    calls = 2 * TEXTS / 16
    assert desk.models.statuses == {200: calls}
    assert time.monotonic() - started > (calls - 6) / (1200 / 60), "the limit was in force"


def test_tokens_are_spread_over_the_minute(tmp_path: Path) -> None:
    now = [1000.0]
    governor = Governor(
        Ledger(tmp_path / "l.db"),
        "a",
        tokens_per_minute=60_000,
        now=lambda: now[0],
        sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
    )
    for _ in range(91):
        governor.wait(1_000)
    assert now[0] - 1000 == pytest.approx(90 / SHARE, rel=0.02)
    governor.correct(10_000)
    before = now[0]
    governor.wait(1_000)
    assert now[0] == before, "tokens that were given back are used"


def test_after_a_pause_calls_start_one_after_the_other(tmp_path: Path) -> None:
    now = [1000.0]
    governor = Governor(
        Ledger(tmp_path / "l.db"), "a", now=lambda: now[0], sleep=lambda s: now.__setitem__(0, now[0] + s)
    )
    governor.wait(1)
    assert now[0] == 1000
    governor.pause(7.0, 0)
    starts = []
    for _ in range(3):
        governor.wait(1)
        starts.append(round(now[0] - 1000, 3))
    assert starts == [7.0, 7.05, 7.1]


def test_a_text_is_embedded_once_whoever_asks(desk: Desk) -> None:
    settings = desk.settings("openai", name="text-embedding-3-small", batch_size=2)
    with desk.calls(settings) as calls:
        first = calls.embed(["a", "b", "c"])
    with desk.calls(settings, "run-2") as calls:
        second = calls.embed(["c", "d"])
    assert np.array_equal(first[2], second[0])
    assert dict(desk.models.paid) == {"a": 1, "b": 1, "c": 1, "d": 1}
    shorter = desk.settings("openai", name="text-embedding-3-small", dimensions=16)
    with desk.calls(shorter) as calls:
        assert calls.embed(["a"]).shape == (1, 16)


def test_batches_that_were_embedded_before_a_failure_are_kept(desk: Desk) -> None:
    settings = desk.settings("openai", name="text-embedding-3-small", batch_size=1, concurrency=1)
    desk.models.troubles = [Trouble("status", 401, skip=3, times=9)]
    texts = [f"text {number}" for number in range(8)]
    with desk.calls(settings) as calls, pytest.raises(ModelCallError, match="refuses the key"):
        calls.embed(texts)
    desk.models.troubles = []
    with desk.calls(settings) as calls:
        calls.embed(texts)
    assert set(desk.models.paid.values()) == {1}
    assert calls.usage.cached == 3


def test_each_call_is_priced_by_itself_and_counted_for_its_run_owner_and_model(desk: Desk) -> None:
    with desk.calls(
        desk.settings("anthropic", price=Price(input_usd_per_million=3, output_usd_per_million=15))
    ) as calls:
        list(calls.complete(requests("one", "two")))
    found = desk.rows("SELECT asset, owner, run_id, provider, name, kind, input_tokens, output_tokens, usd FROM calls")
    assert {row[:6] for row in found} == {
        ("ai/answers", "team:ai", "run-1", "anthropic", "claude-sonnet-5", "complete")
    }
    assert all(row[8] == pytest.approx((row[6] * 3 + row[7] * 15) / 1e6) for row in found)
    assert calls.metadata()["cost_usd"].value == pytest.approx(sum(row[8] for row in found), abs=1e-6)


def test_a_file_that_is_no_ledger_is_named(desk: Desk) -> None:
    file = desk.root / "data" / "model_calls.db"
    file.parent.mkdir()
    file.write_text("this is no database, but a text of some length" * 100)
    with pytest.raises(ModelCallError, match=r"model_calls\.db: cannot be used as the ledger"):
        desk.ask("openai", "hello")


class Busy:
    """A connection to a file that others make at the same time: SQLite says so at once, whatever its time-out."""

    def __init__(self, connection: sqlite3.Connection, times: int) -> None:
        self._connection, self._times = connection, times

    def execute(self, statement: str) -> sqlite3.Cursor:
        if "journal_mode" in statement and self._times:
            self._times -= 1
            raise sqlite3.OperationalError("database is locked")
        return self._connection.execute(statement)


def test_a_file_that_others_make_at_the_same_time_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = sqlite3.connect(tmp_path / "data.db", isolation_level=None)
    sqlite_file.share(Busy(connection, 3))
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    monkeypatch.setattr(sqlite_file, "WAIT_SECONDS", 0.05)
    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        sqlite_file.share(Busy(connection, 99))


def test_a_ledger_of_a_later_version_is_left_alone(desk: Desk) -> None:
    desk.ask("openai", "hello")
    with sqlite3.connect(desk.root / "data" / "model_calls.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(ModelCallError, match="it is of version 99; this project knows version 1"):
        desk.ask("openai", "hello")
