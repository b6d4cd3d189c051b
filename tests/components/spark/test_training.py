import base64
import re
from pathlib import Path

import dagster as dg
import pytest

from tests.components.spark.lab import MEAN, metadata_of

LOGS = "def train(context):\n    context.log_metric({name!r}, {value})\n"


def test_a_script_becomes_a_tracked_model(lab):
    lab.training(
        experiment={"metrics_to_track": ["loss"], "tags": ["nlp"]},
        model={"architecture": "mean", "parameters": {"layers": 24}},
    )
    metadata = lab.materialize()
    [run] = lab.mlflow_runs()
    client = lab.mlflow()
    assert (run.info.run_name, run.info.status) == ("mean_model", "FINISHED")
    assert [point.value for point in client.get_metric_history(run.info.run_id, "loss")] == [1, 1 / 2, 1 / 3]
    assert run.data.params["layers"] == "24"
    assert {"nlp": "true", "team": "research", "dagster.accepted": "true"}.items() <= run.data.tags.items()
    mean = Path(client.download_artifacts(run.info.run_id, "model/mean.txt", str(lab.root)))
    assert float(mean.read_text()) == run.data.metrics["mean"] == pytest.approx(6, rel=0.05)
    assert metadata["model_uri"] == f"runs:/{run.info.run_id}/model"
    assert metadata["metric/loss"] == pytest.approx(1 / 3)
    assert "metric/mean" not in metadata
    assert metadata["training_rows"] + metadata["validation_rows"] == 1_000
    assert 150 < metadata["validation_rows"] < 250
    assert metadata["cost_usd"] == pytest.approx(metadata["run_seconds"] * 0.5 / 3600, rel=0.05)
    assert metadata["spark"].startswith("sail ")


def test_a_metric_with_several_values_is_drawn(lab):
    lab.training()
    metrics = lab.materialize()["metrics"]
    assert "| loss | 0.33333 | 0.33333 | 1 | 3 |" in metrics
    [picture] = re.findall(r"!\[loss\]\(data:image/svg\+xml;base64,(.*?)\)", metrics)
    svg = base64.b64decode(picture).decode()
    assert 'points="8.0,24.0 180.0,90.0 352.0,112.0"' in svg
    assert "loss: 0.33333 to 1" in svg


def test_the_asset_says_who_owns_it_and_what_it_costs(lab):
    lab.training(
        resources={"priority": "high", "max_runtime_hours": 8},
        schedule="0 6 * * *",
        experiment={"tags": ["q3 objective"]},
        depends_on=["data/points"],
    )
    with lab.definitions() as definitions:
        [spec] = [s for s in definitions.resolve_all_asset_specs() if s.key.path[0] == "models"]
        job = definitions.resolve_job_def("train_mean_model")
        [schedule] = definitions.schedules
    assert spec.key == dg.AssetKey(["models", "mean_model"])
    assert (spec.owners, spec.group_name, spec.kinds) == (["team:research"], "research", {"spark", "mlflow"})
    assert spec.description == "The model mean_model trained by research on data/points."
    assert spec.tags["team"] == "research"
    assert "q3-objective" in spec.tags
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == ["data/points"]
    assert job.run_tags["dagster/priority"] == "10"
    assert job.run_tags["dagster/max_runtime"] == str(8 * 3600 + 600)
    assert schedule.cron_schedule == "0 6 * * *"


ROWS = """
def train(context):
    held_out = {row["id"] for row in context.validation.collect()}
    seen = {row["id"] for row in context.training.collect()}
    assert not held_out & seen and len(held_out | seen) == 1_000
    context.log_metric("ids", hash(tuple(sorted(held_out))))
    context.log_metric("groups", len({i % 7 for i in held_out} & {i % 7 for i in seen}))
"""


def test_the_same_rows_are_held_out_every_time(lab):
    lab.training(ROWS)
    first = metadata_of(lab.run())
    assert metadata_of(lab.run())["metric/ids"] == first["metric/ids"]
    assert first["metric/groups"] == 7


def test_rows_with_equal_values_stay_together(lab):
    lab.training(ROWS, data={"source": "data/points", "validation_split": 0.5, "split_by": ["x"]})
    metadata = lab.materialize()
    assert metadata["metric/groups"] == 0
    assert 0 < metadata["validation_rows"] < 1_000


HALVED = "def halved(data):\n    return data.where('id < 500')\n"
COUNT = "\ndef train(context):\n    context.log_metric('n', context.training.count() + context.validation.count())\n"


@pytest.mark.parametrize("place", ["entry point", "beside", "project"])
def test_preprocessing_is_found_by_its_name(lab, place):
    folder = lab.training(
        (HALVED if place == "entry point" else "") + COUNT, data={"source": "data/points", "preprocessing": "halved"}
    )
    if place != "entry point":
        shelf = (folder if place == "beside" else lab.root) / "preprocessing"
        shelf.mkdir()
        (shelf / "halved.py").write_text(HALVED)
    assert lab.materialize()["metric/n"] == 500


def test_a_module_beside_the_entry_point_goes_along(lab):
    folder = lab.training("from helper import answer\n\ndef train(context):\n    context.log_metric('n', answer())\n")
    (folder / "helper.py").write_text("def answer():\n    return 42\n")
    assert lab.materialize()["metric/n"] == 42


def test_a_partition_reaches_the_script(lab):
    script = "def train(context):\n    context.log_metric('day', int(context.partition.start[8:10]))\n"
    lab.training(script, partition={"by": "daily", "start": "2013-01-01"})
    assert lab.materialize("2013-01-05")["metric/day"] == 5
    assert lab.mlflow_runs()[0].data.tags["dagster.partition"] == "2013-01-05"


def test_a_model_may_be_saved_to_a_folder(lab):
    lab.training(model={"save_to": "data/models"})
    metadata = lab.materialize()
    saved = Path(metadata["model_uri"])
    assert saved.parent == lab.root / "data/models/mean_model"
    assert float((saved / "mean.txt").read_text()) == pytest.approx(6, rel=0.05)
    assert lab.mlflow_runs()[0].data.tags["model_uri"] == str(saved)


def test_a_checkpoint_is_read(lab):
    (lab.root / "models").mkdir()
    (lab.root / "models/base").write_bytes(b"12")
    script = "def train(context):\n    context.log_metric('base', float(context.read_checkpoint()))\n"
    lab.training(script, model={"checkpoint": "models/base"})
    assert lab.materialize()["metric/base"] == 12


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (LOGS.format(name="accuracy", value=1), "the script logged no loss; it logged: accuracy"),
        (LOGS.format(name="loss", value="float('nan')"), "the last value of loss is no finite number"),
    ],
)
def test_a_tracked_metric_without_a_number_fails_the_training(lab, script, expected):
    lab.training(script, experiment={"metrics_to_track": ["loss"]})
    failure = lab.failure()
    assert expected in failure.description
    assert failure.allow_retries is False
    assert lab.mlflow_runs()[0].info.status == "FAILED"


BROKEN = (
    "def train(context):\n    context.log_metric('loss', 0.5)\n    helper()\n\ndef helper():\n    raise KeyError('x')\n"
)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (BROKEN, "mean_model: train.py:6 (in helper): KeyError: 'x'"),
        ("import nowhere\n" + MEAN, "mean_model: train.py:1 (in <module>): ModuleNotFoundError: No module named 'now"),
        ("def train(context):\n    context.training.select('nope').count()\n", "train.py:2 (in train): AnalysisExcep"),
        ("def train(context):\n    import os\n    os._exit(7)\n", "the script ended with exit code 7"),
    ],
)
def test_an_error_names_the_line_of_the_script(lab, script, expected):
    lab.training(script)
    failure = lab.failure()
    assert expected in failure.description
    assert failure.metadata["run_seconds"].value > 0
    assert failure.allow_retries is ("exit code" in expected)  # no result: a machine may have been lost


def test_what_was_logged_before_an_error_is_kept(lab):
    lab.training(BROKEN)
    assert lab.failure().metadata["metric/loss"].value == 0.5
    assert lab.mlflow_runs()[0].data.metrics == {"loss": 0.5}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"source": "data/nothing"}, "data.source: 'data/nothing' does not exist"),
        ({"source": "data/empty"}, "data.source: 'data/empty' has no data; expected files, or a table, in"),
        ({"source": "data/points", "split_by": ["who"]}, "data.split_by: no column who; the data has: id, x, y"),
        ({"source": "data/points", "format": "delta"}, "data.source: 'data/points' cannot be read: "),
    ],
)
def test_data_that_is_not_there_is_named(lab, data, expected):
    (lab.root / "data/empty").mkdir()
    lab.training(data=data)
    assert expected in lab.failure().description


@pytest.mark.parametrize("kind", ["csv", "json", "delta"])
def test_every_format_is_found_out(lab, kind):
    folder = lab.root / "data/made"
    if kind == "delta":
        lab.transform(sql="SELECT * FROM points", output={"path": "data/made", "format": "delta"})
        lab.materialize()
        (lab.defs / "transform/defs.yaml").unlink()
    else:
        folder.mkdir()
        lines = {"csv": ["id,x,y", *(f"{i},1.5,a" for i in range(10))], "json": [f'{{"id": {i}}}' for i in range(10)]}
        (folder / f"part.{kind}").write_text("\n".join(lines[kind]))
    script = "def train(context):\n    context.log_metric('number', dict(context.training.dtypes)['id'] == 'bigint')\n"
    lab.training(script, data={"source": "data/made"})
    assert lab.materialize()["metric/number"] == 1
