"""Looker: a login, folders, dashboards, explores of LookML, and builds of persistent derived tables."""

from typing import Any, ClassVar
from urllib.parse import parse_qs

from tests.fakes.tls_proxy import Answer, Request
from tests.fakes.vendors import Vendor


class Looker(Vendor):
    hosts = ("acme.cloud.looker.com",)
    secrets: ClassVar[dict[str, str]] = {
        "LOOKER_CLIENT_ID": "looker-client-1234",
        "LOOKER_CLIENT_SECRET": "looker-secret-5678",
    }

    def answer(self, request: Request) -> Answer:
        parts = request.path.split("/")[3:]
        if parts == ["login"]:
            form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
            if form != {"client_id": "looker-client-1234", "client_secret": "looker-secret-5678"}:
                return Answer({"message": "Not found", "documentation_url": "x"}, 404)
            return Answer({"access_token": "looker-token", "token_type": "Bearer", "expires_in": 3600})
        if request.headers.get("authorization") != "Bearer looker-token":
            return Answer({"message": "Requires authentication.", "documentation_url": "x"}, 401)
        match parts, request.method:
            case ["folders"], "GET":
                return Answer([{"id": "1", "name": "Shared", "parent_id": None}])
            case ["dashboards"], "GET":
                return Answer([{"id": "7", "hidden": False, "folder": {"id": "1", "name": "Shared"}}])
            case ["dashboards", "7"], "GET":
                return Answer(self.dashboard())
            case ["lookml_models"], "GET":
                return Answer([{"name": "flights", "explores": [{"name": "carriers"}]}])
            case ["lookml_models", "flights", "explores", "carriers"], "GET":
                return Answer(self.explore())
            case ["users", "search"], "GET":
                return Answer([{"id": "3", "email": "ana@example.com", "display_name": "Ana"}])
            case ["derived_table", "flights", "carrier_facts", "start"], "GET":
                return Answer({"materialization_id": "mat-1", "resp_text": "started"})
            case ["derived_table", "mat-1", "status"], "GET":
                return Answer({"materialization_id": "mat-1", "resp_text": '{"status":"running"}'})
        return Answer({"message": "Not found", "documentation_url": "x"}, 404)

    def dashboard(self) -> dict[str, Any]:
        used = {"id": "f1", "model": "flights", "explore": "carriers"}
        return {"id": "7", "title": "Punctuality", "url": "/dashboards/7", "user_id": "3", "dashboard_filters": [used]}

    def explore(self) -> dict[str, Any]:
        return {
            "id": "flights::carriers",
            "view_name": "carriers",
            "sql_table_name": "marts.carrier_performance",
            "joins": [{"name": "routes", "sql_table_name": "marts.route_performance", "view_label": "Routes"}],
        }
