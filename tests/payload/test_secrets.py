"""No generated project holds anything that a secret scanner would report."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rendering import answer_sets, asked_questions

# Names of environment variables are no secrets, and neither is the password of the database that a CI job throws away.
NO_SECRETS = ["^[A-Z]+(_[A-Z]+)*$", "^ci$"]
KEY = "AKIA" + "Q1W2E3R4T5Y6U7I8"


def found(folder: Path) -> dict[str, list[str]]:
    exclude = [word for pattern in NO_SECRETS for word in ("--exclude-secrets", pattern)]
    command = [sys.executable, "-m", "detect_secrets", "scan", "--all-files", "--no-verify", *exclude, "."]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return {file: [each["type"] for each in hits] for file, hits in json.loads(done.stdout)["results"].items()}


@pytest.mark.parametrize(
    "name", [name for name, answers in answer_sets().items() if answers["kind"] == name != "component"]
)
def test_a_secret_scan_finds_nothing(rendered, name: str):
    assert found(rendered(answer_sets()[name])) == {}


def test_a_secret_scan_finds_nothing_in_a_project_with_every_source_and_tool(rendered):
    questions = asked_questions()
    answers = {name: list(questions[name]["choices"].values()) for name in ("sources", "tools")}
    assert found(rendered(answers)) == {}


def test_the_scan_would_find_a_key(rendered):
    project = rendered()
    (project / ".env.example").write_text(f"AWS_ACCESS_KEY_ID={KEY}\n")
    assert found(project) == {".env.example": ["AWS Access Key"]}
