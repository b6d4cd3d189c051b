"""Pages that end: dlt's paginators, with every way to go on for ever turned into a named failure."""

from hashlib import blake2b
from typing import Any

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from ..files import SourceError

MOST_EMPTY_PAGES = 1_000


class Pages(BasePaginator):
    """A paginator of dlt's that is watched.

    Args:
        inner: The paginator that knows how to ask for the next page.
        resource: Name of the resource, for messages.
        data_selector: Where the records stand in an answer, by keys joined with dots; ``$`` is the answer.
        last_page_path: Where an answer says that it is the last one.
        stop_after_empty_page: Whether an empty page is the last one.
        absent_when_empty: Whether an answer without records leaves out their place.
        refused_path: Where an answer with status 200 says false if it is a refusal.
    """

    def __init__(
        self,
        inner: BasePaginator,
        resource: str,
        data_selector: str,
        *,
        last_page_path: str | None = None,
        stop_after_empty_page: bool = False,
        absent_when_empty: bool = False,
        refused_path: str | None = None,
    ) -> None:
        super().__init__()
        self._inner, self._resource = inner, resource
        self._last_page_path, self._stop_after_empty = last_page_path, stop_after_empty_page
        self._place = data_selector.split("[")[0]  # of list[*].customer, the list
        self._must_be_there = data_selector != "$" and not absent_when_empty
        self._refused_path = refused_path
        self._last = False
        self._seen: set[bytes] = set()
        self._empty = 0
        self.count = 0

    @property
    def has_next_page(self) -> bool:
        """Whether there is a page after this one."""
        return not self._last and self._inner.has_next_page

    def init_request(self, request: Request) -> None:
        """Begin anew, for the records of another parent too."""
        self._last, self._seen, self._empty = False, set(), 0
        self._inner.init_request(request)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Take note of a page; raises SourceError where it is no page, or one that was there before."""
        answer = response.json() if self._reads_answer else None
        self.count += 1
        if self._refused_path and _at(answer, self._refused_path) is False:
            reason = answer.get("error") if isinstance(answer, dict) else None
            raise SourceError(f"resource {self._resource!r}: the answer is a refusal: {reason or 'no reason given'}.")
        if not data and self._must_be_there and not _has(answer, self._place):
            raise SourceError(f"resource {self._resource!r}: page {self.count} has no {self._place!r}.")
        self._watch(data)
        self._inner.update_state(response, data)
        if (self._stop_after_empty and not data) or (
            self._last_page_path and _at(answer, self._last_page_path) is True
        ):
            self._last = True

    def update_request(self, request: Request) -> None:
        """Ask for the next page; raises SourceError where that is a page that was asked for before."""
        if not self.has_next_page:
            return
        self._inner.update_request(request)
        self._once("asks for the same page again", repr((request.url, request.params, request.json)))

    @property
    def _reads_answer(self) -> bool:
        return bool(self._refused_path or self._last_page_path or self._must_be_there)

    def _watch(self, data: list[Any] | None) -> None:
        if not data:
            self._empty += 1
            if self._empty > MOST_EMPTY_PAGES:
                raise SourceError(f"resource {self._resource!r}: {MOST_EMPTY_PAGES:,} empty pages in a row.")
            return
        self._empty = 0
        self._once("repeats a page", repr((len(data), data[0], data[-1])))

    def _once(self, what: str, sign: str) -> None:
        digest = blake2b(sign.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if digest in self._seen:
            raise SourceError(
                f"resource {self._resource!r}: the API {what} (page {self.count}), so it would never end."
            )
        self._seen.add(digest)


def _at(answer: Any, path: str) -> Any:
    for key in path.split("."):
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer


def _has(answer: Any, path: str) -> bool:
    for key in path.split("."):
        if not isinstance(answer, dict) or key not in answer:
            return False
        answer = answer[key]
    return True
