import json
import os
import random
import signal
import threading
import time

import pytest

from components.compute import JobError, run_job
from components.governance.policy_compute import ComputeSize, KubernetesProfile
from tests.components.compute.fake_kubernetes import FakeKubernetes
from tests.components.compute.jobs import SECRET

PROFILE = KubernetesProfile(runs_on="kubernetes", image="research:1", namespace="research")
DEAR = ComputeSize(threads=1, memory_gb=1, hourly_cost_usd=3600)


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    fake = FakeKubernetes(tmp_path / "nodes")
    (tmp_path / "kubeconfig").write_text(json.dumps(fake.kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setattr("components.compute.kubernetes.POLL_SECONDS", 0.1)
    yield fake
    for pod in fake.pods.values():
        if pod.process:
            pod.process.kill()
    fake.close()


def assert_nothing_is_left(cluster):
    assert cluster.objects == {"jobs": {}, "secrets": {}, "configmaps": {}}
    deadline = time.monotonic() + 10
    while cluster.pods and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not cluster.pods


def test_a_job_runs_in_a_pod_and_its_outputs_come_back(jobs, cluster):
    cluster.slow_states = [
        {
            "phase": "Pending",
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/3 nodes: no memory",
                }
            ],
        },
        {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]},
    ]
    rows = random.Random(7).randbytes(300_000)  # many pieces
    (jobs.inputs / "rows.bin").write_bytes(rows)
    size = ComputeSize(threads=2, memory_gb=1.5, hourly_cost_usd=0.36, node_type="m7i.large")
    job = jobs.job(
        "import os, pathlib, sys\nprint('hello', sys.argv[1], os.environ['OMP_NUM_THREADS'])\n"
        "pathlib.Path('out').mkdir()\npathlib.Path('out/rows.bin').write_bytes(pathlib.Path('data/rows.bin').read_bytes())",
        arguments=["first"],
        files={"data/rows.bin": jobs.inputs / "rows.bin"},
        outputs=["out/rows.bin"],
        size=size,
        tags={"cost_owner": "research", "asset": "research/customers and more"},
        max_runtime_seconds=600,
    )
    result = run_job(job, PROFILE, jobs.folder, jobs.log)
    assert result.succeeded, result.problem
    assert (result.folder / "out" / "rows.bin").read_bytes() == rows
    assert "hello first 2" in jobs.lines
    assert "waiting: Unschedulable: 0/3 nodes: no memory" in jobs.lines
    assert result.peak_memory_mb > 3
    assert not any("@@" in line for line in jobs.lines)
    made = next(body for method, path, body in cluster.requests if method == "POST" and path.endswith("/jobs"))
    container = made["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "1536Mi"}
    assert made["spec"]["template"]["spec"]["nodeSelector"] == {"node.kubernetes.io/instance-type": "m7i.large"}
    assert 600 <= made["spec"]["activeDeadlineSeconds"] <= 630
    assert made["metadata"]["labels"]["dagster/cost_owner"] == "research"
    assert made["metadata"]["annotations"]["dagster/asset"] == "research/customers and more"
    assert_nothing_is_left(cluster)


def test_a_secret_stands_in_the_secret_object_and_nowhere_else(jobs, cluster):
    job = jobs.job("import os; v = os.environ['TOKEN']; print(len(v), v)", secrets={"TOKEN": SECRET})
    result = run_job(job, PROFILE, jobs.folder, jobs.log)
    assert result.succeeded, result.problem
    assert jobs.lines == [f"{len(SECRET)} ***"]
    others = [entry for entry in cluster.requests if "/secrets" not in entry[1]]
    assert SECRET not in json.dumps(others)
    written = b"".join(path.read_bytes() for path in cluster.folder.rglob("*") if path.is_file())
    assert SECRET.encode() not in written
    assert_nothing_is_left(cluster)


def test_the_pods_own_log_has_no_secret(jobs, cluster, monkeypatch):
    logs = []
    monkeypatch.setattr(cluster, "delete", lambda *names: logs.extend(p.log for p in cluster.pods.values()))
    run_job(
        jobs.job("import os; print(os.environ['TOKEN'])", secrets={"TOKEN": SECRET}), PROFILE, jobs.folder, jobs.log
    )
    text = "".join(logs[0])
    assert " ***\n" in text
    assert SECRET not in text


def test_a_busy_server_lost_answers_and_broken_logs_are_outlasted(jobs, cluster):
    cluster.faults = [
        ("POST", "/jobs", 429, {"Retry-After": "1"}),
        ("POST", "/configmaps", 500, {}),
        ("PATCH", "/jobs", 503, {}),
        ("GET", "/pods?", 502, {}),
        ("GET", "/log", 500, {}),
        ("DELETE", "/jobs", 429, {"Retry-After": "0"}),
    ]
    cluster.lost_answers = ["jobs", "configmaps"]
    cluster.cut_logs_after = [2, 4]
    script = (
        "import time\nfor n in range(8):\n    print('line', n)\n    time.sleep(0.1)\nopen('out', 'w').write('made')"
    )
    started = time.monotonic()
    result = run_job(jobs.job(script, outputs=["out"]), PROFILE, jobs.folder, jobs.log)
    assert result.succeeded, result.problem
    assert jobs.lines == [f"line {n}" for n in range(8)]
    assert (result.folder / "out").read_text() == "made"
    assert time.monotonic() - started > 1
    assert cluster.faults == []
    assert_nothing_is_left(cluster)


def test_a_cap_ends_the_pod_while_it_runs_and_what_it_wrote_comes_back(jobs, cluster):
    script = "import time\nopen('partial', 'w').write('half')\nprint('up')\ntime.sleep(60)"
    job = jobs.job(script, size=DEAR, size_name="dear", max_cost_usd=2, outputs=["partial"])
    result = run_job(job, PROFILE, jobs.folder, jobs.log)
    assert (result.succeeded, result.ended_by) == (False, "max_cost")
    assert 2 <= result.cost_usd < 30
    assert "cap of 2 dollars (max_cost)" in result.problem
    assert (result.folder / "partial").read_text() == "half"
    assert_nothing_is_left(cluster)


def test_a_cancelled_run_leaves_nothing_in_the_cluster(jobs, cluster):
    def cancel() -> None:
        while not any(pod.log for pod in list(cluster.pods.values())):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=cancel).start()
    with pytest.raises(KeyboardInterrupt):
        run_job(jobs.job("import time\nprint('up')\ntime.sleep(60)"), PROFILE, jobs.folder, jobs.log)
    assert_nothing_is_left(cluster)


@pytest.mark.parametrize(
    ("never_starts", "ends_with", "script", "problem"),
    [
        (
            {"reason": "ImagePullBackOff", "message": "pull access denied"},
            {},
            "",
            "ImagePullBackOff: pull access denied",
        ),
        (None, {"reason": "OOMKilled", "exitCode": 137}, "", "OOMKilled: it used more than the 1 GB of size small"),
        (None, {}, "import sys; sys.exit(3)", "the script ended with exit code 3"),
    ],
)
def test_a_pod_that_fails_says_why_in_the_clusters_words(jobs, cluster, never_starts, ends_with, script, problem):
    cluster.never_starts, cluster.ends_with = never_starts, ends_with
    result = run_job(jobs.job(script), PROFILE, jobs.folder, jobs.log)
    assert not result.succeeded
    assert problem in result.problem
    assert_nothing_is_left(cluster)


def test_a_pod_that_somebody_deletes_counts_as_cancelled(jobs, cluster):
    def delete() -> None:
        while not any(pod.log for pod in list(cluster.pods.values())):
            time.sleep(0.05)
        next(iter(cluster.pods.values())).end()

    threading.Thread(target=delete).start()
    result = run_job(jobs.job("import time\nprint('up')\ntime.sleep(60)"), PROFILE, jobs.folder, jobs.log)
    assert not result.succeeded
    assert result.ended_by == "cancelled" or result.exit_code == 143  # seen after, or while it was ended


def test_a_quota_that_forbids_the_pod_is_told_and_max_runtime_ends_the_wait(jobs, cluster, monkeypatch):
    monkeypatch.setattr("components.compute.kubernetes._EVENTS_AFTER_SECONDS", 0.2)
    cluster.no_pods = True
    cluster.events = [{"type": "Warning", "reason": "FailedCreate", "message": "exceeded quota: research"}]
    result = run_job(jobs.job("", max_runtime_seconds=1), PROFILE, jobs.folder, jobs.log)
    assert (result.ended_by, result.cost_usd) == ("max_runtime", 0)
    assert jobs.lines == ["waiting: FailedCreate: exceeded quota: research"]
    assert_nothing_is_left(cluster)


def test_outputs_too_large_for_the_log_are_named(jobs, cluster, monkeypatch):
    monkeypatch.setattr("components.compute.remote.LOG_LIMIT_BYTES", 20_000)
    script = "import os\nopen('big', 'wb').write(os.urandom(50_000))\nopen('small', 'w').write('x')"
    result = run_job(jobs.job(script, outputs=["big", "small"]), PROFILE, jobs.folder, jobs.log)
    assert not result.succeeded
    assert result.problem.startswith("big: outputs of more than")
    assert (result.folder / "small").read_text() == "x"


def test_files_too_large_for_kubernetes_are_refused_before_anything_runs(jobs, cluster):
    (jobs.inputs / "rows.bin").write_bytes(random.Random(7).randbytes(1_000_000))
    with pytest.raises(JobError, match=r"its files are 1.0 MB compressed, and Kubernetes takes 0.9 MB"):
        run_job(jobs.job("", files={"rows.bin": jobs.inputs / "rows.bin"}), PROFILE, jobs.folder, jobs.log)
    assert_nothing_is_left(cluster)


def test_a_cluster_that_refuses_says_what(jobs, cluster):
    cluster.faults = [("POST", "/jobs", 403, {})]
    with pytest.raises(JobError, match=r"the Kubernetes API refused \(403\): fault 403"):
        run_job(jobs.job(""), PROFILE, jobs.folder, jobs.log)


def test_a_context_that_does_not_exist_is_named(jobs, cluster):
    profile = KubernetesProfile(runs_on="kubernetes", image="x", context="elsewhere")
    with pytest.raises(JobError, match=r"no Kubernetes cluster can be used.*elsewhere"):
        run_job(jobs.job(""), profile, jobs.folder, jobs.log)
