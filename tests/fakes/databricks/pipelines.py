"""Declarative pipelines: their updates go through their states as they are looked at, and leave events."""

import datetime as dt
import itertools
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

from databricks.sdk.service import pipelines as api

from tests.fakes.databricks.wire import Ask, Refused, checked, page, route, shaped

_ON_THE_WAY = ("QUEUED", "INITIALIZING", "SETTING_UP_TABLES", "RUNNING")


@dataclass
class Made:
    """What an update reports of one data set."""

    rows: int | None = 0
    expectations: dict[str, tuple[int, int]] = field(default_factory=dict)
    error: str | None = None


@dataclass
class Script:
    """How the next update goes.

    Args:
        datasets: What it makes, by name.
        ends: State in which it ends.
        looks: How many looks it takes; infinity for ever.
        cause: What it was started by, as the service says.
        followed_by: Cause of an update that the service starts when this one has ended.
        says: Message of its last event.
    """

    datasets: dict[str, Made] = field(default_factory=dict)
    ends: str = "COMPLETED"
    looks: float = 4
    cause: str = "API_CALL"
    followed_by: str | None = None
    says: str = ""


class Pipelines:
    """Pipelines, updates and events.

    Attributes:
        scripts: How the next updates go, in order; the last one goes on being used.
        with_details: Whether events of the API carry their details; those of ``event_log`` always do.
    """

    def __init__(self, workspace: Any) -> None:
        self._workspace = workspace
        self.pipelines: dict[str, dict[str, Any]] = {}
        self.updates: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.scripts = [Script()]
        self.with_details = True
        self.stopped: list[str] = []
        self.page_size = 3
        self._numbers = itertools.count(1)

    @route("POST", "pipelines")
    def create(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.PipelinesAPI.create, ask.body)
        self._check(body)
        if any(body.get("name") == each["name"] for each in self.pipelines.values()):
            raise Refused(409, "RESOURCE_CONFLICT", f"The pipeline name '{body['name']}' is already used")
        identity = f"pipe-{next(self._numbers)}"
        self.pipelines[identity] = body
        return {"pipeline_id": identity}

    @route("PUT", "pipelines/{pipeline}")
    def edit(self, ask: Ask) -> dict[str, Any]:
        self._pipeline(ask["pipeline"])
        body = checked(api.PipelinesAPI.update, ask.body)
        self._check(body)
        self.pipelines[ask["pipeline"]] = {key: value for key, value in body.items() if key != "pipeline_id"}
        return {}

    @route("GET", "pipelines")
    def list_all(self, ask: Ask) -> dict[str, Any]:
        wanted = ask.query.get("filter", "").removeprefix("name LIKE ").strip("'").replace("''", "'")
        found = [
            {"pipeline_id": identity, "name": each["name"], "state": "IDLE"}
            for identity, each in self.pipelines.items()
            if not wanted or each["name"] == wanted
        ]
        return page(found, ask.query, "statuses", self.page_size)

    @route("GET", "pipelines/{pipeline}")
    def get(self, ask: Ask) -> dict[str, Any]:
        spec = {k: v for k, v in self._pipeline(ask["pipeline"]).items() if k in _spec_fields()}
        latest = [self._info(update) for update in self._of(ask["pipeline"])]
        short = [{k: v for k, v in update.items() if k in ("update_id", "state", "creation_time")} for update in latest]
        described = {"pipeline_id": ask["pipeline"], "name": spec.get("name"), "spec": spec, "latest_updates": short}
        active = any(update["state"] in _ON_THE_WAY for update in latest)
        return shaped(api.GetPipelineResponse, {**described, "state": "RUNNING" if active else "IDLE"})

    @route("POST", "pipelines/{pipeline}/updates")
    def start(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.PipelinesAPI.start_update, ask.body)
        self._pipeline(ask["pipeline"])
        for update in self._of(ask["pipeline"]):
            if self._info(update)["state"] in _ON_THE_WAY:
                message = f"An active update {update} already exists for pipeline {ask['pipeline']}."
                raise Refused(409, "RESOURCE_CONFLICT", message)
        return {"update_id": self.begin(ask["pipeline"], body)}

    def begin(self, pipeline: str, asked: dict[str, Any] | None = None) -> str:
        """Start an update, whoever asks for it."""
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        update = f"update-{next(self._numbers)}"
        self.updates[update] = {
            "pipeline": pipeline,
            "asked": asked or {},
            "script": script,
            "looks": 0,
            "began": int(time.time() * 1000),
            "ended": None,
        }
        return update

    @route("GET", "pipelines/{pipeline}/updates")
    def list_updates(self, ask: Ask) -> dict[str, Any]:
        found = [self._info(update) for update in self._of(ask["pipeline"])]
        return shaped(api.ListUpdatesResponse, page(found, ask.query, "updates", self.page_size))

    @route("GET", "pipelines/{pipeline}/updates/{update}")
    def get_update(self, ask: Ask) -> dict[str, Any]:
        if ask["update"] not in self.updates:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"The specified update {ask['update']} was not found.")
        self._look(ask["update"])
        return shaped(api.GetUpdateResponse, {"update": self._info(ask["update"])})

    @route("POST", "pipelines/{pipeline}/stop")
    def stop(self, ask: Ask) -> dict[str, Any]:
        for update in self._of(ask["pipeline"]):
            if self._info(update)["state"] in _ON_THE_WAY:
                self.stopped.append(update)
                self._end(update, "CANCELED", f"Update {update} is CANCELED: stopped by a user.")
        return {}

    @route("GET", "pipelines/{pipeline}/events")
    def list_events(self, ask: Ask) -> dict[str, Any]:
        since = re.fullmatch(r"timestamp >= '(.+)'", ask.query.get("filter", "timestamp >= '0'"))
        if since is None or (set(ask.query) - {"max_results"} > {"page_token"}):
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"filter or paging not supported: {ask.query}")
        found = [
            {key: value for key, value in event.items() if key != "details" or self.with_details}
            for event in self.events
            if event["origin"]["pipeline_id"] == ask["pipeline"] and event["timestamp"] >= since[1]
        ]
        if "page_token" not in ask.query and "asc" not in ask.query.get("order_by", ""):
            found.reverse()
        return page(found, ask.query, "events", self.page_size)

    def log_lines(self, pipeline: str) -> list[dict[str, Any]]:
        """The rows of ``event_log``."""
        return [
            {
                "type": e["event_type"],
                "update": e["origin"]["update_id"],
                "line": json.dumps(e["details"]),
                "at": e["timestamp"],
            }
            for e in self.events
            if e["origin"]["pipeline_id"] == pipeline and "details" in e
        ]

    def _of(self, pipeline: str) -> list[str]:
        return [update for update, held in reversed(self.updates.items()) if held["pipeline"] == pipeline]

    def _look(self, update: str) -> None:
        held = self.updates[update]
        held["looks"] += 1
        script = held["script"]
        if not held["ended"] and held["looks"] >= script.looks:
            for name, made in script.datasets.items():
                self._flow(update, name, made)
            self._end(update, script.ends, script.says or f"Update {update} is {script.ends}.")
            if script.followed_by:
                following = self.begin(held["pipeline"], held["asked"])
                self.updates[following]["cause"] = script.followed_by

    def _info(self, update: str) -> dict[str, Any]:
        held = self.updates[update]
        state = held["ended"] or _ON_THE_WAY[min(held["looks"], len(_ON_THE_WAY) - 1)]
        known = {key: held["asked"][key] for key in ("full_refresh", "refresh_selection") if key in held["asked"]}
        cause = held.get("cause", held["script"].cause)
        described = {"pipeline_id": held["pipeline"], "update_id": update, "state": state, "cause": cause}
        return {**described, "creation_time": held["began"], **known}

    def _end(self, update: str, state: str, message: str) -> None:
        self.updates[update]["ended"] = state
        level = "ERROR" if state == "FAILED" else "INFO"
        self._event(update, "update_progress", message, {"update_progress": {"state": state}}, level=level)

    def _flow(self, update: str, name: str, made: Made) -> None:
        for status in ("RUNNING", "FAILED" if made.error else "COMPLETED"):
            details: dict[str, Any] = {"status": status}
            if status == "COMPLETED":
                if made.rows is not None:
                    details["metrics"] = {"num_output_rows": made.rows}
                quality = [
                    {"name": each, "dataset": name, "passed_records": passed, "failed_records": failed}
                    for each, (passed, failed) in made.expectations.items()
                ]
                if quality:
                    details["data_quality"] = {"dropped_records": 0, "expectations": quality}
            message = f"Flow '{name}' has {status}." + (f" {made.error}" if status == "FAILED" else "")
            level = "ERROR" if status == "FAILED" else "INFO"
            fault = made.error if status == "FAILED" else None
            self._event(update, "flow_progress", message, {"flow_progress": details}, name, level, fault)

    def _event(
        self,
        update: str,
        kind: str,
        message: str,
        details: dict[str, Any],
        dataset: str | None = None,
        level: str = "INFO",
        fault: str | None = None,
    ) -> None:
        number = len(self.events) + 1
        event = {
            "id": f"event-{number}",
            "sequence": {"control_plane_seq_no": number},
            "origin": {"pipeline_id": self.updates[update]["pipeline"], "update_id": update},
            "timestamp": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "message": message,
            "level": level,
            "event_type": kind,
            "maturity_level": "STABLE",
        }
        if dataset:
            event["origin"] |= {"dataset_name": dataset, "flow_name": dataset}
        if fault:
            event["error"] = {"fatal": True, "exceptions": [{"class_name": "SparkException", "message": fault}]}
        shaped(api.PipelineEvent, event)
        self.events.append({**event, "details": details})
        self._workspace.sql.dialect.event_logs = self.log_lines

    def _pipeline(self, identity: str) -> dict[str, Any]:
        if identity not in self.pipelines:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"The specified pipeline {identity} was not found.")
        return self.pipelines[identity]

    def _check(self, body: dict[str, Any]) -> None:
        if body.get("serverless") and body.get("clusters"):
            raise Refused(400, "INVALID_PARAMETER_VALUE", "You cannot provide cluster settings when using serverless.")
        if body.get("serverless") and not body.get("catalog"):
            raise Refused(400, "INVALID_PARAMETER_VALUE", "Serverless pipelines need a catalog.")
        for library in body.get("libraries") or []:
            path = (library.get("file") or library.get("notebook") or {}).get("path")
            if path and not self._workspace.files.place(path).exists():
                raise Refused(400, "INVALID_PARAMETER_VALUE", f"Path '{path}' does not exist.")


def _spec_fields() -> set[str]:
    return set(api.PipelineSpec.__dataclass_fields__)
