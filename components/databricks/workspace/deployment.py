"""Deploying a version of a model: beside the old one, tried, then instead of it, or back."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from ...compute.metadata import tag_value
from . import waiting
from .client import Workspace
from .errors import WorkspaceError

Log = Callable[[str], None]


@dataclass(frozen=True)
class Probe:
    """What a new version must answer.

    Args:
        records: What is asked; nothing is, when empty.
        rounds: How often.
        max_failures: Failed answers that are accepted.
        max_seconds: Longest that an answer may take.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    rounds: int = 1
    max_failures: int = 0
    max_seconds: float = 10.0


@dataclass(frozen=True)
class Deployment:
    """Which version goes to which endpoint, and how.

    Args:
        endpoint: Name of the endpoint.
        model: Full name of the model.
        alias: Alias of the version.
        size: Workload size.
        scale_to_zero: Whether it may sleep.
        percent: Share of the requests that a new version gets first.
        probe: What it must answer.
        limit_seconds: How long a change of the endpoint may take.
        tags: Who pays, and for what.
    """

    endpoint: str
    model: str
    alias: str
    size: str
    scale_to_zero: bool
    percent: int
    probe: Probe
    limit_seconds: float
    tags: dict[str, str]


def deploy(workspace: Workspace, wanted: Deployment, log: Log) -> dict[str, Any]:
    """Serve the version that the alias names; metadata of the endpoint.

    Raises:
        WorkspaceError: the workspace refuses, or the version failed and the one before it has all requests again.
    """
    version = _version(workspace, wanted)
    new = _entity(wanted, version)
    path = f"/api/2.0/serving-endpoints/{wanted.endpoint}"
    found = _endpoint(workspace, path)
    url = f"{workspace.host}/ml/endpoints/{wanted.endpoint}"
    told = {"version": version, "endpoint": dg.MetadataValue.url(url), "registered_model": wanted.model}
    if found is None:
        log(f"endpoint {wanted.endpoint}: created with version {version}")
        _create(workspace, wanted, new)
        try:
            _ready(workspace, path, wanted)
            _try(workspace, wanted, new["name"], log)
        except WorkspaceError as error:  # nobody asks it yet, and a second run must not find it in order
            workspace.do("deleting the endpoint", "DELETE", path)
            raise WorkspaceError(f"version {version} was taken back: {error}", transient=error.transient) from None
        return {**told, "change": "created"}
    _ready(workspace, path, wanted)  # a change that a killed run left is waited for
    served = ((_endpoint(workspace, path) or {}).get("config") or {}).get("served_entities") or []
    routes = ((found.get("config") or {}).get("traffic_config") or {}).get("routes") or []
    share = {each["served_model_name"]: each["traffic_percentage"] for each in routes}
    if share.get(new["name"]) == 100 and len(served) == 1 and _same(served[0], new):
        return {**told, "change": "none"}
    old = max(
        (each for each in served if each["name"] != new["name"]), key=lambda e: share.get(e["name"], 0), default=None
    )
    if old is None:  # the same version in another size
        _configure(workspace, path, wanted, {new["name"]: (new, 100)})
        return {**told, "change": "resized"}
    before = {old["name"]: (_input(old), 100)}
    try:
        log(f"version {version} is tried beside {old['name']} with {wanted.percent} percent of the requests")
        both = {old["name"]: (_input(old), 100 - wanted.percent), new["name"]: (new, wanted.percent)}
        _configure(workspace, path, wanted, both)
        _try(workspace, wanted, new["name"], log)
        _configure(workspace, path, wanted, {new["name"]: (new, 100)})
    except BaseException as error:
        log(f"version {version} is taken back: all requests go to {old['name']}")
        with suppress(WorkspaceError):
            _ready(workspace, path, wanted, failed_is_over=True)
            _configure(workspace, path, wanted, before)
        if isinstance(error, WorkspaceError):
            message = f"version {version} was rolled back to {old['name']}: {error}"
            raise WorkspaceError(message, transient=error.transient) from None
        raise
    return {**told, "change": "replaced", "version_before": str(old.get("entity_version"))}


def _version(workspace: Workspace, wanted: Deployment) -> str:
    what = f"looking for {wanted.model}@{wanted.alias}"
    found = workspace.call(what, lambda client: client.model_versions.get_by_alias(wanted.model, wanted.alias))
    return str(found.version)


def _entity(wanted: Deployment, version: str) -> dict[str, Any]:
    return {
        "name": f"{wanted.model.split('.')[-1]}-{version}",
        "entity_name": wanted.model,
        "entity_version": version,
        "workload_size": wanted.size,
        "scale_to_zero_enabled": wanted.scale_to_zero,
    }


def _input(served: dict[str, Any]) -> dict[str, Any]:
    """What is served, as it is asked for."""
    known = ("name", "entity_name", "entity_version", "workload_size", "scale_to_zero_enabled", "workload_type")
    return {key: served[key] for key in known if key in served}


def _same(served: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(served.get(key) == value for key, value in wanted.items())


def _endpoint(workspace: Workspace, path: str) -> dict[str, Any] | None:
    return workspace.found("looking at the endpoint", path)


def _create(workspace: Workspace, wanted: Deployment, entity: dict[str, Any]) -> None:
    body = {
        "name": wanted.endpoint,
        "config": {"served_entities": [entity], "traffic_config": _traffic({entity["name"]: (entity, 100)})},
        "tags": [{"key": key, "value": tag_value(value)} for key, value in wanted.tags.items()],
    }
    path = "/api/2.0/serving-endpoints"
    workspace.make("creating the endpoint", path, body, lambda: _endpoint(workspace, f"{path}/{wanted.endpoint}"))


def _configure(workspace: Workspace, path: str, wanted: Deployment, shares: dict[str, tuple[Any, int]]) -> None:
    """Change what is served, and wait until it is."""
    body = {"served_entities": [entity for entity, _ in shares.values()], "traffic_config": _traffic(shares)}
    workspace.do("changing the endpoint", "PUT", f"{path}/config", body=body)
    _ready(workspace, path, wanted)


def _traffic(shares: dict[str, tuple[Any, int]]) -> dict[str, Any]:
    routes = [{"served_model_name": name, "traffic_percentage": share} for name, (_, share) in shares.items()]
    return {"routes": routes}


def _ready(workspace: Workspace, path: str, wanted: Deployment, *, failed_is_over: bool = False) -> None:
    """Wait until the endpoint has no change under way."""
    deadline = time.monotonic() + wanted.limit_seconds
    while True:
        found = _endpoint(workspace, path) or {}
        state = found.get("state") or {}
        update = state.get("config_update")
        if update == "NOT_UPDATING" and state.get("ready") == "READY":
            return
        if update in ("UPDATE_FAILED", "UPDATE_CANCELED"):
            if failed_is_over:
                return
            raise WorkspaceError(f"the change of endpoint {wanted.endpoint} ended as {update}", transient=False)
        if time.monotonic() >= deadline:
            raise WorkspaceError(f"endpoint {wanted.endpoint} was not ready in time ({update})", transient=False)
        waiting.pause()


def _try(workspace: Workspace, wanted: Deployment, served: str, log: Log) -> None:
    """Ask a version the probes, whatever its share of the requests.

    Raises:
        WorkspaceError: too many answers failed or were late.
    """
    probe, failures, last = wanted.probe, 0, ""
    if not probe.records:
        return
    path = f"/serving-endpoints/{wanted.endpoint}/served-models/{served}/invocations"
    body = {"dataframe_records": probe.records}
    for _ in range(probe.rounds):
        began = time.monotonic()
        try:
            answer = workspace.do("asking the new version", "POST", path, body=body)
            took = time.monotonic() - began
            missing = len(answer.get("predictions") or []) != len(probe.records)
            last = "an answer has not one prediction a record" if missing else f"an answer took {took:.1f} s"
            failures += missing or took > probe.max_seconds
        except WorkspaceError as error:
            failures, last = failures + 1, str(error)
    log(f"{served}: {probe.rounds - failures} of {probe.rounds} probes answered")
    if failures > probe.max_failures:
        raise WorkspaceError(f"{failures} of {probe.rounds} probes failed: {last}", transient=False)
