"""Fivetran: groups, connections, schemas, and syncs that take two questions to end."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from tests.fakes.tls_proxy import Answer, Request
from tests.fakes.vendors import Vendor

START = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
TABLES = ("charge", "customer")


class Fivetran(Vendor):
    hosts = ("api.fivetran.com",)
    secrets: ClassVar[dict[str, str]] = {
        "FIVETRAN_API_KEY": "fivetran-key-1234",
        "FIVETRAN_API_SECRET": "fivetran-secret-5678",
    }

    def __init__(self) -> None:
        super().__init__()
        self.tables = list(TABLES)
        self.schema = "fivetran_stripe"
        self.paused = False
        self.syncs = 0
        self.questions = 0
        self.others: list[dict[str, Any]] = []

    def answer(self, request: Request) -> Answer:
        login = b64encode(":".join(self.secrets.values()).encode()).decode()
        if request.headers.get("authorization") != f"Basic {login}":
            return Answer({"code": "AuthFailed", "message": "the API key is unknown"}, 401)
        match request.path.split("/")[2:]:
            case ["groups"]:
                return self.page(
                    request, [{"id": "empty_group", "name": "Empty"}, {"id": "sales_group", "name": "Sales"}]
                )
            case ["groups", group, "connectors" | "connections"]:
                found = [] if group == "empty_group" else [*self.others, self.connection()]
                return self.page(request, found)
            case ["destinations", identity]:
                config = {"database": "ANALYTICS", "host": "acme.snowflakecomputing.com", "password": "******"}
                return self.data({"id": identity, "service": "snowflake", "region": "GCP_US_EAST4", "config": config})
            case ["connectors" | "connections", "unsynced_connection", "schemas"]:
                return Answer({"code": "NotFound_SchemaConfig", "message": "no schema yet"}, 404)
            case ["connectors" | "connections", _, "schemas"]:
                return self.data({"schemas": self.schemas(), "schema_change_handling": "ALLOW_ALL"})
            case ["connectors" | "connections", _, "force"] if request.method == "POST":
                self.syncs, self.questions = self.syncs + 1, 0
                return Answer({"code": "Success", "message": "Sync has been successfully triggered"})
            case ["connectors" | "connections", _]:
                self.questions += 1
                return self.data(self.connection())
        return Answer({"code": "NotFound"}, 404)

    def data(self, found: Any) -> Answer:
        return Answer({"code": "Success", "data": found})

    def page(self, request: Request, items: list[dict[str, Any]]) -> Answer:
        """One item a page, whatever the limit is: paging is what is under test."""
        at = int(request.query.get("cursor") or 0)
        more = {"next_cursor": str(at + 1)} if at + 1 < len(items) else {}
        return self.data({"items": items[at : at + 1], **more})

    def schemas(self) -> dict[str, Any]:
        tables = {
            table: {
                "name_in_destination": table,
                "enabled": True,
                "columns": {"id": {"name_in_destination": "id", "enabled": True, "is_primary_key": True}},
            }
            for table in self.tables
        }
        hidden = {"name_in_destination": "card", "enabled": False, "columns": {}}
        return {
            self.schema: {"name_in_destination": self.schema, "enabled": True, "tables": {**tables, "card": hidden}}
        }

    def connection(self, **changes: Any) -> dict[str, Any]:
        """A sync ends at the second question after it was asked for."""
        running = bool(self.syncs) and (self.questions < 3 or self.never_ends)
        ended = self.syncs - 1 if running else self.syncs
        at = (START + timedelta(hours=ended)).isoformat().replace("+00:00", "Z")
        failed = self.outcome == "failed" and ended > 0
        return {
            "id": "speak_menial",
            "group_id": "sales_group",
            "service": "stripe",
            "schema": self.schema,
            "paused": self.paused,
            "sync_frequency": 360,
            "schedule_type": "auto",
            "succeeded_at": START.isoformat().replace("+00:00", "Z") if failed else at,
            "failed_at": at if failed else None,
            "status": {
                "setup_state": "connected",
                "sync_state": "syncing" if running else "scheduled",
                "update_state": "delayed" if failed else "on_schedule",
                "is_historical_sync": False,
            },
            **changes,
        }
