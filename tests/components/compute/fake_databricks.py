"""A Databricks workspace that really runs what it is given, as processes of this machine."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


class FakeDatabricks:
    """The server; tests set what its scopes hold, how slow it is, and what goes wrong.

    Args:
        folder: Where workspace files are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scopes: dict[str, dict[str, str]] = {}
        self.runs: dict[int, dict[str, Any]] = {}
        self.tokens: dict[str, int] = {}
        self.processes: dict[int, subprocess.Popen[str]] = {}
        self.slow_seconds = 0.0
        self.never_starts: str | None = None
        self.faults: list[tuple[str, int, dict[str, str]]] = []  # part of the path, status, headers
        self.lost_answers: list[str] = []
        self.requests: list[tuple[str, str, bytes]] = []
        outer = self

        class Handler(_Handler):
            workspace = outer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
        self.server.shutdown()
        self.server.server_close()

    def place(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def start(self, submission: dict[str, Any]) -> int:
        token = submission.get("idempotency_token", "")
        if token in self.tokens:
            return self.tokens[token]
        run_id = 100 + len(self.runs)
        self.tokens[token] = run_id
        self.runs[run_id] = {
            "run_id": run_id,
            "run_page_url": f"{self.address}/?o=1#job/1/run/{run_id}",
            "tasks": [{"run_id": run_id + 5000, "task_key": "job"}],
            "state": {"life_cycle_state": "PENDING", "state_message": ""},
            "submission": submission,
        }
        threading.Thread(target=self.execute, args=(run_id, submission["tasks"][0]), daemon=True).start()
        return run_id

    def execute(self, run_id: int, task: dict[str, Any]) -> None:
        run = self.runs[run_id]
        time.sleep(self.slow_seconds)
        if self.never_starts:
            run["state"] = {
                "life_cycle_state": "INTERNAL_ERROR",
                "result_state": "FAILED",
                "state_message": self.never_starts,
            }
            return
        cluster = task.get("new_cluster") or {}
        login = {"DATABRICKS_HOST": self.address, "DATABRICKS_TOKEN": "of-the-runtime"}
        variables = {key: self.resolved(text) for key, text in cluster.get("spark_env_vars", {}).items()}
        script = task["spark_python_task"]
        self.processes[run_id] = process = subprocess.Popen(
            [sys.executable, self.place(script["python_file"]), *map(str, map(self.place, script["parameters"]))],
            env={"PATH": os.environ["PATH"], **({} if cluster else login), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        run["state"] = {"life_cycle_state": "RUNNING", "state_message": "In run"}
        run["logs"], _ = process.communicate()
        if run.get("is_cancelled"):
            result, message = "CANCELED", "Run cancelled."
        elif process.returncode:
            result, message = "FAILED", "Workload failed, see run output for details"
            run["error"] = f"SystemExit: {process.returncode}"
        else:
            result, message = "SUCCESS", ""
        run["state"] = {"life_cycle_state": "TERMINATED", "result_state": result, "state_message": message}

    def resolved(self, text: str) -> str:
        reference = re.fullmatch(r"\{\{secrets/([^/]+)/([^/]+)\}\}", text)
        return self.scopes[reference[1]][reference[2]] if reference else text

    def cancel(self, run_id: int) -> None:
        self.runs[run_id]["is_cancelled"] = True
        if process := self.processes.get(run_id):
            process.kill()


class _Handler(BaseHTTPRequestHandler):
    workspace: FakeDatabricks
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        """Keep the tests' output quiet."""

    def answer(self, status: int, content: dict[str, Any] | bytes, headers: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        kind = "application/octet-stream" if isinstance(content, bytes) else "application/json"
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        self.answer(status, {"error_code": code, "message": message}, headers)

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.workspace.requests.append((self.command, self.path, body))
        if self.headers.get("Authorization") not in ("Bearer made-up", "Bearer of-the-runtime"):
            return self.refuse(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type")
        for fault in self.workspace.faults:
            if fault[0] in self.path:
                self.workspace.faults.remove(fault)
                return self.refuse(fault[1], "FAULT", f"fault {fault[1]}", fault[2])
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        action = re.sub(r"^/api/2\.\d/", "", url.path).replace("/", "_").replace("-", "_")
        method = getattr(self, f"on_{action}", None)
        if method is None:
            return self.refuse(404, "ENDPOINT_NOT_FOUND", f"No API found for '{self.command} {url.path}'")
        if action == "workspace_import":
            return self.on_workspace_import(body)
        return method(query if self.command == "GET" else json.loads(body or b"{}"))

    do_GET = do_POST = handle_one

    def on_workspace_mkdirs(self, asked: dict[str, Any]) -> None:
        self.workspace.place(asked["path"]).mkdir(parents=True, exist_ok=True)
        self.answer(200, {})

    def on_workspace_import(self, body: bytes) -> None:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()
        }
        self.workspace.place(parts["path"].decode()).write_bytes(parts["content"])
        self.answer(200, {})

    def on_workspace_export(self, asked: dict[str, Any]) -> None:
        file = self.workspace.place(asked["path"])
        if not file.is_file():
            return self.refuse(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({asked['path']}) doesn't exist.")
        return self.answer(200, file.read_bytes())

    def on_workspace_delete(self, asked: dict[str, Any]) -> None:
        shutil.rmtree(self.workspace.place(asked["path"]))
        self.answer(200, {})

    def on_jobs_runs_submit(self, asked: dict[str, Any]) -> None:
        task = asked["tasks"][0]
        if ("new_cluster" in task) == ("environment_key" in task):
            return self.refuse(400, "INVALID_PARAMETER_VALUE", "One of new_cluster, environment_key must be specified.")
        run_id = self.workspace.start(asked)
        if "submit" in self.workspace.lost_answers:
            self.workspace.lost_answers.remove("submit")
            return self.refuse(500, "INTERNAL_ERROR", "the answer got lost")
        return self.answer(200, {"run_id": run_id})

    def on_jobs_runs_get(self, asked: dict[str, Any]) -> None:
        run = self.workspace.runs[int(asked["run_id"])]
        self.answer(200, {key: run[key] for key in ("run_id", "run_page_url", "tasks", "state")})

    def on_jobs_runs_get_output(self, asked: dict[str, Any]) -> None:
        run = self.workspace.runs[int(asked["run_id"]) - 5000]
        self.answer(200, {key: run[key] for key in ("logs", "error") if key in run})

    def on_jobs_runs_cancel(self, asked: dict[str, Any]) -> None:
        self.workspace.cancel(int(asked["run_id"]))
        self.answer(200, {})

    def on_secrets_get(self, asked: dict[str, Any]) -> None:
        value = self.workspace.scopes.get(asked["scope"], {}).get(asked["key"])
        if value is None:
            return self.refuse(404, "RESOURCE_DOES_NOT_EXIST", f"Secret does not exist with scope: {asked['scope']}")
        return self.answer(200, {"key": asked["key"], "value": base64.b64encode(value.encode()).decode()})
