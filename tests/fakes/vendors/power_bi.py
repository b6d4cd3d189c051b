"""Power BI: a login, a workspace scan, and refreshes that take two questions to end."""

from typing import Any, ClassVar

from tests.fakes.tls_proxy import Answer, Request
from tests.fakes.vendors import Vendor

WORKSPACE = "a2122b8f-d7e1-42e8-be2b-a5e636ca3221"
MODEL = "cfafbeb1-8037-4d0c-896e-a46fb27ff229"
QUERY = """let
    Source = Snowflake.Databases("acme.snowflakecomputing.com","REPORTING"),
    Database = Source{{[Name="ANALYTICS",Kind="Database"]}}[Data],
    Schema = Database{{[Name="MARTS",Kind="Schema"]}}[Data],
    Table = Schema{{[Name="{table}",Kind="Table"]}}[Data]
in
    Table"""


def table(name: str, *columns: str) -> dict[str, Any]:
    return {
        "name": name,
        "columns": [{"name": column, "dataType": "String"} for column in columns],
        "source": [{"expression": QUERY.replace("{{", "{").replace("}}", "}").replace("{table}", name.upper())}],
    }


class PowerBI(Vendor):
    hosts = ("api.powerbi.com", "login.microsoftonline.com")
    secrets: ClassVar[dict[str, str]] = {
        "POWERBI_TENANT_ID": "tenant-1234",
        "POWERBI_CLIENT_ID": "client-5678",
        "POWERBI_CLIENT_SECRET": "power&bi=secret",  # characters that a form has to escape
    }

    def __init__(self) -> None:
        super().__init__()
        self.refreshes: list[dict[str, Any]] = [
            {"requestId": "of-last-night", "startTime": "2026-10-31T06:00:00Z", "status": "Completed"}
        ]
        self.questions = 0
        self.late = 0
        """How many questions pass before a new refresh shows up in the history."""

    def answer(self, request: Request) -> Answer:
        if request.host == "login.microsoftonline.com":
            return self.login(request)
        if request.headers.get("authorization") != "Bearer power-bi-token":
            return Answer({"error": {"code": "TokenExpired"}}, 403)
        match request.path.split("/")[3:], request.method:
            case ["admin", "workspaces", "getInfo"], "POST":
                return Answer({"id": "scan-1", "status": "NotStarted"}, 202)
            case ["admin", "workspaces", "scanStatus", "scan-1"], "GET":
                over = self.asked.count(f"GET {request.path}") > 1
                return Answer({"id": "scan-1", "status": "Succeeded" if over else "Running"})
            case ["admin", "workspaces", "scanResult", "scan-1"], "GET":
                return Answer({"workspaces": [self.workspace()]})
            case ["groups", _, "datasets", _, "refreshes"], "POST":
                return self.refresh()
            case ["groups", _, "datasets", _, "refreshes"], "GET":
                return Answer({"value": self.history()})
        return Answer({"error": {"code": "PowerBIEntityNotFound"}}, 404)

    def login(self, request: Request) -> Answer:
        from urllib.parse import parse_qs

        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        tenant, client, secret = self.secrets.values()
        if request.path != f"/{tenant}/oauth2/token" or (form["client_id"], form["client_secret"]) != (client, secret):
            return Answer({"error": "invalid_client", "error_description": "AADSTS7000215: invalid client secret"}, 401)
        return Answer({"token_type": "Bearer", "expires_in": "3599", "access_token": "power-bi-token"})

    def workspace(self) -> dict[str, Any]:
        model = {
            "id": MODEL,
            "name": "Flight performance",
            "configuredBy": "ana@example.com",
            "tables": [
                table("carrier_performance", "carrier", "carrier_name", "flights", "average_arrival_delay"),
                table("route_performance", "origin", "destination", "flights"),
            ],
        }
        report = {"id": "5b218778-e7a5-4d73-8187-f10824047715", "name": "Delays by carrier", "datasetId": MODEL}
        tile = {"id": "tile-1", "title": "Delays", "reportId": report["id"]}
        board = {"id": "69ffaa6c-b36d-4d01-96f5-1ed67c64d4af", "displayName": "Operations", "tiles": [tile]}
        return {"id": WORKSPACE, "name": "Flights", "reports": [report], "dashboards": [board], "datasets": [model]}

    def refresh(self) -> Answer:
        if self.refreshes[0]["status"] == "Unknown":
            return Answer({"error": {"code": "InvalidRequest", "message": "another refresh is already executing"}}, 400)
        at = f"2026-11-01T0{len(self.refreshes)}:00:00Z"
        self.refreshes.insert(0, {"requestId": f"refresh-{len(self.refreshes)}", "startTime": at, "status": "Unknown"})
        self.questions = 0
        return Answer(b"", 202)

    def history(self) -> list[dict[str, Any]]:
        self.questions += 1
        newest = self.refreshes[0]
        if newest["status"] == "Unknown" and self.questions <= self.late:
            return self.refreshes[1:]
        if newest["status"] == "Unknown" and self.questions > self.late + 1 and not self.never_ends:
            newest |= {"status": self.outcome or "Completed", "endTime": "2026-11-01T09:00:00Z"}
            if self.outcome == "Failed":
                newest["serviceExceptionJson"] = '{"errorCode":"ModelRefreshFailed_CredentialsNotSpecified"}'
        return self.refreshes
