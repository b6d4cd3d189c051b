"""Events of a pipeline update: read page by page while it runs, and made into results of its data sets."""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..pipeline.spec import DatasetResult, PipelineSpec
from . import waiting
from .client import Workspace
from .errors import WorkspaceError
from .statements import rows, text

_SETTLING_SECONDS = 20.0
_BEGUN = {"STARTING", "RUNNING"}
_TOLD = {"update_progress", "flow_progress", "user_action", "maintenance_progress"}


class Events:
    """The events of one update, each once.

    The typed client drops their details, so they are read as they come; where they come without, they are read from
    ``event_log`` by SQL when the update is over.

    Args:
        workspace: Where.
        pipeline: Id of the pipeline.
        update: Id of the update.
        log: Takes the messages of events that say how far it is.
    """

    def __init__(self, workspace: Workspace, pipeline: str, update: str, log: Callable[[str], None]) -> None:
        self._workspace, self._pipeline, self._update, self._log = workspace, pipeline, update, log
        self._since: str | None = None
        self._seen: set[str] = set()
        self.found: list[dict[str, Any]] = []
        self.fault: str | None = None

    @property
    def seconds(self) -> float:
        """Seconds from the first to the last event."""
        times = [_time(event) for event in self.found]
        return max(times) - min(times) if times else 0.0

    def read(self) -> None:
        """Take what has been added."""
        for event in self._pages():
            if event["id"] in self._seen or event.get("origin", {}).get("update_id") != self._update:
                continue
            self._seen.add(event["id"])
            self.found.append(event)
            self._since = max(self._since or "", event["timestamp"])
            if event.get("level") == "ERROR":
                self.fault = _fault(event)
            if event.get("event_type") in _TOLD or event.get("level") in ("WARN", "ERROR"):
                self._log(event.get("message", ""))

    def settle(self, state: str) -> None:
        """Take the last ones too, which may come after the update's end, and their details if they have none."""
        deadline = time.monotonic() + _SETTLING_SECONDS
        while not self._has_end() and time.monotonic() < deadline:
            waiting.pause()
            self.read()
        flows = [event for event in self.found if event.get("event_type") == "flow_progress"]
        if flows and not any(event.get("details") for event in flows) and self._workspace.warehouse_id:
            self._read_log()

    def _has_end(self) -> bool:
        return any(
            event.get("event_type") == "update_progress"
            and any(f" {end}" in event.get("message", "") for end in ("COMPLETED", "FAILED", "CANCELED"))
            for event in self.found
        )

    def _pages(self) -> Iterator[dict[str, Any]]:
        path = f"/api/2.0/pipelines/{self._pipeline}/events"
        query: dict[str, Any] = {"max_results": 250, "order_by": "timestamp asc"}
        if self._since:
            query["filter"] = f"timestamp >= '{self._since}'"
        while True:
            answer = self._workspace.do("reading events", "GET", path, query=query)
            yield from answer.get("events") or []
            if not (token := answer.get("next_page_token")):
                return
            query = {"max_results": 250, "page_token": token}  # the token holds the rest of the question

    def _read_log(self) -> None:
        """Details by SQL; a login that may not read the log leaves the results without rows and expectations."""
        statement = (
            f"SELECT details FROM event_log({text(self._pipeline)}) "  # noqa: S608 - escaped
            f"WHERE origin.update_id = {text(self._update)} AND event_type = 'flow_progress' ORDER BY timestamp"
        )
        try:
            details = [json.loads(row[0]) for row in rows(self._workspace, "reading event_log", statement)]
        except WorkspaceError as error:
            self._log(f"no rows and expectations: {error}")
            return
        flows = [event for event in self.found if event.get("event_type") == "flow_progress"]
        for event, detail in zip(flows, details, strict=False):
            event["details"] = detail


def results_of(events: Events, spec: PipelineSpec, names: list[str]) -> dict[str, DatasetResult]:
    """What each data set came to, by its name in the pipeline.

    Args:
        events: The update's.
        spec: The pipeline.
        names: Data sets that were asked for.
    """
    found: dict[str, DatasetResult] = {}
    for name in names:
        flows = [event for event in events.found if _is_of(event, name, spec)]
        if flows:
            found[name] = _result(flows, spec, name)
        else:
            found[name] = DatasetResult()
    views = [each.name for each in spec.data_sets if each.kind == "temporary_view"]
    for name in views:  # they are no assets, but what they expect is checked
        if flows := [event for event in events.found if _is_of(event, name, spec)]:
            found[name] = _result(flows, spec, name)
    return found


def _result(flows: list[dict[str, Any]], spec: PipelineSpec, name: str) -> DatasetResult:
    written: int | None = None
    expectations: dict[str, tuple[int, int]] = {}
    error, dropped = None, 0
    begun = [_time(event) for event in flows if _status(event) in _BEGUN]
    for event in flows:
        progress = event.get("details", {}).get("flow_progress", {})
        if (count := progress.get("metrics", {}).get("num_output_rows")) is not None:
            written = (written or 0) + int(count)
        quality = progress.get("data_quality", {})
        dropped += int(quality.get("dropped_records") or 0)
        for each in quality.get("expectations") or []:
            passed, failed = expectations.get(each["name"], (0, 0))
            more = int(each.get("passed_records") or 0), int(each.get("failed_records") or 0)
            expectations[each["name"]] = (passed + more[0], failed + more[1])
        if event.get("level") == "ERROR" or _status(event) == "FAILED":
            error = _fault(event)
    declared = spec.find(name)
    is_whole = declared is not None and declared.kind == "materialized_view"
    details: dict[str, str | int | float | bool] = {"completed": any(_status(e) == "COMPLETED" for e in flows)}
    if dropped:
        details["rows_dropped"] = dropped
    if written is not None and not is_whole:
        details["rows_written"] = written  # a streaming table has these besides what it had
    seconds = max(map(_time, flows)) - min(begun) if begun else 0.0
    return DatasetResult(written if is_whole else None, round(seconds, 3), expectations, error, details)


def _is_of(event: dict[str, Any], name: str, spec: PipelineSpec) -> bool:
    origin = event.get("origin", {})
    told = str(origin.get("dataset_name") or origin.get("flow_name") or "").replace("`", "").lower()
    full = f"{spec.catalog}.{name}".lower()
    bare = name.split(".")[-1].lower() if name.startswith(f"{spec.schema}.") else name.lower()
    return event.get("event_type") == "flow_progress" and told in (full, name.lower(), bare)


def _status(event: dict[str, Any]) -> str:
    """The state of a flow: from the details, or from the message where there are none."""
    told = event.get("details", {}).get("flow_progress", {}).get("status")
    if told:
        return str(told)
    message = event.get("message", "")
    return next((each for each in ("COMPLETED", "FAILED", "RUNNING", "STARTING") if each in message), "")


def _fault(event: dict[str, Any]) -> str:
    """What went wrong, in the words of the first cause."""
    causes = event.get("error", {}).get("exceptions") or []
    said = next((cause["message"] for cause in causes if cause.get("message")), None)
    return " ".join(str(said or event.get("message", "no message")).split())


def _time(event: dict[str, Any]) -> float:
    return dt.datetime.fromisoformat(str(event["timestamp"]).replace("Z", "+00:00")).timestamp()
