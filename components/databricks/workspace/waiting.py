"""Waiting between two looks at something in a workspace."""

import time

POLL_SECONDS = 5.0


def pause() -> None:
    """Wait until the next look."""
    time.sleep(POLL_SECONDS)
