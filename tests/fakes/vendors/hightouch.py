"""Hightouch: a sync whose run takes two questions to end."""

from typing import Any, ClassVar

from tests.fakes.tls_proxy import Answer, Request
from tests.fakes.vendors import Vendor


class Hightouch(Vendor):
    hosts = ("api.hightouch.io",)
    secrets: ClassVar[dict[str, str]] = {"HIGHTOUCH_API_KEY": "hightouch-key-1234"}

    def __init__(self) -> None:
        super().__init__()
        self.questions = 0

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != "Bearer hightouch-key-1234":
            return Answer({"message": "Unauthorized"}, 401)
        match request.path.split("/")[3:], request.method:
            case ["syncs", "77", "trigger"], "POST":
                self.questions = 0
                return Answer({"id": "4242"})
            case ["syncs", "77", "runs"], "GET" if request.query == {"runId": "4242"}:
                return Answer({"data": [self.run()], "hasMore": False})
        return Answer({"message": "Sync not found"}, 404)

    def run(self) -> dict[str, Any]:
        self.questions += 1
        over = self.questions > 1 and not self.never_ends
        status = (self.outcome or "success") if over else "querying"
        refused = 2 if status == "warning" else 0
        return {
            "id": "4242",
            "status": status,
            "createdAt": "2026-11-01T06:00:00Z",
            "startedAt": "2026-11-01T06:00:01Z",
            "finishedAt": "2026-11-01T06:01:00Z" if over else None,
            "querySize": 16,
            "completionRatio": 1.0 if over else 0.1,
            "plannedRows": {"addedCount": 16, "changedCount": 0, "removedCount": 0},
            "successfulRows": {"addedCount": 16 - refused, "changedCount": 0, "removedCount": 0},
            "failedRows": {"addedCount": refused, "changedCount": 0, "removedCount": 0},
            "error": "the CRM refused the mapping" if status == "failed" else None,
        }
