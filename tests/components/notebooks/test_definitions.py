import json
import subprocess
import sys
from datetime import UTC, datetime

import dagster as dg
import yaml
from dagster.components.component_scaffolding import scaffold_object

from components.notebooks import NotebookRunnerComponent
from tests.components.notebooks.project import code, notebook


def test_the_asset_has_what_the_policy_asks_for(project):
    folder = project.add(notebook(code("1")), upstream=["marts/customers"], group="research", tags={"tier": "gold"})
    with project.definitions() as definitions:
        spec = next(iter(s for s in definitions.resolve_all_asset_specs() if s.key.path[0] == "research"))
    assert spec.key == dg.AssetKey(["research", "study"])
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == ["marts/customers"]
    assert (spec.owners, spec.group_name, spec.description) == (["team:research"], "research", "A study.")
    assert spec.kinds == {"jupyter", "python"}
    assert spec.tags["tier"] == "gold"
    version = spec.code_version
    (folder / "study.ipynb").write_text(json.dumps(notebook(code("2"))))
    with project.definitions() as definitions:
        changed = next(iter(s for s in definitions.resolve_all_asset_specs() if s.key.path[0] == "research"))
    assert changed.code_version != version


def test_a_schedule_runs_the_last_complete_partition(project):
    project.add(
        notebook(code("1")),
        partition={"by": "daily", "start": "2026-01-01"},
        max_runtime_minutes=30,
        schedule={"cron": "0 2 * * *", "timezone": "Europe/Berlin", "default_status": "running"},
    )
    with project.definitions() as definitions, dg.DagsterInstance.ephemeral() as instance:
        repository = definitions.get_repository_def()
        schedule = repository.get_schedule_def("research_study_schedule")
        assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "Europe/Berlin")
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING

        def tick(*moment: int) -> dg.RunRequest | str | None:
            time = datetime(*moment, tzinfo=UTC)
            context = dg.build_schedule_context(instance, scheduled_execution_time=time, repository_def=repository)
            data = schedule.evaluate_tick(context)
            return data.run_requests[0].partition_key if data.run_requests else data.skip_message

        assert tick(2026, 3, 5, 2) == "2026-03-04"
        assert tick(2026, 1, 1, 2) == "no partition is complete before 2026-01-01 02:00"
        job = repository.get_job("research_study_job")
        assert job.run_tags["dagster/max_runtime"] == "2400"
        assert [key.to_user_string() for key in job.asset_layer.executable_asset_keys] == ["research/study"]


def test_what_the_scaffolder_writes_runs_at_once(project):
    folder = project.root / "src" / "defs" / "my_run"
    kind = f"{NotebookRunnerComponent.__module__}.{NotebookRunnerComponent.__name__}"
    scaffold_object(folder, kind, "{}", "yaml", project.root)
    document = yaml.safe_load((folder / "defs.yaml").read_text())
    content = json.loads((folder / "my_run.ipynb").read_text())
    project.add(content, folder="my_run", **{**document["attributes"], "notebook": "study.ipynb"})
    metadata = project.materialize()
    assert document["attributes"]["key"] == "research/my_run"
    assert metadata["rows"] == 500
    assert 90 < metadata["mean"] < 110
    assert "<svg" in open(metadata["notebook"]).read()  # noqa: PTH123, SIM115 - the chart


def test_the_example_of_the_docstring_is_valid_yaml_for_the_strict_schema():
    import jsonschema

    example = (NotebookRunnerComponent.__doc__ or "").split(".. code-block:: yaml")[1]
    import textwrap

    attributes = yaml.safe_load(textwrap.dedent(example))["attributes"]
    schema = NotebookRunnerComponent.get_model_cls().model_json_schema()
    jsonschema.validate(attributes, schema)


def test_importing_the_family_loads_nothing_heavy():
    heavy = "{'papermill', 'nbformat', 'nbconvert', 'jupyter_core', 'psutil', 'pandas'}"
    code_ = f"import sys, components.notebooks; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code_], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
