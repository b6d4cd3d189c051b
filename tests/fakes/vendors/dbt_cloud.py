"""dbt Cloud: jobs and runs whose steps are run by dbt Core, so that the artifacts are real ones."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from tests.fakes.tls_proxy import Answer, Request
from tests.fakes.vendors import Vendor

ACCOUNT, PROJECT, ENVIRONMENT = 70403, 11, 22
FILES = {
    "dbt_project.yml": "name: shop\nprofile: shop\nmodels: {shop: {+materialized: table, +schema: marts}}\n",
    "profiles.yml": "shop: {target: cloud, outputs: {cloud: {type: duckdb, path: shop.duckdb, schema: main}}}\n",
    "macros/schema.sql": "{% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}\n",
    "models/orders.sql": "select id, amount from (values (1, 10), (2, 5)) as t(id, amount)\n",
    "models/totals.sql": "select sum(amount) as amount from {{ ref('orders') }}\n",
    "models/shop.yml": """\
models:
  - name: orders
    description: Orders of the shop.
    columns: [{name: id, data_tests: [unique, not_null]}]
  - name: totals
    description: What the shop has sold.
    config: {tags: [nightly]}
""",
}


def parsed_project(folder: Path) -> Path:
    """A dbt project with its manifest; copy it, do not change it."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    dbt(folder, "parse")
    return folder


def dbt(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "dbt.cli.main", *arguments, "--profiles-dir", "."]
    subprocess.run(command, cwd=folder, capture_output=True, text=True)


class DbtCloud(Vendor):
    hosts = ("cloud.getdbt.com",)
    secrets: ClassVar[dict[str, str]] = {"DBT_CLOUD_TOKEN": "dbtc_token-that-nobody-may-see"}

    def __init__(self, parsed: Path, folder: Path) -> None:
        super().__init__()
        self.project = Path(shutil.copytree(parsed, folder))
        self.steps: list[str] = []
        self.questions = 0
        self.cancelled = False

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Token {self.secrets['DBT_CLOUD_TOKEN']}":
            return Answer({"status": {"code": 401, "user_message": "Invalid token."}}, 401)
        assert request.path.startswith(f"/api/v2/accounts/{ACCOUNT}/")
        match request.path.split("/")[5:], request.method:
            case ["jobs"], "GET":
                other = {"id": 5, "name": "Nightly", "account_id": ACCOUNT}
                return Answer({"data": [] if request.query["offset"] != "0" else [other]})
            case ["jobs"], "POST":
                return Answer({"data": {"id": 6, "name": request.json["name"], "account_id": ACCOUNT}}, 201)
            case ["jobs", "6", "run"], "POST":
                self.questions = 0
                [step] = request.json["steps_override"]
                self.steps.append(step)
                return Answer({"data": self.run()})
            case ["runs", _], "GET":
                self.questions += 1
                return Answer({"data": self.run()})
            case ["runs", _, "cancel"], "POST":
                self.cancelled = True
                return Answer({"data": self.run()})
            case ["runs", _, "artifacts"], "GET":
                return Answer({"data": [path.name for path in (self.project / "target").glob("*.json")]})
            case ["runs", _, "artifacts", name], "GET":
                return Answer(self.artifact(name))
        return Answer({"status": {"code": 404}}, 404)

    @property
    def number(self) -> int:
        return 1000 + len(self.steps)

    def run(self) -> dict[str, Any]:
        over = self.questions > 1 and not self.never_ends
        if over and self.questions == 2 and self.outcome != "cancelled" and "build" in self.steps[-1]:
            dbt(self.project, *shlex.split(self.steps[-1])[1:])
        failed = over and any(one["status"] in ("error", "fail") for one in self.results())
        status = 3 if not over else 30 if self.outcome == "cancelled" else 20 if failed else 10
        href = f"https://cloud.getdbt.com/deploy/{ACCOUNT}/projects/{PROJECT}/runs/{self.number}"
        return {"id": self.number, "status": status, "href": href, "account_id": ACCOUNT, "run_steps": []}

    def results(self) -> list[dict[str, Any]]:
        file = self.project / "target" / "run_results.json"
        return json.loads(file.read_text())["results"] if file.exists() and "build" in self.steps[-1] else []

    def artifact(self, name: str) -> dict[str, Any]:
        found = json.loads((self.project / "target" / name).read_text())
        found["metadata"].setdefault("env", {})["DBT_CLOUD_RUN_ID"] = str(self.number)
        return found
