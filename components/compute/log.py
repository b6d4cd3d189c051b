"""The log of a job: its lines without secrets, passed on while it runs, the last ones kept."""

from collections import deque
from collections.abc import Callable, Iterable

_TAIL_LINES = 100
_LINE_LENGTH = 4_000


class JobLog:
    """Takes lines as they come.

    Args:
        log: Where redacted lines go.
        secrets: Values that may stand in no line.
    """

    def __init__(self, log: Callable[[str], None], secrets: Iterable[str]) -> None:
        self._log = log
        self._secrets = list(secrets)
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    def line(self, text: str) -> None:
        """Pass one line on."""
        clean = self.redacted(text.rstrip("\r\n"))
        if len(clean) > _LINE_LENGTH:
            clean = f"{clean[:_LINE_LENGTH]}… ({len(clean):,} characters)"
        self._tail.append(clean)
        self._log(clean)

    def redacted(self, text: str) -> str:
        """The text without secrets."""
        from ..secrets import redacted

        return redacted(text, self._secrets) if self._secrets else text

    @property
    def tail(self) -> str:
        """The last lines."""
        return "\n".join(self._tail)
