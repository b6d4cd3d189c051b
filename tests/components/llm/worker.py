"""Runs model calls in processes of their own: ones that are killed, and ones that share a limit.

Usage: python -m tests.components.llm.worker killed|shared URL FOLDER
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from components.llm.providers.compatible import Provider
from tests.components.llm.desk import Desk, requests
from tests.fakes.models import FakeModels

PROMPTS = [f"ticket {number}" for number in range(60)]
KILLS = 24
TEXTS = 640


def answer_all(desk: Desk) -> None:
    """Ask everything, two calls at a time."""
    with desk.calls(desk.settings("openai_compatible", concurrency=2)) as calls:
        faults = [reply.fault for reply in calls.complete(requests(*PROMPTS))]
    assert faults == [None] * len(PROMPTS)


def embed_all(desk: Desk, part: int) -> None:
    """Embed texts of our own within the limit that both parts share."""
    settings = desk.settings(
        "openai_compatible", name="e", requests_per_minute=1200, tokens_per_minute=2_000_000, batch_size=16
    )
    with desk.calls(settings, f"run-{part}") as calls:
        calls.embed([f"part {part} text {number}" for number in range(TEXTS)])


def child(work: object, *arguments: object) -> int:
    """Start a process that does the work and ends."""
    process = os.fork()
    if process == 0:
        try:
            work(*arguments)  # type: ignore[operator]
        except BaseException:
            os._exit(1)
        os._exit(0)
    return process


def main(mode: str, url: str, folder: str) -> None:
    """Do what the mode says; ends with 1 where a process that was not killed failed."""
    desk = Desk(FakeModels(url=url), Path(folder))
    Provider(desk.settings("openai_compatible"), "x").client  # noqa: B018 - imports the SDK once, for every child
    if mode == "shared":
        children = [child(embed_all, desk, part) for part in range(2)]
    else:
        chance = random.Random(7)
        for _ in range(KILLS):
            process = child(answer_all, desk)
            time.sleep(chance.uniform(0.0, 0.12))
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        children = [child(answer_all, desk)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in children]
    sys.exit(max(codes))


if __name__ == "__main__":
    main(*sys.argv[1:])
