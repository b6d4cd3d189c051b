"""A connector as the declarative configuration of dlt's REST source."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from dlt.common.configuration.specs import configspec
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials
from dlt.sources.rest_api.config_setup import create_paginator

from ..files import SourceError
from .access import RestAuth
from .format import MARK, Connector, RestResource
from .pages import Pages
from .records import column_hints, not_before, once_each, preparer
from .session import guarded_session
from .times import as_moment, bound


@dataclass(frozen=True)
class Filled:
    """What a connector's marks stand for.

    Args:
        variables: Values of the variables.
        secrets: Values of the secrets by the connector's names for them.
    """

    variables: Mapping[str, str]
    secrets: Mapping[str, str]

    def __call__(self, value: Any, *, with_secrets: bool = False) -> Any:
        """A value with its marks filled in, wherever they are; raises SourceError where a variable is not known."""
        if isinstance(value, dict):
            return {key: self(part, with_secrets=with_secrets) for key, part in value.items()}
        if isinstance(value, list):
            return [self(part, with_secrets=with_secrets) for part in value]
        if not isinstance(value, str):
            return value
        known = {**self.variables, **(self.secrets if with_secrets else {})}
        if missing := [name for name in MARK.findall(value) if name not in known]:
            raise SourceError(f"variables: {missing[0]} has no value.")
        return MARK.sub(lambda found: known[found[1]], value)


@configspec
class TokenExchange(OAuth2ClientCredentials):
    """OAuth 2: whatever grant the connector describes, sent as a form, for an access token."""

    def build_access_token_request(self) -> dict[str, Any]:
        """The form; client id and secret go into the header where the connector gives them as the user."""
        basic = (self.client_id, self.client_secret) if self.client_id else None
        return {"data": dict(self.access_token_request_data), "auth": basic}


def rest_config(
    connector: Connector,
    resources: Collection[str],
    filled: Filled,
    progress: Mapping[str, Any],
    start: dt.datetime | None,
) -> dict[str, Any]:
    """What ``rest_api_source`` takes.

    Args:
        connector: The API.
        resources: Names of the resources that are wanted; their parents come along.
        filled: What the marks stand for.
        progress: For each resource the greatest cursor in the warehouse, or None.
        start: Where the first load begins, in UTC; None for everything there is.
    """
    base_url = filled(connector.base_url)
    hosts = {urlsplit(base_url).netloc}
    token_url = filled(connector.auth.token_url) if connector.auth and connector.auth.token_url else None
    if token_url:
        hosts.add(urlsplit(token_url).netloc)
    session = guarded_session(hosts, reads_by_post=bool(connector.reads_by_post), token_url=token_url)
    now = dt.datetime.now(dt.UTC)
    wanted = _with_parents(connector, set(resources))
    config: dict[str, Any] = {
        "client": {"base_url": base_url, "session": session, "headers": filled(connector.headers, with_secrets=True)},
        "resources": [
            _resource(connector, resource, filled, progress.get(resource.name), start, now)
            for resource in connector.resources
            if resource.name in wanted
        ],
    }
    if connector.auth:
        config["client"]["auth"] = _auth(connector.auth, filled, session)
    return config


def _with_parents(connector: Connector, names: set[str]) -> set[str]:
    by_name = {resource.name: resource for resource in connector.resources}
    parents = set().union(*(by_name[name].parents for name in names)) - names
    return _with_parents(connector, names | parents) if parents else names


def _resource(
    connector: Connector,
    resource: RestResource,
    filled: Filled,
    stored: Any,
    start: dt.datetime | None,
    now: dt.datetime,
) -> dict[str, Any]:
    selector = resource.data_selector or connector.data_selector
    params, body = {**connector.params, **resource.params}, dict(resource.body)
    params, body = filled(params), filled(body)
    moment = as_moment(stored, resource.cursor_format) if stored is not None else start
    if resource.since and moment:
        target = body if resource.method == "POST" else params
        _set(target, resource.since.param, bound(resource.since, moment, now))
    endpoint: dict[str, Any] = {
        "path": filled(resource.path),
        "method": resource.method,
        "params": params,
        "data_selector": selector,
        "paginator": _paginator(connector, resource, selector),
        "response_actions": [{"status_code": 204, "action": "ignore"}],  # an empty page of some vendors
    }
    if body:
        endpoint["json"] = body
    steps: list[dict[str, Any]] = [{"map": preparer(resource)}]
    if resource.write_disposition == "replace" and resource.primary_key:
        steps.append({"filter": once_each(resource)})
    if resource.cursor and not resource.since and stored is not None:
        steps.append({"filter": not_before(resource, _comparable(stored))})
    made = {
        "name": resource.name,
        "write_disposition": resource.write_disposition,
        "columns": column_hints(resource),
        "processing_steps": steps,
        "endpoint": endpoint,
    }
    if resource.primary_key:
        made["primary_key"] = list(resource.primary_key)
    if resource.include_from_parent:
        made["include_from_parent"] = resource.include_from_parent
    return made


def _comparable(stored: Any) -> Any:
    return stored.astimezone(dt.UTC) if isinstance(stored, dt.datetime) else stored


def _set(target: dict[str, Any], path: str, value: str) -> None:
    """Set a parameter, or a key of the body that may be inside others: dateRanges.0.startDate."""
    if path in target or "." not in path:
        target[path] = value
        return
    *way, last = path.split(".")
    place: Any = target
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    place[last] = value


def _paginator(connector: Connector, resource: RestResource, selector: str) -> Pages:
    paging = connector.paging(resource)
    ours = {"last_page_path", "stop_after_empty_page"}
    given = {key: getattr(paging, key) for key in paging.model_fields_set - ours}
    if paging.type in ("offset", "page_number"):
        # dlt would look for a total that most APIs do not have.
        given = {"total_path": None, **given}
        if not {"total_path", "has_more_path"} & paging.model_fields_set:
            given["stop_after_empty_page"] = True
    return Pages(
        create_paginator(given),  # type: ignore[arg-type]  # checked by our own format
        resource.name,
        selector,
        last_page_path=paging.last_page_path,
        stop_after_empty_page=paging.stop_after_empty_page,
        absent_when_empty=connector.absent_when_empty,
        refused_path=connector.refused_path,
    )


def _auth(auth: RestAuth, filled: Filled, session: Any) -> Any:
    def fill(text: str | None) -> str:
        return str(filled(text or "", with_secrets=True))

    match auth.type:
        case "bearer":
            return {"type": "bearer", "token": fill(auth.token)}
        case "api_key":
            location = auth.location or "header"
            return {"type": "api_key", "name": auth.name, "api_key": fill(auth.api_key), "location": location}
        case "http_basic":
            return {"type": "http_basic", "username": fill(auth.username), "password": fill(auth.password)}
        case _:
            return TokenExchange(
                access_token_url=fill(auth.token_url),
                client_id=fill(auth.username),
                client_secret=fill(auth.password),
                access_token_request_data=filled(auth.grant, with_secrets=True),
                session=session,
            )
