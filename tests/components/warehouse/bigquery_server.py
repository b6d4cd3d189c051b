"""A fake of BigQuery's REST API for what the emulator lacks: bytes, quotas, lost answers, job ids used twice."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FIELDS = [
    {"name": "day", "type": "DATE", "mode": "NULLABLE"},
    {"name": "orders", "type": "INTEGER", "mode": "NULLABLE"},
]


class BigQueryServer:
    """One project; tests script what it says.

    Attributes:
        estimated: Bytes that a dry run gives.
        faults: (status, reason, message) that the next calls answer, oldest first.
        lose_answers: How many accepted jobs answer 503, as if the answer was lost.
        job_errors: Reasons that the next jobs fail for, oldest first.
        hold: Whether jobs run until they are cancelled.
    """

    def __init__(self) -> None:
        self.estimated = 1000
        self.faults: list[tuple[int, str, str]] = []
        self.lose_answers = 0
        self.job_errors: list[str] = []
        self.hold = False
        self.jobs: dict[str, dict[str, Any]] = {}
        self.cancelled: list[str] = []
        self.tables: dict[str, dict[str, Any]] = {}
        self.datasets: set[str] = set()
        self.calls: list[str] = []
        self.changed = threading.Condition()

    def __enter__(self) -> "BigQueryServer":
        outer = self

        class Handler(_Handler):
            server_state = outer

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def insert(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """jobs.insert."""
        configuration = body["configuration"]
        identity = body["jobReference"]["jobId"]
        if configuration.get("dryRun"):
            statistics = {"totalBytesProcessed": str(self.estimated), "query": self._statistics()}
            return 200, {**body, "status": {"state": "DONE"}, "statistics": statistics}
        if identity in self.jobs:
            return 409, _error(409, "duplicate", f"Already Exists: Job {identity}")
        status: dict[str, Any] = {"state": "RUNNING" if self.hold else "DONE"}
        if self.job_errors and (reason := self.job_errors.pop(0)):
            status["errorResult"] = {"reason": reason, "message": f"the job says {reason}"}
            status["errors"] = [status["errorResult"]]
        elif not self.hold:
            self._make(configuration["query"])
        billed = {"totalBytesProcessed": str(self.estimated), "query": self._statistics()}
        reference = {"projectId": "shop", "location": "EU", **body["jobReference"]}
        self.jobs[identity] = {**body, "jobReference": reference, "status": status, "statistics": billed}
        with self.changed:
            self.changed.notify_all()
        if self.lose_answers:
            self.lose_answers -= 1
            return 503, _error(503, "backendError", "the answer is lost")
        return 200, self.jobs[identity]

    def _statistics(self) -> dict[str, Any]:
        return {
            "totalBytesProcessed": str(self.estimated),
            "totalBytesBilled": str(max(self.estimated, 10 * 2**20)),
            "totalSlotMs": "777",
            "statementType": "CREATE_TABLE_AS_SELECT",
            "schema": {"fields": FIELDS},
        }

    def _make(self, query: dict[str, Any]) -> None:
        """The table that a statement, or a destination, makes."""
        if destination := query.get("destinationTable"):
            name = (destination["datasetId"], destination["tableId"])
        elif found := re.search(r"(?:TABLE|VIEW)(?: IF NOT EXISTS)? `(\w+)`\.`(\w+)`", query["query"]):
            name = (found[1], found[2])
        else:
            return
        kind = next((k for k in ("MATERIALIZED_VIEW", "VIEW") if k.replace("_", " ") in query["query"]), "TABLE")
        self.tables[".".join(name)] = {
            "tableReference": {"projectId": "shop", "datasetId": name[0], "tableId": name[1]},
            "type": kind,
            "schema": {"fields": FIELDS},
            "numRows": "2",
            "etag": "e",
            **{key: query[key] for key in ("timePartitioning", "clustering") if key in query},
        }

    def results(self, identity: str) -> tuple[int, dict[str, Any]]:
        """jobs.getQueryResults."""
        job = self.jobs[identity]
        if failed := job["status"].get("errorResult"):
            return 400, _error(400, failed["reason"], failed["message"])
        if job["status"]["state"] != "DONE":
            with self.changed:
                self.changed.wait(0.05)
            return 200, {"jobComplete": False, "jobReference": job["jobReference"]}
        rows = [{"f": [{"v": "2"}]}]
        schema = {"fields": [{"name": "n", "type": "INTEGER"}]}
        answer = {"jobComplete": True, "jobReference": job["jobReference"], "schema": schema}
        return 200, {**answer, "totalRows": "1", "rows": rows}


def _error(status: int, reason: str, message: str) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}}


class _Handler(BaseHTTPRequestHandler):
    server_state: BigQueryServer
    protocol_version = "HTTP/1.1"

    def _answer(self) -> tuple[int, dict[str, Any]]:
        state, content = self.server_state, self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(content) if content else {}
        path = self.path.split("?")[0].removeprefix("/bigquery/v2/projects/")
        state.calls.append(f"{self.command} {path}")
        if state.faults:
            status, reason, message = state.faults.pop(0)
            return status, _error(status, reason, message)
        match [self.command, *path.split("/")[1:]]:
            case ["POST", "jobs"]:
                return state.insert(body)
            case ["POST", "jobs", identity, "cancel"]:
                state.cancelled.append(identity)
                state.jobs[identity]["status"] = {"state": "DONE", "errorResult": {"reason": "stopped", "message": "."}}
                return 200, {"job": state.jobs[identity]}
            case ["GET", "jobs", identity] if identity in state.jobs:
                return 200, state.jobs[identity]
            case ["GET", "queries", identity]:
                return state.results(identity)
            case ["GET", "datasets", name] if name in state.datasets:
                return 200, {"datasetReference": {"projectId": "shop", "datasetId": name}}
            case ["POST", "datasets"]:
                state.datasets.add(body["datasetReference"]["datasetId"])
                return 200, body
            case ["GET", "datasets", dataset, "tables", table] if f"{dataset}.{table}" in state.tables:
                return 200, state.tables[f"{dataset}.{table}"]
            case ["PATCH", "datasets", dataset, "tables", table]:
                state.tables[f"{dataset}.{table}"].update(body)
                return 200, state.tables[f"{dataset}.{table}"]
        return 404, _error(404, "notFound", f"Not found: {path}")

    def _respond(self) -> None:
        status, body = self._answer()
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = _respond

    def log_message(self, *_: object) -> None:
        """Quiet."""
