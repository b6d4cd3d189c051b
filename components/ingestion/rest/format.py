"""What a connector's YAML says about an API: how it lets us in, how it pages, and what its resources are."""

import re
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import Field, model_validator

from ...base import StrictModel
from ..attributes import NAME_PATTERN, LoadedTable
from .access import RestAuth, RestPaginator

TimeFormat = Literal["iso", "date", "unix", "unix_millis", "rfc2822"]
Method = Literal["GET", "POST"]

# Marks that are filled in: {shop} is a variable, {STRIPE_API_KEY} a secret, {resources.forms.id} is dlt's own.
MARK = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
NAMES_IN_CAPITALS = r"^[A-Z][A-Z0-9_]*$"


class RestSince(StrictModel):
    """How the API is asked for what is new since the last load."""

    param: Annotated[
        str,
        dg.Resolver.default(
            description="Parameter, or key of the body, that takes the bound.", examples=["updated_since"]
        ),
    ]
    format: Annotated[
        str,
        dg.Resolver.default(
            description="iso, date, unix, unix_millis, or a pattern of strftime.",
            examples=["iso", "%Y-%m-%d %H:%M"],
            json_schema_extra={"pattern": r"^(iso|date|unix|unix_millis|.*%[A-Za-z].*)$"},
        ),
    ] = "iso"
    value: Annotated[
        str,
        dg.Resolver.default(
            description="What is sent; {since} is the bound, {now} the moment of the load in the same format.",
            json_schema_extra={"pattern": r"\{since\}"},
        ),
    ] = "{since}"
    overlap_hours: Annotated[
        int,
        dg.Resolver.default(
            description="Hours that are read again, where the API rounds or takes times in a zone of its own.",
            json_schema_extra={"minimum": 0},
        ),
    ] = 0


class RestResource(LoadedTable):
    """One resource of an API, which becomes one table."""

    path: Annotated[
        str,
        dg.Resolver.default(
            description="Path below base_url; {resources.forms.id} reads it for every record of another resource.",
            examples=["customers"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ]
    method: Annotated[
        Method, dg.Resolver.default(description="GET; POST only where the connector says reads_by_post.")
    ] = "GET"
    params: Annotated[dict[str, Any], dg.Resolver.default(description="Parameters, over the connector's.")] = Field(
        default_factory=dict
    )
    body: Annotated[dict[str, Any], dg.Resolver.default(description="JSON body of a POST that reads.")] = Field(
        default_factory=dict
    )
    data_selector: Annotated[
        str | None, dg.Resolver.default(description="Where the records stand, over the connector's; $ is the answer.")
    ] = None
    paginator: Annotated[RestPaginator | None, dg.Resolver.default(description="Paging, over the connector's.")] = None
    cursor_format: Annotated[TimeFormat, dg.Resolver.default(description="How the cursor's times are written.")] = "iso"
    since: Annotated[
        RestSince | None,
        dg.Resolver.default(
            description="How new records are asked for; without it, old ones are read and passed over."
        ),
    ] = None
    unnest: Annotated[
        list[str],
        dg.Resolver.default(
            description="Objects of a record whose keys become columns name_key; other objects and lists stay JSON.",
            examples=[["fields"]],
        ),
    ] = Field(default_factory=list)
    include_from_parent: Annotated[
        list[str], dg.Resolver.default(description="Fields that records take over from the record they belong to.")
    ] = Field(default_factory=list)
    reshape: Annotated[
        Literal["report_rows"] | None,
        dg.Resolver.default(description="Code that makes records of what the API answers; see rest/records.py."),
    ] = None

    @model_validator(mode="after")
    def _check(self) -> "RestResource":
        place = f"resource {self.name!r}"
        if self.since and not self.cursor:
            raise ValueError(f"{place}: since needs cursor, the field that tells how far the table is")
        if self.write_disposition == "append":
            raise ValueError(f"{place}: write_disposition append would double records; use merge or replace")
        if self.body and self.method == "GET":
            raise ValueError(f"{place}: body needs method POST, and the connector's reads_by_post")
        return self

    @property
    def parents(self) -> set[str]:
        """The resources whose records this one is read for."""
        return set(re.findall(r"\{resources\.([a-z0-9_]+)\.", self.path))


class Connector(StrictModel):
    """One API: what is the same for all its resources, and the resources."""

    title: Annotated[str, dg.Resolver.default(description="Name of the service.", json_schema_extra={"pattern": r"\S"})]
    docs: Annotated[
        str, dg.Resolver.default(description="The API's reference.", json_schema_extra={"pattern": r"^https?://"})
    ]
    base_url: Annotated[
        str,
        dg.Resolver.default(
            description="What every path begins with; {name} is a variable.",
            examples=["https://{shop}.myshopify.com/admin/api/2025-01"],
            json_schema_extra={"pattern": r"^(https://|http://(127\.0\.0\.1|localhost)[:/])\S+$"},
        ),
    ]
    auth: Annotated[RestAuth | None, dg.Resolver.default(description="How requests are authenticated.")] = None
    headers: Annotated[dict[str, str], dg.Resolver.default(description="Headers of every request.")] = Field(
        default_factory=dict
    )
    secrets: Annotated[
        dict[str, str],
        dg.Resolver.default(
            description="Names of secrets, each with where it is had; in parentheses, no secret scan takes it for one.",
            examples=[{"STRIPE_API_KEY": "(restricted key, from Developers, API keys)"}],
        ),
    ] = Field(default_factory=dict)
    variables: Annotated[
        dict[str, str],
        dg.Resolver.default(description="What else must be known, with an example.", examples=[{"shop": "acme-store"}]),
    ] = Field(default_factory=dict)
    defaults: Annotated[dict[str, str], dg.Resolver.default(description="Variables that need not be given.")] = Field(
        default_factory=dict
    )
    rate_limit: Annotated[str | None, dg.Resolver.default(description="What the service allows.")] = None
    paginator: Annotated[
        RestPaginator | None, dg.Resolver.default(description="Paging of the resources that say nothing else.")
    ] = None
    params: Annotated[dict[str, Any], dg.Resolver.default(description="Parameters of every resource.")] = Field(
        default_factory=dict
    )
    data_selector: Annotated[
        str, dg.Resolver.default(description="Where records stand in an answer; $ is the answer itself.")
    ] = "$"
    absent_when_empty: Annotated[
        bool, dg.Resolver.default(description="Whether an answer without records leaves out the place of records.")
    ] = False
    refused_path: Annotated[
        str | None,
        dg.Resolver.default(description="Where an answer with status 200 says false if it is a refusal."),
    ] = None
    reads_by_post: Annotated[
        str | None,
        dg.Resolver.default(description="Why reading takes POST here; without it, only GET is sent."),
    ] = None
    resources: Annotated[list[RestResource], dg.Resolver.default(description="What can be loaded.")]

    @model_validator(mode="after")
    def _check(self) -> "Connector":
        names = [resource.name for resource in self.resources]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"resources: name {', '.join(map(repr, twice))} is there more than once")
        for resource in self.resources:
            self._check_resource(resource, names)
        self._check_marks()
        return self

    def _check_resource(self, resource: RestResource, names: list[str]) -> None:
        place = f"resource {resource.name!r}"
        if resource.method == "POST" and not self.reads_by_post:
            raise ValueError(
                f"{place}: method POST; only GET is sent, unless reads_by_post says why reading takes POST"
            )
        if unknown := sorted(resource.parents - set(names)):
            raise ValueError(f"{place}: path names resource {unknown[0]!r}; there are: {', '.join(names)}")
        if not (resource.paginator or self.paginator):
            raise ValueError(f"{place}: no paginator; if there is one page only, say type: single_page")

    def _check_marks(self) -> None:
        secret = _marks(self.auth.model_dump() if self.auth else {}) | _marks(self.headers)
        plain = _marks(
            [self.base_url, self.params, *(r.model_dump(include={"path", "params", "body"}) for r in self.resources)]
        )
        known = {*self.secrets, *self.variables, *self.defaults}
        if unknown := sorted((secret | plain) - known):
            raise ValueError(
                f"{{{unknown[0]}}} is neither in secrets nor in variables; there are: {', '.join(sorted(known))}"
            )
        if leaked := sorted(plain & set(self.secrets)):
            raise ValueError(f"{{{leaked[0]}}} is a secret; secrets stand in auth and headers only")
        if wrong := sorted(name for name in self.secrets if not re.match(NAMES_IN_CAPITALS, name)):
            raise ValueError(f"secrets: {wrong[0]!r} is not valid; names are written LIKE_THIS")
        if wrong := sorted(name for name in {*self.variables, *self.defaults} if not re.match(NAME_PATTERN, name)):
            raise ValueError(f"variables: {wrong[0]!r} is not valid; names are written like_this")

    def paging(self, resource: RestResource) -> RestPaginator:
        """The paging of a resource."""
        found = resource.paginator or self.paginator
        if found is None:
            raise ValueError(f"resource {resource.name!r}: no paginator")
        return found


def _marks(value: Any) -> set[str]:
    """The names that are to be filled in, anywhere in a value."""
    if isinstance(value, dict):
        return set().union(*(_marks(part) for part in value.values()))
    if isinstance(value, list):
        return set().union(*(_marks(part) for part in value))
    return set(MARK.findall(value)) if isinstance(value, str) else set()
