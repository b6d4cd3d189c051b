"""A local Databricks workspace with jobs: lists them in pages, starts runs, and lets tests say how tasks end."""

import threading
from http.server import ThreadingHTTPServer
from typing import Any

from tests.components.compute.fake_databricks import _Handler

TOKEN = "made-up"
JOBS: dict[int, dict[str, Any]] = {
    1001: {
        "name": "Daily Sales",
        "tasks": [
            {"task_key": "extract", "notebook_task": {"notebook_path": "/Shared/extract"}},
            {
                "task_key": "load",
                "depends_on": [{"task_key": "extract"}],
                "spark_python_task": {"python_file": "/Workspace/load.py", "parameters": ["--full"]},
            },
            {"task_key": "models", "depends_on": [{"task_key": "load"}], "dbt_task": {"commands": ["dbt run"]}},
        ],
    },
    1002: {"name": "Cleaning", "tasks": [{"task_key": "vacuum", "notebook_task": {"notebook_path": "/Shared/vacuum"}}]},
    1003: {"name": "Unwanted", "tasks": [{"task_key": "other", "notebook_task": {"notebook_path": "/Shared/other"}}]},
}


class JobsWorkspace:
    """The server.

    Tests set how tasks end, by key, as result and error; after how many looks a run ends; and faults by path.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self.faults: list[tuple[str, int, dict[str, str]]] = []
        self.runs: dict[int, dict[str, Any]] = {}
        self.ends: dict[str, tuple[str, str]] = {}
        self.looks_until_end: float = 2
        self.breaks_down: str | None = None
        self.cancelled: list[int] = []
        outer = self

        class Handler(JobsHandler):
            workspace = outer  # type: ignore[assignment]

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def asked(self, part: str) -> int:
        return sum(part in path for _, path, _ in self.requests)

    def start(self, asked: dict[str, Any], tasks: list[str]) -> dict[str, Any]:
        run_id = 7000 + len(self.runs)
        self.runs[run_id] = {"asked": asked, "tasks": tasks, "looks": 0}
        return {"run_id": run_id, "number_in_job": run_id}

    def state(self, run_id: int) -> dict[str, Any]:
        run = self.runs[run_id]
        run["looks"] += 1
        ended = run["looks"] > self.looks_until_end
        tasks = []
        for number, key in enumerate(run["tasks"]):
            result = self.ends.get(key, ("SUCCESS", ""))[0] if ended else None
            if run_id in self.cancelled:
                result = "CANCELED"
            tasks.append({"run_id": run_id * 10 + number, "task_key": key, "state": _state(result)})
        results = {task["state"].get("result_state") for task in tasks}
        overall = next((bad for bad in ("FAILED", "CANCELED", None) if bad in results), "SUCCESS")
        state = _state(overall)
        if self.breaks_down and ended:
            state = {"life_cycle_state": "INTERNAL_ERROR", "result_state": "FAILED", "state_message": self.breaks_down}
        page = f"{self.address}/?o=1#job/1/run/{run_id}"
        return {"run_id": run_id, "job_id": 1001, "run_page_url": page, "state": state, "tasks": tasks}


def _state(result: str | None) -> dict[str, str]:
    if result is None:
        return {"life_cycle_state": "RUNNING", "state_message": "In run"}
    said = {"SUCCESS": "", "CANCELED": "Run cancelled."}.get(result, "Workload failed, see run output for details")
    return {"life_cycle_state": "TERMINATED", "result_state": result, "state_message": said}


class JobsHandler(_Handler):
    """What the Jobs API answers."""

    workspace: JobsWorkspace  # type: ignore[assignment]

    def on_jobs_list(self, asked: dict[str, Any]) -> None:
        ids = sorted(JOBS)
        page = int(asked.get("page_token") or 0)
        found = [{"job_id": ids[page], "settings": {"name": JOBS[ids[page]]["name"]}}]
        more = page + 1 < len(ids)
        self.answer(200, {"jobs": found, "has_more": more, **({"next_page_token": str(page + 1)} if more else {})})

    def on_jobs_get(self, asked: dict[str, Any]) -> None:
        self.answer(200, {"job_id": int(asked["job_id"]), "settings": JOBS[int(asked["job_id"])]})

    def on_jobs_run_now(self, asked: dict[str, Any]) -> None:
        keys = asked.get("only") or [task["task_key"] for task in JOBS[asked["job_id"]]["tasks"]]
        self.answer(200, self.workspace.start(asked, keys))

    def on_jobs_runs_submit(self, asked: dict[str, Any]) -> None:
        environments = {environment["environment_key"] for environment in asked.get("environments", [])}
        for task in asked["tasks"]:
            script = "spark_python_task" in task or "python_wheel_task" in task
            if script and "existing_cluster_id" not in task and task.get("environment_key") not in environments:
                problem = "One of job_cluster_key, new_cluster, or existing_cluster_id must be specified."
                return self.refuse(400, "INVALID_PARAMETER_VALUE", f"Task {task['task_key']}: {problem}")
        return self.answer(200, self.workspace.start(asked, [task["task_key"] for task in asked["tasks"]]))

    def on_jobs_runs_get(self, asked: dict[str, Any]) -> None:
        self.answer(200, self.workspace.state(int(asked["run_id"])))

    def on_jobs_runs_get_output(self, asked: dict[str, Any]) -> None:
        run_id, number = divmod(int(asked["run_id"]), 10)
        key = self.workspace.runs[run_id]["tasks"][number]
        _, error = self.workspace.ends.get(key, ("", ""))
        if not error:
            return self.refuse(400, "INVALID_PARAMETER_VALUE", "Run output is not available")
        return self.answer(200, {"error": error})

    def on_jobs_runs_cancel(self, asked: dict[str, Any]) -> None:
        self.workspace.cancelled.append(asked["run_id"])
        self.answer(200, {})
