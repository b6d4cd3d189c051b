"""One training: run, tracked, compared and reported."""

import json
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from ..governance.policy import Policy
from ..secrets import redacted
from .baseline import ACCEPTED, find_baseline, verdict
from .jobs import Compute, Outcome, is_on_this_machine, must_run_here, running_job, source_config
from .metrics import MetricStream, metrics_table, without_value
from .notifications import Routes
from .scripts import Scripts

if TYPE_CHECKING:
    from .training import SparkModelTrainingComponent

_PARAM_LENGTH = 500


@dataclass
class TrainingRun:
    """One training of one component.

    Args:
        component: What the YAML says.
        context: The step.
        policy: The project's policy.
        compute: What is asked of compute.
        scripts: The researcher's files.
        routes: Who is told.
        folder: Folder of the YAML.
        project_root: Folder of the project.
    """

    component: "SparkModelTrainingComponent"
    context: dg.AssetExecutionContext
    policy: Policy
    compute: Compute
    scripts: Scripts
    routes: Routes
    folder: Path
    project_root: Path

    def materialize(self) -> dg.MaterializeResult:
        """Train, and tell those who want to know.

        Raises:
            Failure: the training failed, was ended by a cap, or did not log what is tracked.
        """
        name = self.component.model_name
        try:
            result = self._tracked()
        except BaseException as error:  # a cancelled run is one
            told = error.description if isinstance(error, dg.Failure) else f"it was ended ({type(error).__name__})"
            body = f"Run {self.context.run.run_id}\n{told}"
            self.routes.tell_failure(f"Training of {name} failed", body, self.context.log.warning)
            raise
        found: dict[str, Any] = dict(result.metadata or {})
        shown = "\n".join(f"{key}: {value.value}" for key, value in found.items() if _is_short(value))
        checks = "\n".join(f"{check.check_name}: {check.description}" for check in result.check_results or [])
        body = f"Run {self.context.run.run_id}\n{shown}\n{checks}".strip()
        self.routes.tell_completion(f"Training of {name} completed", body, self.context.log.warning)
        return result

    def _tracked(self) -> dg.MaterializeResult:
        from ..ml.tracking import TrackingError, context_tags, tracking

        component, context = self.component, self.context
        mlflow = tracking(self.project_root)
        tags = {
            **context_tags(context, self.compute.owners, self.project_root),
            "team": component.team,
            "compute_size": self.compute.size_name,
            **dict.fromkeys(component.experiment.tags, "true"),
        }
        config = self._config()
        try:
            with mlflow.run(component.team, component.model_name, tags) as run:
                client, run_id = mlflow.client, run.info.run_id
                for key, value in self._params().items():
                    client.log_param(run_id, key, value)
                stream = MetricStream(client, run_id, context.log.info)
                labels = {"team": component.team, "model": component.model_name}
                with running_job(
                    context, self.policy, self.compute, config, self.scripts.files, labels, stream.line
                ) as outcome:
                    stream.finish(outcome.result.folder / "metrics.jsonl")
                    outcome.metadata.update(self._metric_metadata(stream, run_id, mlflow.address))
                    self._refuse_failed(outcome, stream)
                    self._keep_model(outcome, client, run_id, config["save_to"])
                check_results = self._compare(client, run_id, stream.last)
                return dg.MaterializeResult(metadata=outcome.metadata, check_results=check_results)
        except TrackingError as error:
            raise error.as_failure(component.model_name) from None

    def _config(self) -> dict[str, Any]:
        component, data = self.component, self.component.data
        return {
            "job": "train",
            "function": "train",
            "functions": self.scripts.functions,
            "data": source_config(
                data.source, data.format, data.options, self.folder, self.project_root, self.compute, "data.source"
            ),
            "preprocessing": data.preprocessing,
            "validation_split": data.validation_split,
            "split_by": data.split_by,
            "architecture": component.settings.architecture,
            "parameters": component.settings.parameters,
            "checkpoint": self._place(component.settings.checkpoint, "model.checkpoint"),
            "save_to": self._save_to(),
        }

    def _place(self, path: str | None, what: str) -> str | None:
        """A path or address as the job knows it."""
        if not path or not is_on_this_machine(path):
            return path
        must_run_here(path, self.compute, what)
        beside = self.folder / path
        return str((beside if beside.exists() else self.project_root / path).absolute())

    def _save_to(self) -> str | None:
        """A folder that no other run writes to."""
        save_to = self._place(self.component.settings.save_to, "model.save_to")
        run = self.context.run.run_id
        return f"{save_to.rstrip('/')}/{self.component.model_name}/{run}-{uuid.uuid4().hex[:4]}" if save_to else None

    def _params(self) -> dict[str, str]:
        component = self.component
        given = {
            "architecture": component.settings.architecture,
            "checkpoint": component.settings.checkpoint,
            "data.source": component.data.source,
            "data.preprocessing": component.data.preprocessing,
            "data.validation_split": component.data.validation_split,
            **component.settings.parameters,
        }
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items() if v is not None}
        return {key: text[:_PARAM_LENGTH] for key, text in texts.items()}

    def _metric_metadata(self, stream: MetricStream, run_id: str, address: str) -> dict[str, Any]:
        tracked = self.component.experiment.metrics_to_track
        history = stream.history
        found: dict[str, Any] = {
            "mlflow_run_id": dg.MetadataValue.text(run_id),
            "mlflow_tracking": dg.MetadataValue.text(address),
        }
        if history:
            found["metrics"] = dg.MetadataValue.md(metrics_table(history))
        for name in [name for name in history if name in tracked or not tracked]:
            found[f"metric/{name}"] = dg.MetadataValue.float(history[name][-1].value)
        return found

    def _refuse_failed(self, outcome: Outcome, stream: MetricStream) -> None:
        problem = outcome.problem() or without_value(self.component.experiment.metrics_to_track, stream.last)
        if problem:
            raise dg.Failure(
                description=redacted(f"{self.component.model_name}: {problem}", outcome.secrets),
                metadata=outcome.metadata,
                allow_retries=outcome.may_be_repeated,
            )

    def _keep_model(self, outcome: Outcome, client: Any, run_id: str, save_to: str | None) -> None:
        report = outcome.report
        outcome.metadata["training_rows"] = dg.MetadataValue.int(report["training_rows"])
        outcome.metadata["validation_rows"] = dg.MetadataValue.int(report["validation_rows"])
        client.set_tag(run_id, "spark", report["spark"])
        if not report["model_files"]:
            self.context.log.warning("the script saved no model (context.save_model(bytes or path))")
            return
        if save_to:
            uri = save_to
            client.set_tag(run_id, "model_uri", uri)
        else:
            uri = f"runs:/{run_id}/model"
            self._log_model(outcome, client, run_id)
        outcome.metadata["model_uri"] = dg.MetadataValue.text(uri)
        outcome.metadata["model_files"] = dg.MetadataValue.text(", ".join(report["model_files"]))

    def _log_model(self, outcome: Outcome, client: Any, run_id: str) -> None:
        archive_file = outcome.result.folder / "model.zip"
        if not archive_file.is_file():
            raise dg.Failure(
                description=f"{self.component.model_name}: the model did not come back from where it was trained; "
                "set model.save_to to an address, and it is written there",
                metadata=outcome.metadata,
                allow_retries=False,
            )
        unpacked = outcome.result.folder / "unpacked"
        with zipfile.ZipFile(archive_file) as archive:
            archive.extractall(unpacked)
        client.log_artifacts(run_id, str(unpacked), "model")

    def _compare(self, client: Any, run_id: str, metrics: dict[str, float]) -> list[dg.AssetCheckResult]:
        """The baseline's verdict; a model that does not hold is kept, but is nobody's baseline."""
        experiment = self.component.experiment
        results = []
        if experiment.comparison_baseline:
            baseline = find_baseline(experiment.comparison_baseline, self.folder, client)
            results = [verdict(experiment, metrics, baseline)]
        refused = any(not check.passed and check.severity is dg.AssetCheckSeverity.ERROR for check in results)
        client.set_tag(run_id, ACCEPTED, "false" if refused else "true")
        return results


def _is_short(value: Any) -> bool:
    return isinstance(value, dg.TextMetadataValue | dg.FloatMetadataValue | dg.IntMetadataValue)
