"""What a connector's YAML says about how an API lets us in and how it pages."""

from typing import Annotated, Literal

import dagster as dg
from pydantic import Field, model_validator

from ...base import StrictModel

AuthKind = Literal["bearer", "api_key", "http_basic", "oauth2"]
PagingKind = Literal["single_page", "json_link", "header_link", "cursor", "offset", "page_number"]
_NEEDED_BY_AUTH: dict[str, tuple[str, ...]] = {
    "bearer": ("token",),
    "api_key": ("name", "api_key"),
    "http_basic": ("username",),
    "oauth2": ("token_url", "grant"),
}
_NEEDED_BY_PAGING: dict[str, tuple[str, ...]] = {
    "json_link": ("next_url_path",),
    "cursor": ("cursor_path",),
    "offset": ("limit",),
}
_PAGING_KEYS: dict[str, set[str]] = {
    "single_page": set(),
    "json_link": {"next_url_path"},
    "header_link": {"links_next_key"},
    "cursor": {"cursor_path", "cursor_param", "cursor_body_path", "has_more_path"},
    "offset": {
        *("limit", "offset", "offset_param", "limit_param", "total_path", "has_more_path"),
        *("offset_body_path", "limit_body_path"),
    },
    "page_number": {"base_page", "page_param", "total_path", "has_more_path", "page_body_path"},
}


class RestAuth(StrictModel):
    """How a request shows who we are. Secrets stand here by name, in braces."""

    type: Annotated[AuthKind, dg.Resolver.default(description="Kind of authentication.")]
    token: Annotated[str | None, dg.Resolver.default(description="bearer: the token.")] = None
    name: Annotated[str | None, dg.Resolver.default(description="api_key: the header or parameter.")] = None
    api_key: Annotated[str | None, dg.Resolver.default(description="api_key: what it says.")] = None
    location: Annotated[
        Literal["header", "query"] | None, dg.Resolver.default(description="api_key: where it goes; header by default.")
    ] = None
    username: Annotated[str | None, dg.Resolver.default(description="http_basic: the user.")] = None
    password: Annotated[str | None, dg.Resolver.default(description="http_basic: the password, or nothing.")] = None
    token_url: Annotated[str | None, dg.Resolver.default(description="oauth2: where an access token is had.")] = None
    grant: Annotated[
        dict[str, str],
        dg.Resolver.default(
            description="oauth2: the form that is sent there.", examples=[{"grant_type": "client_credentials"}]
        ),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> "RestAuth":
        if missing := [name for name in _NEEDED_BY_AUTH[self.type] if not getattr(self, name)]:
            raise ValueError(f"auth: type {self.type} needs {' and '.join(missing)}")
        return self


class RestPaginator(StrictModel):
    """How the next page is asked for: dlt's own words, and two ways to tell the last page."""

    type: Annotated[PagingKind, dg.Resolver.default(description="Kind of paging, by dlt's name.")]
    next_url_path: Annotated[str | None, dg.Resolver.default(description="json_link: where the next URL stands.")] = (
        None
    )
    links_next_key: Annotated[str | None, dg.Resolver.default(description="header_link: next by default.")] = None
    cursor_path: Annotated[str | None, dg.Resolver.default(description="cursor: where the next cursor stands.")] = None
    cursor_param: Annotated[str | None, dg.Resolver.default(description="cursor: parameter that takes it.")] = None
    cursor_body_path: Annotated[str | None, dg.Resolver.default(description="cursor: key of the body instead.")] = None
    limit: Annotated[int | None, dg.Resolver.default(description="offset: records a page.")] = None
    offset: Annotated[int | None, dg.Resolver.default(description="offset: the first one; 0 by default.")] = None
    offset_param: Annotated[str | None, dg.Resolver.default(description="offset: its parameter.")] = None
    limit_param: Annotated[str | None, dg.Resolver.default(description="offset: parameter of the limit.")] = None
    offset_body_path: Annotated[str | None, dg.Resolver.default(description="offset: key of the body instead.")] = None
    limit_body_path: Annotated[str | None, dg.Resolver.default(description="offset: key of the body instead.")] = None
    base_page: Annotated[int | None, dg.Resolver.default(description="page_number: the first page, 0 or 1.")] = None
    page_param: Annotated[str | None, dg.Resolver.default(description="page_number: its parameter.")] = None
    page_body_path: Annotated[str | None, dg.Resolver.default(description="page_number: key of the body instead.")] = (
        None
    )
    total_path: Annotated[str | None, dg.Resolver.default(description="Where the number of pages or rows stands.")] = (
        None
    )
    has_more_path: Annotated[str | None, dg.Resolver.default(description="Where it says that there is more.")] = None
    last_page_path: Annotated[
        str | None, dg.Resolver.default(description="Where it says that this is the last page; any kind of paging.")
    ] = None
    stop_after_empty_page: Annotated[
        bool, dg.Resolver.default(description="Whether an empty page is the last one; any kind of paging.")
    ] = False

    @model_validator(mode="after")
    def _check(self) -> "RestPaginator":
        own = {"type", "last_page_path", "stop_after_empty_page"}
        foreign = sorted(self.model_fields_set - own - _PAGING_KEYS[self.type])
        if foreign:
            takes = ", ".join(sorted(_PAGING_KEYS[self.type])) or "nothing else"
            raise ValueError(f"paginator: type {self.type} has no {', '.join(foreign)}; it takes {takes}")
        if missing := [name for name in _NEEDED_BY_PAGING.get(self.type, ()) if getattr(self, name) is None]:
            raise ValueError(f"paginator: type {self.type} needs {', '.join(missing)}")
        return self
