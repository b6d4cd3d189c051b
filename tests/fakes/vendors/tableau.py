"""Tableau Cloud: XML for sign-in, workbooks, data sources and jobs; JSON for the Metadata API."""

from typing import Any, ClassVar

from tests.fakes.tls_proxy import Answer, Request
from tests.fakes.vendors import Vendor

SITE = "9a8b7c6d-5e4f-3a2b-1c0d-9e8f7a6b5c4d"
WORKBOOK = "b75fc023-a7ca-4115-857b-4342028640d0"
SOURCE = "1f5660c7-3b05-5ff0-90ce-4199226956c6"
CODES = {"success": 0, "failed": 1, "cancelled": 2}


class Tableau(Vendor):
    hosts = ("10ax.online.tableau.com",)
    secrets: ClassVar[dict[str, str]] = {
        "TABLEAU_CLIENT_ID": "tableau-client-1234",
        "TABLEAU_SECRET_ID": "tableau-secret-id-5678",
        "TABLEAU_SECRET_VALUE": "tableau-secret-value-of-thirty-two-bytes",
    }

    def __init__(self) -> None:
        super().__init__()
        self.questions = 0
        self.cancelled = 0

    def answer(self, request: Request) -> Answer:
        parts = request.path.split("/")[3:]
        if parts == ["serverinfo"] or parts == ["serverInfo"]:
            version = '<productVersion build="20263.26.1101">2026.3.0</productVersion>'
            return xml(f"<serverInfo>{version}<restApiVersion>3.24</restApiVersion></serverInfo>")
        if parts == ["auth", "signin"]:
            return self.sign_in(request)
        if request.headers.get("x-tableau-auth") != "tableau-token":
            return Answer(b"<tsResponse><error code='401002'><summary>Unauthorized</summary></error></tsResponse>", 401)
        if request.path == "/api/metadata/graphql":
            return Answer({"data": {"workbooks": [self.workbook()]}})
        match parts[2:] if parts[0] == "sites" else parts, request.method:
            case ["auth", "signout"], "POST":
                return Answer(b"", 204)
            case ["workbooks"], "GET":
                found = f'<workbook id="{WORKBOOK}" name="Flights"><project id="p1" name="Operations"/></workbook>'
                return page("workbooks", found)
            case ["datasources"], "GET":
                project = '<project id="p1" name="Operations"/>'
                source = f'<datasource id="{SOURCE}" name="Carriers" hasExtracts="true" type="postgres">'
                return page("datasources", f"{source}{project}</datasource>")
            case ["datasources", _, "refresh"] | ["workbooks", _, "refresh"], "POST":
                self.questions = 0
                return xml('<job id="job-1" mode="Asynchronous" type="RefreshExtract"/>')
            case ["jobs", "job-1"], "GET":
                return xml(self.job())
            case ["jobs", "job-1"], "PUT":
                self.cancelled += 1
                return Answer(b"", 200)
        return Answer(b"<tsResponse><error code='404000'><summary>Not found</summary></error></tsResponse>", 404)

    def sign_in(self, request: Request) -> Answer:
        import jwt

        token = request.body.decode().split('jwt="')[1].split('"')[0]
        try:
            jwt.decode(token, self.secrets["TABLEAU_SECRET_VALUE"], algorithms=["HS256"], audience="tableau")
        except jwt.InvalidTokenError:
            return Answer(b"<tsResponse><error code='401001'><summary>Signin Error</summary></error></tsResponse>", 401)
        site = f'<site id="{SITE}" contentUrl="acme"/>'
        return xml(f'<credentials token="tableau-token">{site}<user id="user-1"/></credentials>')

    def job(self) -> str:
        self.questions += 1
        over = self.questions > 1 and not self.never_ends
        notes = "<extractRefreshJob><notes>the table is gone</notes></extractRefreshJob>" if self.outcome else ""
        code = f' finishCode="{CODES[self.outcome or "success"]}" completedAt="2026-11-01T06:01:00Z"' if over else ""
        return f'<job id="job-1" mode="Asynchronous" type="RefreshExtract" progress="50"{code}>{notes}</job>'

    def workbook(self) -> dict[str, Any]:
        table = {
            "name": "carrier_performance",
            "fullName": "[marts].[carrier_performance]",
            "schema": "marts",
            "connectionType": "postgres",
            "database": {"id": "db", "name": "analytics", "projectName": None},
        }
        published = {"luid": SOURCE, "name": "Carriers", "id": "md-1", "hasExtracts": True, "upstreamTables": [table]}
        embedded = {
            "id": "md-2",
            "name": "Carriers (embedded)",
            "hasExtracts": False,
            "upstreamTables": [],
            "parentPublishedDatasources": [published],
        }
        times = {"createdAt": "2026-10-01T06:00:00Z", "updatedAt": "2026-10-02T06:00:00Z"}
        sheet = {"luid": "sheet-1", "id": "md-3", "name": "Delays by carrier", "path": "Flights/Delays", **times}
        board = {"luid": "board-1", "name": "Punctuality", "path": "Flights/Punctuality", **times}
        return {
            "luid": WORKBOOK,
            "name": "Flights",
            "uri": "sites/1/workbooks/2",
            "projectName": "Operations",
            "projectLuid": "p1",
            **times,
            "sheets": [{**sheet, "parentEmbeddedDatasources": [embedded]}],
            "dashboards": [{**board, "sheets": [{"luid": "sheet-1", "id": "md-3"}]}],
        }


def xml(body: str) -> Answer:
    text = f'<?xml version="1.0" encoding="UTF-8"?><tsResponse xmlns="http://tableau.com/api">{body}</tsResponse>'
    return Answer(text.encode(), headers={"Content-Type": "application/xml"})


def page(kind: str, item: str) -> Answer:
    pages = '<pagination pageNumber="1" pageSize="100" totalAvailable="1"/>'
    return xml(f"{pages}<{kind}>{item}</{kind}>")
