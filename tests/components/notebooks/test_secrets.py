import base64
import json
from pathlib import Path

import pytest

from tests.components.notebooks.project import Project, code, notebook

SECRET = 'pa"ss/w\\örd+77'  # made up; has what JSON, HTML and URLs escape
FORMS = (SECRET, json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1], repr(SECRET)[1:-1])


def written(project: Project) -> dict[Path, bytes]:
    """Every file that the run wrote: renderings, outputs, event log and everything else of Dagster."""
    folders = (project.root, project.home)
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("ending", ["", "raise RuntimeError('refused: ' + token)"])
def test_a_secret_reaches_the_notebook_and_nothing_that_the_run_writes(project, monkeypatch, caplog, ending):
    monkeypatch.setenv("CRM_TOKEN", SECRET)
    monkeypatch.setenv("OTHER_TOKEN", "not-for-this-notebook")
    project.add(
        notebook(
            code("""
                import os, sys, json
                from urllib.parse import quote
                from IPython.display import HTML, display
                token = os.environ["CRM_TOKEN"]
                print("length", len(token), "other", os.environ.get("OTHER_TOKEN"))
                print(token, repr(token), json.dumps({"token": token}), quote(token))
                print("on stderr", token, file=sys.stderr)
                display(HTML(f"<b>{token}</b>"), {"application/vnd.dagster.metadata+json": {"token": token}}, raw=False)
                display({"application/vnd.dagster.metadata+json": {"token": token}, "text/plain": token}, raw=True)
                token
            """),
            code(f"try:\n    raise KeyError(token)\nexcept KeyError as error:\n    print(error)\n{ending}"),
        ),
        secrets=["CRM_TOKEN"],
    )
    result = project.run()
    assert result.success is not bool(ending)
    rendered = project.rendered()[0].read_text()
    assert f"length {len(SECRET)} other None" in rendered  # the notebook had it
    assert "***" in rendered
    json.loads(rendered)
    files = written(project)
    assert any(path.suffix == ".db" for path in files)  # the event log is among them
    needles = [form.encode() for form in FORMS] + [base64.b64encode(SECRET.encode())]
    leaked = {path.name for path, content in files.items() if any(needle in content for needle in needles)}
    assert leaked == set()
    assert SECRET not in caplog.text


def test_a_secret_that_does_not_exist_is_named_and_nothing_runs(project, monkeypatch):
    monkeypatch.delenv("CRM_TOKEN", raising=False)
    project.add(notebook(code("1")), secrets=["CRM_TOKEN"], retries=2)
    message, _ = project.failure()
    assert "CRM_TOKEN" in message
    assert project.rendered() == []


def test_an_output_with_a_secret_in_it_is_not_kept(project, monkeypatch):
    monkeypatch.setenv("CRM_TOKEN", SECRET)
    project.add(
        notebook(code("import os\nopen('dump.txt', 'w', encoding='utf-8').write(os.environ['CRM_TOKEN'])")),
        secrets=["CRM_TOKEN"],
        outputs=["dump.txt"],
    )
    message, _ = project.failure()
    assert "the output dump.txt holds the value of a secret and was not kept" in message
    assert not [path for path, content in written(project).items() if SECRET.encode() in content]
