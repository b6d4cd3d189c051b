import json
import os
from pathlib import Path

from components.compute.watch import Watch
from components.notebooks.kept import keep
from tests.components.notebooks.project import code, failure_of, notebook, text

RECORD = """
from IPython.display import display
display({"application/vnd.dagster.metadata+json": VALUES, "text/plain": ""}, raw=True)
"""


def test_a_notebook_runs_with_its_parameters_partition_and_context(project):
    project.add(
        notebook(
            text("# Study"),
            code("segments = 2\nday = ''\npartition_start = None\nrun_context = {}", "parameters"),
            code("import os, helpers\nopen('segments.csv', 'w').write(helpers.line(segments, day))"),
            code("VALUES = {'segments': segments, 'day': day, 'start': partition_start, **run_context}\n" + RECORD),
            code(
                "print('threads', os.environ['OMP_NUM_THREADS'], os.environ['COLOUR'])\nopen('made.txt', 'w').close()"
            ),
        ),
        parameters={"segments": 4, "day": "on {{ partition.key }}"},
        partition={"by": "daily", "start": "2026-01-01"},
        experiment={"id": "segments-q4", "tags": ["customers"]},
        environment={"COLOUR": "blue"},
        files=["helpers.py"],
        outputs=["segments.csv"],
    ).joinpath("helpers.py").write_text("def line(count, day): return f'{count},{day}'")
    metadata = project.materialize("2026-01-02")
    assert metadata["segments"] == 4
    assert metadata["day"] == "on 2026-01-02"
    assert metadata["start"] == "2026-01-02T00:00:00"
    assert (metadata["experiment_id"], metadata["run_date"], metadata["environment"]) == (
        "segments-q4",
        "2026-01-02",
        "local",
    )
    assert metadata["experiment_tags"] == ["customers"]
    assert metadata["asset_key"] == "research/study"
    assert Path(metadata["output/segments.csv"]).read_text() == "4,on 2026-01-02"
    assert (metadata["compute_size"], metadata["compute_profile"]) == ("small", "local")
    assert metadata["run_seconds"] > 0.5
    assert metadata["peak_memory_mb"] > 50
    assert 0 < metadata["cost_usd"] < 0.01
    rendered = Path(metadata["notebook"])
    assert rendered.parent == project.root / "data" / "notebooks" / "research" / "study"
    assert rendered.name.startswith("2026-01-02_")
    assert "threads 1 blue" in rendered.read_text()
    assert "threads 1 blue" in Path(metadata["page"]).read_text()


def test_a_notebook_that_fails_is_kept_and_its_cell_is_named(project):
    project.add(
        notebook(
            text("# Study"),
            code("rows = 1", "parameters"),
            code("print('before the failure')"),
            code("total = 3\nraise ValueError('no rows on that day')"),
            code("print('never')"),
        ),
        parameters={"rows": 2},
    )
    message, metadata = project.failure()
    assert "study.ipynb, cell 4 of 5: ValueError: no rows on that day" in message
    assert "    total = 3\n    raise ValueError('no rows on that day')" in message
    rendered = Path(metadata["notebook"]).read_text()
    assert "before the failure" in rendered
    assert "no rows on that day" in rendered
    assert metadata["cost_usd"] > 0
    assert metadata["compute_size"] == "small"


def test_a_cap_ends_the_notebook_while_it_runs_and_what_it_showed_is_kept(project, monkeypatch):
    started = project.root / "started"

    class PatientWatch(Watch):
        """Lets a busy machine reach the second cell first."""

        def passed(self):
            return super().passed() if started.exists() else None

    monkeypatch.setattr("components.compute.local.Watch", PatientWatch)
    touch = "import os, pathlib, time\npathlib.Path(os.environ['PROJECT_ROOT'], 'started').touch()\ntime.sleep(120)"
    project.add(notebook(code("print('the first cell')"), code(touch)), compute_size="dear", max_cost_usd=1, retries=3)
    result = project.run()
    assert not result.success
    assert "STEP_UP_FOR_RETRY" not in [event.event_type_value for event in result.all_events]
    message, metadata = failure_of(result)
    assert "3600 dollars an hour (dear) it reached its cap of 1 dollars (max_cost)" in message
    assert metadata["cost_usd"] >= 1
    assert metadata["run_seconds"] < 110
    assert "the first cell" in Path(metadata["notebook"]).read_text()


def test_only_the_last_renderings_stay_with_their_pages_and_outputs(tmp_path):
    rendered = tmp_path / "rendered.ipynb"
    rendered.write_text(json.dumps(notebook(code("1 + 1"))))
    for day in range(4):
        kept = keep(rendered, tmp_path, ["research", "study"], f"2026-01-0{day} 10:00", str, number=2)
        kept.folder.mkdir()
        os.utime(kept.notebook, (day, day))
    names = {path.name for path in kept.notebook.parent.iterdir()}
    assert names == {f"2026-01-0{day}-10-00{ending}" for day in (2, 3) for ending in ("", ".ipynb", ".html")}


def test_an_output_that_was_not_written_is_named(project):
    project.add(notebook(code("1 + 1")), outputs=["segments.csv"])
    message, metadata = project.failure()
    assert "did not write segments.csv, which outputs names" in message
    assert "notebook" in metadata


def test_a_notebook_cannot_forge_what_it_cost(project):
    scrap = "{'application/scrapbook.scrap.json+json': {'name': 'glued', 'data': 7, 'encoder': 'json', 'version': 1}}"
    forged = f"VALUES = {{'cost_usd': 0.0, 'score': 0.5, 'names': ['a']}}\n{RECORD}"
    project.add(notebook(code(forged), code(f"display({scrap}, raw=True)  # as scrapbook's glue does")))
    metadata = project.materialize()
    assert metadata["cost_usd"] > 0
    assert metadata["score"] == 0.5
    assert metadata["names"] == ["a"]
    assert metadata["glued"] == 7


def test_what_the_repositorys_notebook_had_shown_before_does_not_come_back(project):
    cell = code("1 + 1")
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "of an older run"}]
    project.add(notebook(cell, code("2 + 2")))
    assert "of an older run" not in json.dumps(json.loads(Path(project.materialize()["notebook"]).read_text()))


def test_a_kernel_that_dies_is_told_from_an_error_in_a_cell(project):
    project.add(notebook(code("print('up')"), code("import os\nos._exit(9)")))
    message, metadata = project.failure()
    assert "study.ipynb: the kernel died; mostly it used more memory than" in message
    assert "notebook" in metadata
