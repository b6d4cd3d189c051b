"""The styles in which vendors page, from the server's side: strict about parameters, as vendors are."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

Records = list[dict[str, Any]]


class Wrong(Exception):
    """A request that the vendor would refuse with status 400."""


@dataclass
class Page:
    """One page.

    Args:
        records: Its records.
        more: What the answer says beside them, by dotted path.
        headers: Headers of the answer.
    """

    records: Records
    more: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200


@dataclass
class Style:
    """Base: a page size, whose parameter has to say so.

    Args:
        size: Records a page.
        size_param: Parameter that says so, or empty.
    """

    size: int = 100
    size_param: str = ""

    def names(self) -> set[str]:
        """Parameters that this style knows."""
        return {self.size_param} - {""}

    def check_size(self, query: dict[str, str]) -> None:
        if self.size_param and query.get(self.size_param) != str(self.size):
            raise Wrong(f"{self.size_param} is {query.get(self.size_param)!r}, expected {self.size}")

    def page(self, query: dict[str, str], records: Records, url: str) -> Page:
        """The page that is asked for."""
        raise Wrong(f"{type(self).__name__} has no pages")


@dataclass
class Single(Style):
    """Everything at once."""

    size: int = 10_000

    def page(self, query: dict[str, str], records: Records, url: str) -> Page:
        return Page(records)


@dataclass
class AfterId(Style):
    """The id of the last record, as Stripe's starting_after."""

    param: str = "starting_after"
    key: str = "id"
    more: str = "has_more"

    def names(self) -> set[str]:
        return super().names() | {self.param}

    def page(self, query: dict[str, str], records: Records, url: str) -> Page:
        self.check_size(query)
        start = 0
        if after := query.get(self.param):
            found = [place for place, record in enumerate(records) if str(record[self.key]) == after]
            if not found:
                raise Wrong(f"{self.param}: no record {after!r}")
            start = found[0] + 1
        shown = records[start : start + self.size]
        return Page(shown, {self.more: start + self.size < len(records)} if self.more else {})


@dataclass
class Cursor(Style):
    """An opaque cursor in the answer.

    Args:
        param: Parameter that takes it.
        path: Where the answer gives it.
        end: What it is on the last page; "absent" where the key is left out.
        more: Where the answer says that there is more, if it does.
        last: Where it says that this is the last page, if it does.
        alone: Whether a request with a cursor has no other parameters.
        always: Whether even the last page has a cursor.
    """

    param: str = "cursor"
    path: str = "next_cursor"
    end: Any = "absent"
    more: str = ""
    last: str = ""
    always: bool = False

    def names(self) -> set[str]:
        return super().names() | {self.param}

    def page(self, query: dict[str, str], records: Records, url: str) -> Page:
        self.check_size(query)
        given = query.get(self.param)
        if given is not None and not given.startswith("opaque/"):
            raise Wrong(f"{self.param}: {given!r} is no cursor")
        start = int(given.removeprefix("opaque/").rstrip("=")) if given else 0
        there_is_more = start + self.size < len(records)
        said: dict[str, Any] = {}
        if there_is_more or self.always:
            said[self.path] = f"opaque/{start + self.size}=="
        elif self.end != "absent":
            said[self.path] = self.end
        said |= {self.more: there_is_more} if self.more else {}
        said |= {self.last: not there_is_more} if self.last else {}
        return Page(records[start : start + self.size], said)


@dataclass
class Offset(Style):
    """A number of records to pass over."""

    param: str = "offset"
    more: str = ""
    total: str = ""

    def names(self) -> set[str]:
        return super().names() | {self.param}

    def page(self, query: dict[str, str], records: Records, url: str) -> Page:
        self.check_size(query)
        start = int(query.get(self.param) or 0)
        if start % self.size:
            raise Wrong(f"{self.param}: {start} is no multiple of {self.size}")
        said: dict[str, Any] = {self.more: start + self.size < len(records)} if self.more else {}
        said |= {self.total: len(records)} if self.total else {}
        return Page(records[start : start + self.size], said)


@dataclass
class Number(Style):
    """A page number.

    Args:
        param: Its parameter.
        first: The first page, 0 or 1.
        pages: Where the answer says how many pages there are, if it does.
        last: Where it says that this is the last page, if it does.
        empty_status: Status of an empty page: 204 has no body.
    """

    param: str = "page"
    first: int = 1
    pages: str = ""
    last: str = ""
    more: str = ""
    empty_status: int = 200

    def names(self) -> set[str]:
        return super().names() | {self.param}

    def page(self, query: dict[str, str], records: Records, url: str) -> Page:
        self.check_size(query)
        number = int(query.get(self.param) or self.first) - self.first
        if number < 0:
            raise Wrong(f"{self.param}: pages begin with {self.first}")
        count = -(-len(records) // self.size)
        said: dict[str, Any] = {self.pages: count} if self.pages else {}
        said |= {self.last: number + 1 >= count} if self.last else {}
        said |= {self.more: number + 1 < count} if self.more else {}
        shown = records[number * self.size : (number + 1) * self.size]
        return Page(shown, said, status=200 if shown else self.empty_status)


@dataclass
class Link(Style):
    """The URL of the next page, in a header or in the answer; it is used as it is.

    Args:
        path: Where the answer gives it; empty for the Link header.
        end: What it is on the last page; "absent" where the key is left out.
        relative: Whether it begins with the path.
        forever: Whether there is always one, as Sentry's, with an empty page behind the last.
        keeps: Whether it repeats the other parameters.
        more: Where the answer says that there is more, if it does.
        last: Where it says that this is the last page, if it does.
        in_path: Whether the next page is a path of its own, as Salesforce's.
    """

    path: str = ""
    end: Any = "absent"
    relative: bool = False
    forever: bool = False
    keeps: bool = True
    more: str = ""
    last: str = ""
    param: str = "page_info"
    in_path: bool = False

    def names(self) -> set[str]:
        return super().names() | {self.param}

    def page(self, query: dict[str, str], records: Records, url: str) -> Page:
        given = query.get(self.param)
        if given is None:
            self.check_size(query)
        elif not given.startswith("o-"):
            raise Wrong(f"{self.param}: {given!r} was never given")
        start = int(given[2:]) if given else 0
        there_is_more = start + self.size < len(records)
        kept = {name: value for name, value in query.items() if self.keeps and name != self.param}
        base = "/" + url.split("/", 3)[3] if self.relative else url
        following = f"o-{start + self.size}"
        target = f"{base}/{following}" if self.in_path else f"{base}?{urlencode({**kept, self.param: following})}"
        shown, said, headers = records[start : start + self.size], dict[str, Any](), dict[str, str]()
        if there_is_more or self.forever:
            if self.path:
                said[self.path] = target
            else:
                headers["Link"] = f'<{url}>; rel="previous", <{target}>; rel="next"'
        elif self.path and self.end != "absent":
            said[self.path] = self.end
        said |= {self.more: there_is_more} if self.more else {}
        said |= {self.last: not there_is_more} if self.last else {}
        return Page(shown, said, headers)
