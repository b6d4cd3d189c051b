"""Airbyte Cloud: applications, connections, streams and jobs that take two questions to end."""

from typing import Any, ClassVar

from tests.fakes.tls_proxy import Answer, Request
from tests.fakes.vendors import Vendor

WORKSPACE = "0b1c2d3e-4f56-7890-abcd-ef0123456789"
CONNECTION = "18dccc91-0ab1-4f72-9ed7-0b8fc27c5826"
STREAMS = {
    "contacts": {"id": "string", "email": "string", "createdAt": "string"},
    "companies": {"id": "string", "name": "string", "domain": "string"},
}


class Airbyte(Vendor):
    hosts = ("api.airbyte.com", "cloud.airbyte.com")
    secrets: ClassVar[dict[str, str]] = {
        "AIRBYTE_CLIENT_ID": "airbyte-client-1234",
        "AIRBYTE_CLIENT_SECRET": "airbyte-secret-5678",
    }

    def __init__(self) -> None:
        super().__init__()
        self.streams = dict(STREAMS)
        self.jobs: dict[int, int] = {}
        self.cancelled: list[int] = []
        self.running_elsewhere = False
        self.tokens = 0

    def answer(self, request: Request) -> Answer:
        parts = [part for part in request.path.split("/") if part and part not in ("v1", "api", "public")]
        if parts == ["applications", "token"]:
            if request.json != {"client_id": "airbyte-client-1234", "client_secret": "airbyte-secret-5678"}:
                return Answer(
                    {"status": 401, "type": "https://reference.airbyte.com/errors", "title": "unauthorized"}, 401
                )
            self.tokens += 1
            return Answer({"access_token": f"token-{self.tokens}", "token_type": "Bearer", "expires_in": 180})
        if request.headers.get("authorization") != f"Bearer token-{self.tokens}":
            return Answer({"title": "token unknown"}, 401)
        match parts, request.method:
            case ["workspaces", WORKSPACE], "GET":
                return Answer({"workspaceId": WORKSPACE, "name": "Sales", "dataResidency": "us"})
            case ["connections"], "GET":
                return self.connections(request)
            case ["connections", "get"], "POST":
                return Answer(self.connection(request.json["connectionId"]))
            case ["destinations", identity], "GET":
                config = {"schema": "airbyte_hubspot", "database": "ANALYTICS", "password": "**********"}
                return Answer({"destinationId": identity, "destinationType": "snowflake", "configuration": config})
            case ["jobs"], "GET":
                busy = [{"jobId": 7, "status": "running", "jobType": "sync"}] if self.running_elsewhere else []
                return Answer({"data": busy})
            case ["jobs"], "POST":
                job = 100 + len(self.jobs)
                self.jobs[job] = 0
                return Answer({"jobId": job, "status": "pending", "jobType": "sync"})
            case ["jobs", job], "DELETE":
                self.cancelled.append(int(job))
                return Answer({"jobId": int(job), "status": "cancelled", "jobType": "sync"})
            case ["jobs", job], "GET":
                return Answer(self.job(int(job)))
        return Answer({"title": "not found"}, 404)

    def connections(self, request: Request) -> Answer:
        """Two pages; the address of the next one is in the answer."""
        if request.query.get("offset") == "1":
            return Answer({"data": [{"connectionId": CONNECTION, "name": "HubSpot to warehouse"}], "next": ""})
        address = "https://api.airbyte.com/v1/connections?limit=1&offset=1"
        return Answer({"data": [{"connectionId": "other", "name": "Other"}], "next": address})

    def connection(self, identity: str) -> dict[str, Any]:
        streams = self.streams if identity == CONNECTION else {"unselected": {}}
        return {
            "connectionId": identity,
            "name": "HubSpot to warehouse" if identity == CONNECTION else "Other",
            "prefix": "",
            "destinationId": "2c0ab5a5-6d45-4f6b-9d1c-0b8fc27c5826",
            "status": "active",
            "syncCatalog": {"streams": [self.stream(name, streams[name], identity) for name in streams]},
        }

    def stream(self, name: str, columns: dict[str, str], identity: str) -> dict[str, Any]:
        properties = {column: {"type": [kind, "null"]} for column, kind in columns.items()}
        return {
            "stream": {"name": name, "jsonSchema": {"properties": properties}},
            "config": {"selected": identity == CONNECTION, "syncMode": "incremental"},
        }

    def job(self, job: int) -> dict[str, Any]:
        self.jobs[job] += 1
        over = self.jobs[job] > 1 and not self.never_ends
        return {
            "jobId": job,
            "status": (self.outcome or "succeeded") if over else "running",
            "jobType": "sync",
            "connectionId": CONNECTION,
            "startTime": "2026-11-01T06:00:00Z",
            "lastUpdatedAt": "2026-11-01T06:05:00Z",
            "rowsSynced": 42 if over else 0,
        }
