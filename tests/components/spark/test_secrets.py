import sqlite3
import tempfile
from pathlib import Path

import pytest

SECRET = 'p"lanted-7f3c\\9'
LEAKY = """
import os

def train(context):
    key = os.environ["API_KEY"]
    print("the key is", key, flush=True)
    context.log_metric("length", len(key))
    {end}
"""


@pytest.mark.parametrize("end", ["context.save_model(b'x')", "raise ValueError(f'refused {key}')"])
def test_a_secret_reaches_the_script_and_nothing_that_a_run_writes(lab, monkeypatch, capfd, tmp_path_factory, end):
    # Runs of other tests have their folders elsewhere.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
    monkeypatch.setenv("API_KEY", SECRET)
    lab.training(LEAKY.replace("{end}", end), secrets=["API_KEY"])
    result = lab.run(raises=False)
    assert result.success is end.startswith("context")
    events = "\n".join(str(event) for event in result.all_events)
    logs = "".join(capfd.readouterr())
    assert "the key is ***" in logs
    assert lab.mlflow_runs()[0].data.metrics == {"length": len(SECRET)}
    if not result.success:
        assert "refused ***" in events
    with sqlite3.connect(lab.root / "data/mlflow.db") as database:
        rows = "\n".join(database.iterdump())
    files = b"".join(path.read_bytes() for path in lab.root.rglob("*") if path.is_file())
    for text in (events, logs, rows, files.decode(errors="replace")):
        assert "lanted-7f3c" not in text
    assert not list(Path(tempfile.gettempdir()).glob("spark-job-*/job/result.json"))


def test_a_missing_secret_is_named(lab, monkeypatch):
    monkeypatch.delenv("API_KEY", raising=False)
    lab.training(secrets=["API_KEY"])
    assert "secrets: secret 'API_KEY': the environment variable API_KEY is not set" in lab.failure().description


def test_the_rest_of_the_environment_stays_outside(lab, monkeypatch):
    monkeypatch.setenv("OTHER_KEY", "hidden-value")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-value")
    script = "import os\n\ndef train(context):\n    context.log_metric('seen', 'hidden-value' in os.environ.values())\n"
    lab.training(script, environment={"MODE": "test"})
    assert lab.materialize()["metric/seen"] == 0


def test_plain_variables_reach_the_script(lab):
    script = "import os\n\ndef train(context):\n    context.log_metric('n', float(os.environ['MODE']))\n"
    lab.training(script, environment={"MODE": "7"})
    assert lab.materialize()["metric/n"] == 7
