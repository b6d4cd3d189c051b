"""Models are registered in Unity Catalog by the real MLflow client, with champion and challenger."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

from components.ml.tracking import tracking
from tests.fakes.databricks import FakeWorkspace

pytestmark = pytest.mark.slot("databricks", "model-registry", "fake")
NAME = "acme.ml.delays"


class Half(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [0.5] * len(model_input)


@pytest.fixture
def client(
    fake: FakeWorkspace, tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[mlflow.MlflowClient]:
    """MLflow as the components have it: runs in the project's file, models in Unity Catalog."""
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "databricks-uc")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "data").mkdir()
    shutil.copy(empty_store, tmp_path / "data")
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    found = tracking(tmp_path)
    found.activate()
    yield found.client
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


def saved(folder: Path) -> str:
    signature = ModelSignature(Schema([ColSpec("double", "hour")]), Schema([ColSpec("double")]))
    mlflow.pyfunc.save_model(str(folder), python_model=Half(), signature=signature, pip_requirements=["mlflow-skinny"])
    return str(folder)


def test_a_model_is_registered_with_its_files_and_the_champion_moves(client, fake: FakeWorkspace, tmp_path: Path):
    client.create_registered_model(NAME)
    first = client.create_model_version(NAME, saved(tmp_path / "one"), description="the first")
    second = client.create_model_version(NAME, saved(tmp_path / "two"))
    assert (first.version, second.version, second.status) == ("1", "2", "READY")
    assert fake.files.place("/Models/acme/ml/delays/2/MLmodel").is_file()
    client.set_registered_model_alias(NAME, "champion", "1")
    client.set_registered_model_alias(NAME, "challenger", "2")
    assert client.get_model_version_by_alias(NAME, "challenger").version == "2"
    client.set_registered_model_alias(NAME, "champion", "2")
    client.delete_registered_model_alias(NAME, "challenger")
    assert fake.models.models[NAME]["aliases"] == {"champion": "2"}
    assert {each.version for each in client.search_model_versions(f"name = '{NAME}'")} == {"1", "2"}


def test_a_registered_model_is_loaded_from_the_catalog(client, fake: FakeWorkspace, tmp_path: Path):
    import pandas as pd

    client.create_registered_model(NAME)
    client.create_model_version(NAME, saved(tmp_path / "one"))
    client.set_registered_model_alias(NAME, "champion", "1")
    model = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
    assert model.predict(pd.DataFrame({"hour": [9.0, 18.0]})) == [0.5, 0.5]


def test_a_name_without_catalog_and_schema_is_refused(client):
    with pytest.raises(mlflow.exceptions.MlflowException, match="delays"):
        client.create_registered_model("delays")
