"""The command ``policy``: what it prints, what it writes, and what it exits with."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.governance.audit_trail import AuditTrail
from components.governance.command import FINE, UNCHECKED, VIOLATIONS, main
from components.governance.rule_book import RULE_BOOK
from tests.components.governance.projects import ASSETS, GOVERNED, PLAIN, POLICY, place, project

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize("definitions", [GOVERNED, PLAIN])
def test_violations_and_waivers_are_told_to_people(
    definitions: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    root = project(tmp_path, definitions=definitions)

    assert main(["check", "--project", str(root)]) == VIOLATIONS

    said = capsys.readouterr().out
    assert f"raw/bad ({place(root, 9)})\n  owner: owners are missing" in said
    assert "raw/old: description until 2999-01-01 (team:data: Goes <soon>.)" in said
    assert "3 assets checked; policy.yaml " in said


def test_a_project_that_follows_its_policy_exits_with_0_also_where_something_is_waived(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    root = project(tmp_path, assets=ASSETS.replace('"bad"], ', '"bad"], owners=["team:data"], '))

    assert main(["check", "--project", str(root)]) == FINE
    assert "is followed." in capsys.readouterr().out


def test_in_mode_warn_the_check_still_tells_violations(tmp_path: Path):
    root = project(tmp_path, policy=POLICY + "mode: warn\n")

    assert main(["check", "--project", str(root), "--format", "sarif", "--output", str(root / "s.sarif")]) == VIOLATIONS
    (run,) = json.loads((root / "s.sarif").read_text())["runs"]
    assert {result["level"] for result in run["results"]} == {"warning"}


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda root: (root / "policy.yaml").write_text("version: 1\nmod: warn\n"), "policy.yaml:2: mod: 'warn': unkn"),
        (lambda root: (root / "policy.yaml").unlink(), "has no policy.yaml"),
        (lambda root: (root / "pyproject.toml").unlink(), "pyproject.toml is missing"),
        (lambda root: (root / "pyproject.toml").write_text("[x"), "pyproject.toml: this is not TOML"),
        (lambda root: (root / "pyproject.toml").write_text("[tool]\n"), "tool.dg.project.root_module is missing"),
        (
            lambda root: next(root.rglob("defs/assets.py")).write_text("import no_such_thing\n"),
            "No module named 'no_such_thing'",
        ),
    ],
)
def test_what_cannot_be_checked_exits_with_2_says_why_and_writes_nothing(
    break_it: Any, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    root = project(tmp_path)
    break_it(root)

    code = main(["check", "--project", str(root), "--format", "json", "--output", str(root / "out.json")])

    assert code == UNCHECKED
    assert message in capsys.readouterr().err
    assert not (root / "out.json").exists()


def test_a_folder_that_is_none_and_an_output_that_cannot_be_written_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["check", "--project", str(tmp_path / "nowhere")]) == UNCHECKED
    assert "nowhere is not a folder" in capsys.readouterr().err
    assert main(["schema", "--output", str(tmp_path)]) == UNCHECKED
    assert f"--output: {tmp_path} cannot be written" in capsys.readouterr().err


def test_a_rule_is_explained_and_one_that_is_none_gets_a_hint(capsys: pytest.CaptureFixture[str]):
    assert main(["explain", "retention"]) == FINE
    assert "GDPR Art. 5(1)(e)" in capsys.readouterr().out
    assert main(["explain", "retetion"]) == UNCHECKED
    assert capsys.readouterr().err == "'retetion' is no rule; did you mean retention?\n"
    assert main(["explain"]) == FINE
    assert capsys.readouterr().out.count("\n") == len(RULE_BOOK)


def test_the_schema_is_written(tmp_path: Path):
    assert main(["schema", "--output", str(tmp_path / "policy.schema.json")]) == FINE
    assert "waivers" in json.loads((tmp_path / "policy.schema.json").read_text())["properties"]


def test_the_trail_is_read_by_asset_and_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = project(tmp_path)
    trail = AuditTrail(root / "data" / "audit.jsonl")
    trail.append([{"asset": "raw/good", "owners": "team:data", "run_id": "1"}, {"asset": "raw/bad", "run_id": "2"}])

    assert main(["audit", "--project", str(root), "--asset", "raw/good"]) == FINE
    table = capsys.readouterr().out
    assert "raw/good" in table
    assert "raw/bad" not in table
    assert main(["audit", "--project", str(root), "--format", "json"]) == FINE
    assert [json.loads(line)["run_id"] for line in capsys.readouterr().out.splitlines()] == ["1", "2"]
    assert main(["audit", "--project", str(root), "--verify"]) == FINE
    trail.path.write_text(trail.path.read_text().replace("team:data", "team:else"))
    capsys.readouterr()
    assert main(["audit", "--project", str(root), "--verify"]) == VIOLATIONS
    assert "audit.jsonl:2: does not follow" in capsys.readouterr().err


@pytest.mark.e2e
def test_the_module_is_a_command_and_dg_launch_leaves_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = project(tmp_path, policy=POLICY.replace("require: [owner, description]\n", ""))
    (root / "home").mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(root / "src")]),
        "DAGSTER_HOME": str(root / "home"),
    }
    for command in (
        ["components.governance", "explain", "owner"],
        ["dagster_dg_cli.cli", "launch", "--assets", "key:raw/good"],
    ):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", *command], cwd=root, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-1_500:] + done.stderr[-1_500:]

    assert main(["audit", "--project", str(root), "--asset", "raw/good", "--format", "json"]) == FINE
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["launched_by"].startswith("user ")
