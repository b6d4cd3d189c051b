"""Census: syncs on two pages, and runs that take two questions to end."""

from base64 import b64encode
from typing import Any, ClassVar

from tests.fakes.tls_proxy import Answer, Request
from tests.fakes.vendors import Vendor

NAMES = {1: "Carriers to CRM", 2: "Leads / Weekly", 3: "Broken sync"}


class Census(Vendor):
    hosts = ("app.getcensus.com",)
    secrets: ClassVar[dict[str, str]] = {"CENSUS_API_KEY": "census-key-that-nobody-may-see"}

    def __init__(self) -> None:
        super().__init__()
        self.questions: dict[int, int] = {}

    def answer(self, request: Request) -> Answer:
        login = b64encode(f"bearer:{self.secrets['CENSUS_API_KEY']}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {login}":
            return Answer({"status": "unauthorized", "message": "no such key"}, 401)
        match request.path.split("/")[3:], request.method:
            case ["syncs"], "GET":
                page = int(request.query.get("page") or 1)
                found = [self.sync(number) for number in NAMES if (number <= 2) == (page == 1)]
                return Answer({"status": "success", "data": found, "pagination": {"page": page, "last_page": 2}})
            case ["syncs", number, "trigger"], "POST":
                self.questions[int(number) * 100] = 0
                return Answer({"status": "success", "data": {"sync_run_id": int(number) * 100}})
            case ["sync_runs", number], "GET":
                return Answer({"status": "success", "data": self.run(int(number))})
        return Answer({"status": "not_found"}, 404)

    def sync(self, number: int) -> dict[str, Any]:
        return {
            "id": number,
            "label": NAMES[number],
            "resource_identifier": NAMES[number],
            "source_attributes": {"connection_id": 10},
            "destination_attributes": {"connection_id": 20},
            "mappings": [{"from": {"type": "column"}, "to": "Carrier", "field_type": "string"}],
        }

    def run(self, number: int) -> dict[str, Any]:
        self.questions[number] += 1
        over = self.questions[number] > 1 and not self.never_ends
        ended = "failed" if number == 300 else self.outcome or "completed"
        return {
            "id": number,
            "sync_id": number // 100,
            "status": ended if over else "working",
            "records_processed": 7,
            "records_updated": 6,
            "error_message": "the CRM refused" if over and ended == "failed" else None,
        }
