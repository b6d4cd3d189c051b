"""Reproductions: what notebooks, Spark and models say when they load and run."""

from pathlib import Path

from components.ml import (
    BatchInferenceComponent,
    DataValidationComponent,
    ModelTrainingComponent,
    ModelValidationComponent,
)
from components.ml.tracking import tracking
from components.warehouse import SqlTableComponent
from tests.components.ml.chain import GATE, SCORING, TRAINING, run
from tests.components.notebooks.project import POLICY, code, notebook
from tests.docs.troubles import Fixture, Said, loads, reproduces


@reproduces("A notebook does not know a parameter")
def _(get: Fixture) -> Said:
    project, content = get("notebook_project"), notebook(code("rows = 100", "parameters"))
    project.add(content, parameters={"row": 5})
    yield project.load_error()
    project.add(content, parameters={"rows": 5})
    loads(project)


@reproduces("A notebook's kernel is not installed")
def _(get: Fixture) -> Said:
    project, content = get("notebook_project"), notebook(code("rows = 100"))
    project.add(content, kernel="julia-1.9")
    yield project.load_error()
    project.add(content)
    loads(project)


@reproduces("A cell of a notebook fails")
def _(get: Fixture) -> Said:
    project = get("notebook_project")
    project.add(notebook(code("raise ValueError('no rows on that day')")))
    message, metadata = project.failure()
    assert "no rows on that day" in Path(metadata["notebook"]).read_text()
    yield message


@reproduces("A notebook is ended by its cost cap")
def _(get: Fixture) -> Said:
    project = get("notebook_project")
    project.policy(POLICY)
    project.add(notebook(code("import time\ntime.sleep(60)")), compute_size="dear", max_cost_usd=0.5)
    yield project.failure()[0]


@reproduces("The Spark script has no such function")
def _(get: Fixture) -> Said:
    lab = get("lab")
    lab.training("def trian(context):\n    pass\n")
    yield lab.load_error()
    lab.training()
    loads(lab)


@reproduces("A metric to track was not logged")
def _(get: Fixture) -> Said:
    lab = get("lab")
    lab.training("def train(context):\n    context.log_metric('los', 1.0)\n", experiment={"metrics_to_track": ["loss"]})
    yield lab.failure().description


@reproduces("A training is ended by its cap")
def _(get: Fixture) -> Said:
    lab = get("lab")
    lab.training("import time\n\ndef train(context):\n    time.sleep(60)\n", resources={"max_runtime_hours": 0.0005})
    yield lab.failure().description


@reproduces("A rule on the data fails, and nothing after it runs")
def _(get: Fixture) -> Said:
    project = get("project")
    twice = {"key": "raw/people", "description": "People.", "sql": "SELECT * FROM (VALUES (1), (1)) AS people (id)"}
    checks = {"key": "raw/checked", "description": "Checked.", "data": {"table": "raw/people"}, "rules": "rules.yaml"}
    after = {"key": "marts/people", "description": "People.", "sql": "SELECT 1 AS n", "depends_on": ["raw/checked"]}
    project.add(SqlTableComponent, "people", twice)
    folder = project.add(DataValidationComponent, "checks", checks)
    (folder / "rules.yaml").write_text("rules:\n- {check: unique, columns: [id]}\n")
    project.add(SqlTableComponent, "after", after)
    made, found = run(project)
    assert "marts/people" not in made
    yield f"{found['unique_id'].check_name}: {found['unique_id'].description}"
    project.add(SqlTableComponent, "people", {**twice, "sql": "SELECT 1 AS id"})
    assert "marts/people" in run(project)[0]


@reproduces("A model does not pass its gate")
def _(get: Fixture) -> Said:
    project = get("trained")
    project.add(ModelTrainingComponent, "model", TRAINING)
    project.add(ModelValidationComponent, "gate", {**GATE, "thresholds": [{"metric": "accuracy", "minimum": 0.9999}]})
    yield run(project, "ml/wine_gate")[1]["accuracy"].description
    project.add(ModelValidationComponent, "gate", {**GATE, "thresholds": [{"metric": "accuracy", "minimum": 0.8}]})
    assert run(project, "ml/wine_gate")[1]["accuracy"].passed


@reproduces("No model has the alias champion")
def _(get: Fixture) -> Said:
    project = get("trained")
    project.add(BatchInferenceComponent, "predictions", SCORING)
    yield project.failure("ml/wine_predictions")


@reproduces("MLflow does not answer")
def _(get: Fixture) -> Said:
    project, environment = get("trained"), get("monkeypatch")
    environment.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    environment.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    project.add(ModelTrainingComponent, "model", TRAINING)
    yield project.failure()
    environment.delenv("MLFLOW_TRACKING_URI")
    tracking(project.root).activate()


@reproduces("The data lacks the column that a model learns")
def _(get: Fixture) -> Said:
    project = get("wines")
    project.add(ModelTrainingComponent, "model", {**TRAINING, "target": "cultivator"})
    yield project.failure()
