import os
import signal
import threading
import time

import dagster as dg
import psutil
import pytest

RUNAWAY = """
import os, subprocess, sys, time

def train(context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    with open(context.parameters["pids"], "w") as file:
        file.write(f"{os.getpid()} {child.pid}")
    for step in range(10):
        context.log_metric("loss", 1 / (step + 1), step)
    time.sleep(600)
"""


def runaway(lab, **changes):
    pids = lab.root / "pids"
    lab.training(RUNAWAY, model={"parameters": {"pids": str(pids)}}, **changes)
    return pids


def living(pids):
    return [pid for pid in map(int, pids.read_text().split()) if is_living(pid)]


def is_living(pid):
    try:  # one that has ended stays known until the system has told whoever is its parent by then
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("size", "resources", "expected"),
    [
        ("large", {"max_cost_usd": 0.1}, "at 72 dollars an hour (large) it reached its cap of 0.1 dollars (max_cost)"),
        ("small", {"max_runtime_hours": 0.0014}, "it reached its cap of 5.04 s (max_runtime)"),
    ],
)
def test_a_runaway_training_is_ended_by_its_cap_and_its_metrics_are_kept(lab, size, resources, expected):
    pids = runaway(lab, compute_size=size, resources=resources)
    failure = lab.failure()
    assert failure.description.startswith("mean_model: ended after 5 s: ")
    assert expected in failure.description
    assert failure.allow_retries is False
    assert failure.metadata["cost_usd"].value == pytest.approx(0.1 if size == "large" else 5 * 0.5 / 3600, rel=0.2)
    assert failure.metadata["metric/loss"].value == 0.1
    assert living(pids) == []
    [run] = lab.mlflow_runs()
    assert run.info.status == "FAILED"
    history = lab.mlflow().get_metric_history(run.info.run_id, "loss")
    assert len(history) == 10
    assert max(point.timestamp for point in history) < run.info.end_time - 1_000


def test_a_transform_is_ended_too_and_publishes_nothing(lab):
    script = "import time\n\ndef transform(context):\n    time.sleep(600)\n"
    lab.transform(script, entry_point="transform.py", resources={"max_runtime_hours": 0.001})
    assert "data/sums: ended after" in lab.failure().description
    assert sorted(path.name for path in (lab.root / "data").iterdir()) == ["mlflow.db", "points"]


def test_a_cancelled_run_leaves_nothing_running(lab):
    pids = runaway(lab)

    def cancel():
        while not (pids.exists() and len(pids.read_text().split()) == 2):
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=cancel, daemon=True).start()
    with pytest.raises((KeyboardInterrupt, dg.DagsterExecutionInterruptedError)):
        lab.run()
    assert living(pids) == []
    assert lab.mlflow_runs()[0].info.status == "FAILED"


def test_a_size_holds_the_engine_to_its_threads(lab):
    script = (
        "import os\n\ndef train(context):\n"
        "    context.log_metric('threads', float(os.environ['OMP_NUM_THREADS']))\n"
        "    context.log_metric('partitions', float(context.spark.conf.get('spark.sql.shuffle.partitions')))\n"
    )
    lab.policy(compute_sizes={"small": {"threads": 3, "memory_gb": 2, "hourly_cost_usd": 1}})
    lab.training(script)
    metadata = lab.materialize()
    assert (metadata["metric/threads"], metadata["metric/partitions"]) == (3, 3)


def test_more_memory_than_the_size_has_ends_the_training(lab):
    lab.policy(compute_sizes={"small": {"threads": 1, "memory_gb": 0.5, "hourly_cost_usd": 1}})
    lab.training("import time\n\ndef train(context):\n    kept = bytearray(700 * 2**20)\n    time.sleep(60)\n")
    assert "it used more memory than the 0.5 GB of size small" in lab.failure().description


def test_the_job_is_a_process_of_its_own(lab):
    lab.training("import os\n\ndef train(context):\n    context.log_metric('pid', os.getpid())\n")
    pid = lab.materialize()["metric/pid"]
    assert pid != os.getpid()
    assert not is_living(int(pid))
