"""MLflow of the workspace: its own client, logged in as everything else."""

from pathlib import Path

import mlflow
import pytest

from components.ml.tracking import TrackingError, tracking
from tests.fakes.databricks import FakeWorkspace


@pytest.fixture(autouse=True)
def _in_the_workspace(fake: FakeWorkspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "databricks")
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    yield
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


@pytest.mark.slot("databricks", "mlflow-tracking", "fake")
def test_an_experiment_is_a_path_of_the_workspace_as_it_demands(fake: FakeWorkspace, root: Path):
    with tracking(root).run("ml/delays", "first", {}):
        mlflow.log_metric("accuracy", 0.9)
    with tracking(root).run("ml/delays", "second", {}):
        pass

    assert fake.tracking.experiments == {"/Shared/ml.delays"}
    assert [(run.info.run_name, run.info.status) for run in fake.tracking.runs] == [
        ("second", "FINISHED"),
        ("first", "FINISHED"),
    ]
    assert fake.tracking.runs[1].data.metrics == {"accuracy": 0.9}


def test_an_experiment_that_is_given_as_a_path_stays_where_it_is(fake: FakeWorkspace, root: Path):
    with tracking(root).run("/Users/ann@acme.example/delays", "first", {}):
        pass

    assert fake.tracking.experiments == {"/Users/ann@acme.example/delays"}


def test_a_folder_that_the_workspace_does_not_have_is_told_in_its_words(fake: FakeWorkspace, root: Path):
    with (
        pytest.raises(TrackingError, match=r"Workspace directory '/Shared/no_such' not found"),
        tracking(root).run("/Shared/no_such/delays", "first", {}),
    ):
        pass
