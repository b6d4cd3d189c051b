"""A small project with owners and alert routes, what runs it, and a service that takes its alerts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dagster as dg
import pytest
import yaml

from components.governance import governed

POLICY = """\
version: 1
alert_routes:
  data: {url_env: DATA_ALERTS_URL, owners: [team:data]}
  web: {url_env: WEB_ALERTS_URL, owners: [team:web]}
"""

ASSETS = """\
import dagster as dg


@dg.asset(key=["raw", "orders"], owners=["team:data"], group_name="raw")
def raw_orders(): ...


@dg.asset(key=["marts", "orders"], deps=[["raw", "orders"]], owners=["team:data"], group_name="marts")
def orders(): ...


@dg.asset(key=["marts", "visits"], owners=["team:web"], group_name="other")
def visits(): ...
"""

FAILING = """\
import dagster as dg


@dg.asset(key=["raw", "orders"], owners=["team:data"])
def raw_orders():
    raise ValueError("no file\\n  at postgres://me:hunter2@warehouse/orders")


@dg.asset(key=["marts", "orders"], deps=[["raw", "orders"]], owners=["team:data"])
def orders(): ...


@dg.asset(key=["marts", "visits"], owners=["team:web"])
def visits():
    raise dg.Failure("the tracker answered with nothing")


@dg.asset(key=["marts", "fine"], owners=["team:web"])
def fine(): ...
"""

CHECKED = """\
import dagster as dg


@dg.asset(key=["marts", "orders"], owners=["team:data"])
def orders(): ...


@dg.asset_check(asset=orders)
def not_empty():
    return dg.AssetCheckResult(passed=False, description="the table has 0 rows")


@dg.asset_check(asset=orders)
def tidy():
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description="two spaces")


@dg.asset_check(asset=orders)
def unique():
    return dg.AssetCheckResult(passed=True)
"""


CLOSED = """\
import dagster as dg


class Store(dg.ConfigurableResource):
    def setup_for_execution(self, context):
        raise ConnectionError("the store is closed")


@dg.asset(key=["raw", "orders"], owners=["team:data"])
def raw_orders(store: Store): ...


@dg.asset(key=["marts", "orders"], deps=[raw_orders], owners=["team:data"])
def orders(): ...


@dg.definitions
def defs():
    return dg.Definitions(assets=[raw_orders, orders], resources={"store": Store()})
"""

NO_ASSETS = """\
import dagster as dg


@dg.op
def sweep():
    raise ValueError("dust")


@dg.job
def clean():
    sweep()
"""


class Shop:
    """A project in a temporary folder, loaded and governed as a generated one is."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        (sandbox.project_root / "policy.yaml").write_text(POLICY)

    def write(self, component: type, attributes: dict[str, Any]) -> None:
        folder = self.sandbox.defs_folder_path / component.__name__.lower()
        folder.mkdir(exist_ok=True)
        document = {"type": f"{component.__module__}.{component.__name__}", "attributes": attributes}
        (folder / "defs.yaml").write_text(yaml.safe_dump(document))

    def python(self, text: str) -> None:
        (self.sandbox.defs_folder_path / "assets.py").write_text(text)

    @contextmanager
    def definitions(self) -> Iterator[dg.Definitions]:
        with self.sandbox.build_all_defs() as loaded:
            together = dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor))
            yield governed(together, self.sandbox.project_root)

    def load_error(self) -> str:
        with pytest.raises(Exception) as caught, self.definitions() as defs:  # noqa: PT011 - Dagster wraps it
            dg.Definitions.validate_loadable(defs)
        messages, error = [], caught.value
        while error:
            messages.append(str(error))
            error = error.__cause__
        return "\n".join(messages)


class Receiver:
    """A local web service that takes notifications."""

    def __init__(self) -> None:
        self.status = 200
        self.refusing: set[str] = set()
        self.received: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.received.append({"path": self.path, **body})
                self.send_response(500 if self.path.strip("/") in receiver.refusing else receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}"

    def at(self, path: str) -> list[dict[str, Any]]:
        return [message for message in self.received if message["path"].strip("/") == path]


def run_all(defs: dg.Definitions, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = defs.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, raise_on_error=False)


class Sensor:
    """A sensor of a project, which keeps its cursor from tick to tick as the daemon does."""

    def __init__(self, defs: dg.Definitions, instance: dg.DagsterInstance, name: str) -> None:
        self.definition = defs.resolve_sensor_def(name)
        self.instance, self.repository = instance, defs.get_repository_def()
        self.cursor: str | None = None

    def tick(self) -> Any:
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            repository_def=self.repository,
            sensor_name=self.definition.name,
        )
        result = self.definition.evaluate_tick(context)
        self.cursor = result.cursor
        return result
