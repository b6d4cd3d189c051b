"""Jobs and their runs: they end as the test says, and scripts whose files are there really run."""

import os
import re
import subprocess
import sys
import threading
import time
from typing import Any

from databricks.sdk.service import jobs as api

from tests.fakes.databricks.volumes import mounted
from tests.fakes.databricks.wire import Ask, Refused, checked, page, route, shaped

_FIRST_RUN = 7000
_ON_COMPUTE = ("spark_python_task", "python_wheel_task", "notebook_task", "spark_jar_task")


class Jobs:
    """Jobs, runs, and how they go.

    Attributes:
        jobs: Settings by job id.
        ends: How tasks end, by key, as result and error.
        looks_until_end: After how many looks at a run it ends.
        breaks_down: What a run says that ends by a fault of the platform.
        slow_seconds: How long a script waits for its machine.
        never_starts: What a script's run says whose machine never comes.
    """

    def __init__(self, workspace: Any) -> None:
        self._workspace = workspace
        self.jobs: dict[int, dict[str, Any]] = {}
        self.runs: dict[int, dict[str, Any]] = {}
        self.ends: dict[str, tuple[str, str]] = {}
        self.looks_until_end: float = 2
        self.breaks_down: str | None = None
        self.cancelled: list[int] = []
        self.processes: dict[int, subprocess.Popen[str]] = {}
        self.slow_seconds = 0.0
        self.never_starts: str | None = None
        self.page_size = 20
        self.clusters: dict[str, dict[str, Any]] = {}
        self._tokens: dict[str, int] = {}

    def end_all(self) -> None:
        for process in self.processes.values():
            process.kill()

    @route("GET", "clusters/get")
    def cluster(self, ask: Ask) -> dict[str, Any]:
        if ask.query["cluster_id"] not in self.clusters:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"Cluster {ask.query['cluster_id']} does not exist")
        return {"cluster_id": ask.query["cluster_id"], **self.clusters[ask.query["cluster_id"]]}

    @route("POST", "jobs/create")
    def create(self, ask: Ask) -> dict[str, Any]:
        settings = checked(api.JobsAPI.create, ask.body)
        self._check_tasks(settings.get("tasks") or [], settings, clusters=settings.get("job_clusters"))
        job_id = 1001 + len(self.jobs)
        self.jobs[job_id] = settings
        return {"job_id": job_id}

    @route("POST", "jobs/reset")
    def reset(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.JobsAPI.reset, ask.body)
        self._job(body["job_id"])
        settings = body["new_settings"]
        self._check_tasks(settings.get("tasks") or [], settings, clusters=settings.get("job_clusters"))
        self.jobs[body["job_id"]] = settings
        return {}

    @route("GET", "jobs/list")
    def list_all(self, ask: Ask) -> dict[str, Any]:
        found = [
            {"job_id": job_id, "settings": {key: job[key] for key in ("name", "tags") if key in job}}
            for job_id, job in sorted(self.jobs.items())
            if ask.query.get("name", job["name"]).lower() == job["name"].lower()
        ]
        answer = page(found, ask.query, "jobs", self.page_size, limit="limit")
        return {**answer, "has_more": "next_page_token" in answer}

    @route("GET", "jobs/get")
    def get(self, ask: Ask) -> dict[str, Any]:
        job_id = int(ask.query["job_id"])
        return shaped(api.Job, {"job_id": job_id, "settings": self._job(job_id), "creator_user_name": ask.login})

    @route("POST", "jobs/delete")
    def delete(self, ask: Ask) -> dict[str, Any]:
        self._job(ask.body["job_id"])
        del self.jobs[ask.body["job_id"]]
        return {}

    @route("POST", "jobs/run-now")
    def run_now(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.JobsAPI.run_now, ask.body)
        tasks = self._job(body["job_id"]).get("tasks") or []
        keys = [task["task_key"] for task in tasks]
        if unknown := sorted(set(body.get("only") or []) - set(keys)):
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"only: {unknown} are no tasks of the job")
        chosen = [task for task in tasks if task["task_key"] in (body.get("only") or keys)]
        run_id = self._start(body, chosen, body["job_id"])
        return {"run_id": run_id, "number_in_job": run_id}

    @route("POST", "jobs/runs/submit")
    def submit(self, ask: Ask) -> dict[str, Any]:
        body = checked(api.JobsAPI.submit, ask.body)
        self._check_tasks(body["tasks"], body)
        return {"run_id": self._start(body, body["tasks"], None)}

    @route("GET", "jobs/runs/list")
    def list_runs(self, ask: Ask) -> dict[str, Any]:
        wanted, active = ask.query.get("job_id"), ask.query.get("active_only") == "true"
        found = [
            state
            for run_id, run in sorted(self.runs.items(), reverse=True)
            if wanted in (None, str(run["job_id"]))
            and (state := self._described(run_id))
            and not (active and state["state"]["life_cycle_state"] in ("TERMINATED", "INTERNAL_ERROR", "SKIPPED"))
        ]
        answer = page(found, ask.query, "runs", self.page_size, limit="limit")
        return {**answer, "has_more": "next_page_token" in answer}

    @route("GET", "jobs/runs/get")
    def get_run(self, ask: Ask) -> dict[str, Any]:
        run_id = int(ask.query["run_id"])
        if run_id not in self.runs:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"Run {run_id} does not exist.")
        self.runs[run_id]["looks"] += 1
        return shaped(api.Run, self._described(run_id))

    @route("GET", "jobs/runs/get-output")
    def output(self, ask: Ask) -> dict[str, Any]:
        run_id, number = divmod(int(ask.query["run_id"]), 10)
        run = self.runs[run_id]
        if "logs" in run:
            return shaped(api.RunOutput, {key: run[key] for key in ("logs", "error") if key in run})
        result, said = self.ends.get(run["tasks"][number]["task_key"], ("SUCCESS", ""))
        if result == "UPSTREAM_FAILED":
            raise Refused(400, "INVALID_PARAMETER_VALUE", "Run output is not available: the task never started.")
        return shaped(api.RunOutput, {"error": said, "error_trace": f"Traceback …\n{said}"} if said else {})

    @route("POST", "jobs/runs/cancel")
    def cancel_run(self, ask: Ask) -> dict[str, Any]:
        self.cancel(int(ask.body["run_id"]))
        return {}

    def cancel(self, run_id: int) -> None:
        self.cancelled.append(run_id)
        if process := self.processes.get(run_id):
            process.kill()

    def _job(self, job_id: int) -> dict[str, Any]:
        if job_id not in self.jobs:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"Job {job_id} does not exist.")
        return self.jobs[job_id]

    def _check_tasks(self, tasks: list[Any], body: dict[str, Any], clusters: Any = None) -> None:
        environments = {each["environment_key"] for each in body.get("environments") or []}
        keys, shared = [task["task_key"] for task in tasks], {each["job_cluster_key"] for each in clusters or []}
        if len(set(keys)) < len(keys):
            raise Refused(400, "INVALID_PARAMETER_VALUE", "Duplicate task keys are not allowed")
        for task in tasks:
            name = f"Task {task['task_key']}"
            for before in task.get("depends_on") or []:
                if before["task_key"] not in keys:
                    raise Refused(
                        400, "INVALID_PARAMETER_VALUE", f"{name} depends on a task that is not there: {before}"
                    )
            places = [task.get("new_cluster"), task.get("existing_cluster_id"), task.get("job_cluster_key")]
            if task.get("job_cluster_key") and task["job_cluster_key"] not in shared:
                raise Refused(400, "INVALID_PARAMETER_VALUE", f"{name}: unknown job_cluster_key")
            if sum(map(bool, places)) > 1 or (any(places) and task.get("environment_key")):
                problem = "One of new_cluster, environment_key must be specified."
                raise Refused(400, "INVALID_PARAMETER_VALUE", f"{name}: {problem}")
            script = "spark_python_task" in task or "python_wheel_task" in task
            if script and not any(places) and task.get("environment_key") not in environments:
                problem = "One of job_cluster_key, new_cluster, or existing_cluster_id must be specified."
                raise Refused(400, "INVALID_PARAMETER_VALUE", f"{name}: {problem}")

    def _start(self, body: dict[str, Any], tasks: list[Any], job_id: int | None) -> int:
        with self._workspace.lock:
            token = body.get("idempotency_token")
            if token and token in self._tokens:
                return self._tokens[token]
            run_id = _FIRST_RUN + len(self.runs)
            if token:
                self._tokens[token] = run_id
            self.runs[run_id] = {"asked": body, "tasks": tasks, "looks": 0, "job_id": job_id}
            self.runs[run_id]["keys"] = [task["task_key"] for task in tasks]
        scripts = [task["spark_python_task"] for task in tasks if task.get("spark_python_task")]
        if scripts and self._workspace.files.place(scripts[0]["python_file"]).is_file():
            self.runs[run_id]["state"] = {"life_cycle_state": "PENDING", "state_message": ""}
            threading.Thread(target=self._execute, args=(run_id, tasks[0], scripts[0]), daemon=True).start()
        return run_id

    def _described(self, run_id: int) -> dict[str, Any]:
        run = self.runs[run_id]
        ended = run["looks"] > self.looks_until_end
        tasks = []
        for number, task in enumerate(run["tasks"]):
            result = self.ends.get(task["task_key"], ("SUCCESS", ""))[0] if ended else None
            state = run.get("state") or _state("CANCELED" if run_id in self.cancelled else result)
            tasks.append({"run_id": run_id * 10 + number, "task_key": task["task_key"], "state": state})
        results = {task["state"].get("result_state") for task in tasks}
        overall = next((bad for bad in ("FAILED", "TIMEDOUT", "CANCELED", None) if bad in results), "SUCCESS")
        state = run.get("state") or _state(overall)
        if self.breaks_down and ended:
            state = {"life_cycle_state": "INTERNAL_ERROR", "result_state": "FAILED", "state_message": self.breaks_down}
        described = {
            "run_id": run_id,
            "run_name": run["asked"].get("run_name", ""),
            "run_page_url": f"{self._workspace.address}/?o=1#job/1/run/{run_id}",
            "state": state,
            "tasks": tasks,
            "job_parameters": [
                {"name": name, "value": value} for name, value in (run["asked"].get("job_parameters") or {}).items()
            ],
        }
        return {**described, "job_id": run["job_id"] or 1}

    def _execute(self, run_id: int, task: dict[str, Any], script: dict[str, Any]) -> None:
        run, place = self.runs[run_id], self._workspace.files.place
        time.sleep(self.slow_seconds)
        if run_id in self.cancelled:
            run["state"] = _state("CANCELED")
            return
        if self.never_starts:
            failed = {"life_cycle_state": "INTERNAL_ERROR", "result_state": "FAILED"}
            run["state"] = {**failed, "state_message": self.never_starts}
            return
        cluster = task.get("new_cluster") or {}
        login = {"DATABRICKS_HOST": self._workspace.address, "DATABRICKS_TOKEN": "of-the-runtime"}
        variables = {key: self._resolved(text) for key, text in cluster.get("spark_env_vars", {}).items()}
        given = run["asked"].get("job_parameters") or {}
        texts = [mounted(_filled(text, given), place) for text in script.get("parameters") or []]
        self.processes[run_id] = process = subprocess.Popen(
            [sys.executable, place(script["python_file"]), *texts],
            env={"PATH": os.environ["PATH"], **login, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        run["state"] = {"life_cycle_state": "RUNNING", "state_message": "In run"}
        run["logs"], _ = process.communicate()
        result = "CANCELED" if run_id in self.cancelled else "FAILED" if process.returncode else "SUCCESS"
        if result == "FAILED":
            run["error"] = f"SystemExit: {process.returncode}"
        run["state"] = _state(result)

    def _resolved(self, text: str) -> str:
        reference = re.fullmatch(r"\{\{secrets/([^/]+)/([^/]+)\}\}", text)
        return self._workspace.files.scopes[reference[1]][reference[2]] if reference else text


def _filled(text: str, parameters: dict[str, str]) -> str:
    """A parameter whose references to job parameters are replaced."""
    for name, value in parameters.items():
        text = text.replace("{{job.parameters." + name + "}}", value)
    return text


def _state(result: str | None) -> dict[str, str]:
    if result is None:
        return {"life_cycle_state": "RUNNING", "state_message": "In run"}
    said = {"SUCCESS": "", "CANCELED": "Run cancelled."}.get(result, "Workload failed, see run output for details")
    return {"life_cycle_state": "TERMINATED", "result_state": result, "state_message": said}
