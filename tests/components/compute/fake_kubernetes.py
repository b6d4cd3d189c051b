"""A Kubernetes API server of one namespace whose pods really run, as processes of this machine."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_PATH = re.compile(r"^/(?:api/v1|apis/batch/v1)/namespaces/research/(\w+)(?:/([\w.-]+))?(/log)?$")


class Pod:
    """A pod: its object, its log and its process."""

    def __init__(self, cluster: "FakeKubernetes", job: dict[str, Any]) -> None:
        self.cluster, self.job = cluster, job
        template = job["spec"]["template"]
        self.spec = template["spec"]
        self.name = f"{job['metadata']['name']}-x7k2p"
        self.object = {
            "metadata": {"name": self.name, "labels": template["metadata"]["labels"]},
            "status": {"phase": "Pending", "containerStatuses": []},
        }
        self.log: list[str] = []
        self.is_done = False
        self.process: subprocess.Popen[str] | None = None
        threading.Thread(target=self.run, daemon=True).start()

    def state(self, phase: str, **container: Any) -> None:
        self.object["status"] = {"phase": phase, "containerStatuses": [{"name": "job", "state": container}]}

    def run(self) -> None:
        for state in self.cluster.slow_states:
            self.object["status"] = state
            time.sleep(0.3)
        if self.cluster.never_starts:
            self.state("Pending", waiting=self.cluster.never_starts)
            return
        container = self.spec["containers"][0]
        folder = self.cluster.folder / self.name
        places = {"/inputs": folder / "inputs", "/job": folder / "work"}
        for place in places.values():
            place.mkdir(parents=True)
        files = self.cluster.objects["configmaps"][self.spec["volumes"][0]["configMap"]["name"]]
        for name, text in files["data"].items():
            (places["/inputs"] / name).write_text(text)
        for name, text in files["binaryData"].items():
            (places["/inputs"] / name).write_bytes(base64.b64decode(text))
        environment = {"PATH": os.environ["PATH"], **{item["name"]: item["value"] for item in container["env"]}}
        for source in container["envFrom"]:
            values = self.cluster.objects["secrets"][source["secretRef"]["name"]]["data"]
            environment |= {name: base64.b64decode(value).decode() for name, value in values.items()}
        command = [part.replace("/inputs", str(places["/inputs"])) for part in container["command"]]
        self.process = subprocess.Popen(
            [sys.executable, *command[1:]],
            cwd=places[container["workingDir"]],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.state("Running", running={"startedAt": "2026-11-21T10:00:00Z"})
        for number, line in enumerate(self.process.stdout):
            self.log.append(f"2026-11-21T10:00:00.{number // 3:09d}Z {line}")  # three lines at each moment
        code = self.process.wait()
        ended = {"exitCode": 128 - code if code < 0 else code, "reason": "Error" if code else "Completed"}
        self.state("Failed" if code else "Succeeded", terminated={**ended, **self.cluster.ends_with})
        self.is_done = True

    def end(self) -> None:
        """As the kubelet does: ask, wait for the time of grace, kill; then the object is gone."""

        def ending() -> None:
            deadline = time.monotonic() + self.spec["terminationGracePeriodSeconds"]
            if self.process and self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                while self.process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.02)
                self.process.kill()
            self.cluster.pods.pop(self.name, None)
            self.is_done = True

        threading.Thread(target=ending, daemon=True).start()


class FakeKubernetes:
    """The server; tests set how its pods behave, and what goes wrong on the way.

    Args:
        folder: Where pods have their volumes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects: dict[str, dict[str, Any]] = {"jobs": {}, "secrets": {}, "configmaps": {}}
        self.pods: dict[str, Pod] = {}
        self.events: list[dict[str, Any]] = []
        self.slow_states: list[dict[str, Any]] = []
        self.never_starts: dict[str, str] | None = None
        self.ends_with: dict[str, Any] = {}
        self.no_pods = False
        self.faults: list[tuple[str, str, int, dict[str, str]]] = []  # method, part of the path, status, headers
        self.cut_logs_after: list[int] = []  # lines; one for each connection that breaks
        self.lost_answers: list[str] = []  # plurals whose creation is done and not answered
        self.requests: list[tuple[str, str, Any]] = []
        outer = self

        class Handler(_Handler):
            cluster = outer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def kubeconfig(self) -> dict[str, Any]:
        server = f"http://127.0.0.1:{self.server.server_port}"
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": server}}],
            "users": [{"name": "test", "user": {"token": "made-up"}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def changed(self, job: dict[str, Any]) -> None:
        """What the job controller does with a Job."""
        name = job["metadata"]["name"]
        pods = [pod for pod in self.pods.values() if pod.job is job]
        if job["spec"]["suspend"] or name not in self.objects["jobs"]:
            for pod in pods:
                pod.end()
        elif not pods and not self.no_pods:
            pod = Pod(self, job)
            self.pods[pod.name] = pod

    def delete(self, plural: str, name: str) -> bool:
        gone = self.objects[plural].pop(name, None)
        if plural == "jobs" and gone:
            self.changed(gone)
            for kind in ("secrets", "configmaps"):
                self.objects[kind] = {
                    key: value
                    for key, value in self.objects[kind].items()
                    if value["metadata"]["ownerReferences"][0]["uid"] != gone["metadata"]["uid"]
                }
        return gone is not None


class _Handler(BaseHTTPRequestHandler):
    cluster: FakeKubernetes
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        """Keep the tests' output quiet."""

    def answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def refuse(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        self.answer(status, {"kind": "Status", "status": "Failure", "message": message, "code": status}, headers)

    def handle_one(self) -> None:
        url = urlsplit(self.path)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        self.cluster.requests.append((self.command, self.path, body))
        for fault in self.cluster.faults:
            if fault[0] == self.command and fault[1] in self.path:
                self.cluster.faults.remove(fault)
                return self.refuse(fault[2], f"fault {fault[2]}", fault[3])
        plural, name, log = _PATH.match(url.path).groups()  # type: ignore[union-attr]
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if log:
            return self.stream_log(name, query)
        if self.command == "POST":
            return self.create(plural, body)
        if plural == "pods":
            wanted = query["labelSelector"].split("=")
            found = [
                p.object
                for p in list(self.cluster.pods.values())
                if p.object["metadata"]["labels"][wanted[0]] == wanted[1]
            ]
            return self.answer(200, {"items": found})
        if plural == "events":
            return self.answer(200, {"items": self.cluster.events})
        if name not in self.cluster.objects[plural]:
            return self.refuse(404, f'{plural} "{name}" not found')
        if self.command == "DELETE":
            self.cluster.delete(plural, name)
            return self.answer(200, {"status": "Success"})
        found = self.cluster.objects[plural][name]
        if self.command == "PATCH":
            found["spec"].update(body["spec"])
            self.cluster.changed(found)
        return self.answer(200, found)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_one

    def create(self, plural: str, body: dict[str, Any]) -> None:
        name = body["metadata"]["name"]
        if name in self.cluster.objects[plural]:
            return self.refuse(409, f'{plural} "{name}" already exists')
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name):
            return self.refuse(422, f"{name}: a lowercase RFC 1123 label must consist of lower case alphanumerics")
        for key, value in body["metadata"]["labels"].items():
            if not re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", value):
                return self.refuse(422, f"metadata.labels: Invalid value for {key}: {value}")
        body["metadata"]["uid"] = f"uid-{name}"
        self.cluster.objects[plural][name] = body
        if plural == "jobs":
            self.cluster.changed(body)
        if plural in self.cluster.lost_answers:
            self.cluster.lost_answers.remove(plural)
            self.close_connection = True
            return None
        return self.answer(201, body)

    def stream_log(self, name: str, query: dict[str, str]) -> None:
        pod = self.cluster.pods.get(name)
        if pod is None:
            return self.refuse(404, f'pods "{name}" not found')
        cut = self.cluster.cut_logs_after.pop(0) if self.cluster.cut_logs_after else None
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent = 0
        with suppress(OSError):
            while True:
                is_done = pod.is_done
                for line in pod.log[sent:]:
                    if cut is not None and sent >= cut:
                        self.close_connection = True  # in the middle of a chunked answer
                        return None
                    content = line.encode()
                    self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
                    sent += 1
                if is_done or query.get("follow") != "true":
                    break
                time.sleep(0.02)
            self.wfile.write(b"0\r\n\r\n")
        return None
