"""The questions as a person meets them: key by key, through a pseudo-terminal."""

import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
import yaml

from tests.rendering import asked_questions

DOWN, ENTER = "\x1b[B", "\r"
FAMILIES = list(asked_questions()["families"]["choices"].values())

# What is typed at each question, in the order asked.
SESSIONS = {
    "modern-data": [
        ("What do you want to make", ENTER),
        ("What is the project called", "\x15Flight Analytics" + ENTER),
        ("Who owns the data", "\x15team:ops" + ENTER),
        ("Which warehouse", DOWN + ENTER),
        ("Which dbt project", "\x15https://git.example.com/shop/dbt.git//transform" + ENTER),
        # Space takes the choice that the cursor is on.
        ("Which sources", DOWN + " " + ENTER),
        ("Which other tools", " " + DOWN + " " + ENTER),
        ("Which CI", DOWN + ENTER),
    ],
    "databricks": [
        ("What do you want to make", DOWN + ENTER),
        ("What is the project called", "\x15Flight Lakehouse" + ENTER),
        ("Who owns the data", "\x15team:ops" + ENTER),
        ("Which catalog", "\x15analytics.flights" + ENTER),
        ("What does the workspace run on", DOWN + DOWN + ENTER),
        ("What else", DOWN + " " + ENTER),
        ("Which company package", "\x15acme-components>=1.2" + ENTER),
        ("Which CI", DOWN + ENTER),
    ],
    "ai": [
        ("What do you want to make", DOWN + DOWN + ENTER),
        ("What is the project called", "\x15Help Desk" + ENTER),
        ("Who owns the data", "\x15team:support" + ENTER),
        ("Which models", DOWN + ENTER),
        ("Which vector store", DOWN + DOWN + DOWN + ENTER),
        # Both examples are chosen at first: space adds the third choice.
        ("What does it begin with", DOWN + DOWN + " " + ENTER),
        ("Which company package", "\x15acme-components>=1.2" + ENTER),
        ("Which CI", DOWN + ENTER),
    ],
    "component-package": [
        ("What do you want to make", DOWN + DOWN + DOWN + ENTER),
        ("What is the project called", "\x15Shop Platform" + ENTER),
        ("Who owns the data", "\x15team:platform" + ENTER),
        # All are chosen at first: space takes the first one away.
        ("Which families of components", " " + ENTER),
        ("Which CI", DOWN + ENTER),
        ("How does CI publish", "\x1b[A" + ENTER),
    ],
}
EXPECTED = {
    "modern-data": {
        "kind": "modern-data",
        "project_name": "Flight Analytics",
        "owner": "team:ops",
        "warehouse": "postgres",
        "dbt_project": "https://git.example.com/shop/dbt.git//transform",
        "sources": ["mysql"],
        "tools": ["powerbi", "tableau"],
        "ci": "gitlab",
    },
    "databricks": {
        "kind": "databricks",
        "project_name": "Flight Lakehouse",
        "owner": "team:ops",
        "catalog": "analytics.flights",
        "databricks_compute": "azure",
        "databricks_options": ["mlflow", "bundle"],
        "company_package": "acme-components>=1.2",
        "ci": "gitlab",
    },
    "ai": {
        "kind": "ai",
        "project_name": "Help Desk",
        "owner": "team:support",
        "provider": "openai",
        "vector_store": "qdrant",
        "ai_options": ["documents", "reviews", "minilm"],
        "company_package": "acme-components>=1.2",
        "ci": "gitlab",
    },
    "component-package": {
        "kind": "component-package",
        "project_name": "Shop Platform",
        "owner": "team:platform",
        "families": FAMILIES[1:],
        "ci": "gitlab",
        "publish": "trusted",
    },
}


def start(template: Path, destination: Path) -> pexpect.spawn:
    environment = os.environ | {"PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm"}
    arguments = ["-m", "copier", "copy", str(template), str(destination)]
    return pexpect.spawn(sys.executable, arguments, env=environment, encoding="utf-8", timeout=30, dimensions=(40, 160))


@pytest.mark.parametrize("kind", SESSIONS)
def test_the_questions_are_asked_and_answered_key_by_key(template: Path, tmp_path: Path, kind: str):
    session = start(template, tmp_path / "project")
    for prompt, keys in SESSIONS[kind]:
        session.expect(prompt)
        session.send(keys)
    session.expect(pexpect.EOF)
    session.close()

    recorded = yaml.safe_load((tmp_path / "project" / ".copier-answers.yml").read_text())
    assert session.exitstatus == 0
    assert {key: value for key, value in recorded.items() if not key.startswith("_")} == EXPECTED[kind]


def test_a_wrong_name_is_explained_at_the_prompt_and_can_be_mended(template: Path, tmp_path: Path):
    session = start(template, tmp_path / "project")
    session.expect("What do you want to make")
    session.send(ENTER)
    session.expect("What is the project called")
    session.send("\x15my/project" + ENTER)
    session.expect("for instance")
    session.send("\x15my project" + ENTER)
    for prompt in ("Who owns", "Which warehouse", "Which dbt", "Which sources", "Which other tools", "Which CI"):
        session.expect(prompt)
        session.send(ENTER)
    session.expect(pexpect.EOF)
    assert (tmp_path / "project" / "src" / "my_project").is_dir()


def test_leaving_at_a_question_writes_nothing(template: Path, tmp_path: Path):
    session = start(template, tmp_path / "project")
    session.expect("What do you want to make")
    session.sendintr()
    session.expect(pexpect.EOF)
    session.close()
    assert session.exitstatus != 0
    assert not (tmp_path / "project").exists()


def test_a_folder_with_files_of_ones_own_keeps_them_and_the_conflict_is_named(template: Path, tmp_path: Path):
    (tmp_path / "README.md").write_text("mine\n")
    arguments = [sys.executable, "-m", "copier", "copy", "--defaults", str(template), str(tmp_path)]
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode != 0
    assert "README.md" in done.stderr
    assert (tmp_path / "README.md").read_text() == "mine\n"
