"""A dbt project in a git repository: cloned by refresh, whole or not at all, without a credential shown."""

import asyncio
import base64
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.dbt.faults import DbtProjectError, Where, redact
from components.dbt.git import clone
from components.dbt.source import CLONES, GitRepository
from tests.components.dbt.harness import SAMPLE, Platform, new_platform

WHERE = Where("defs/transform/defs.yaml")
Starts = Callable[[], list[str]]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@acme.com", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """The URL of a repository with the sample under ``dbt/shop``, and its commits by name."""
    work = tmp_path_factory.mktemp("work")
    shutil.copytree(SAMPLE / "transform", work / "dbt/shop")
    (work / "README.md").write_text("one")
    git(work, "init", "--quiet")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "one")
    commits = {"one": git(work, "rev-parse", "HEAD")}
    git(work, "tag", "v1.0.0")
    git(work, "checkout", "--quiet", "-b", "next")
    (work / "dbt/shop/models/marts/added.sql").write_text("select 1 as one")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "two")
    commits["two"] = git(work, "rev-parse", "HEAD")
    git(work, "checkout", "--quiet", "main")
    bare = tmp_path_factory.mktemp("served") / "analytics.git"
    git(work, "clone", "--quiet", "--bare", str(work), str(bare))
    return bare.as_uri(), commits


@pytest.fixture
def empty() -> Iterator[Platform]:
    """A platform with a profile and without a dbt project."""
    with new_platform() as platform:
        shutil.rmtree(platform.dbt)
        yield platform


def source(repository: tuple[str, dict[str, str]], **more: Any) -> dict[str, Any]:
    return {"git": repository[0], "subfolder": "dbt/shop", **more}


def refused(root: Path, given: GitRepository) -> str:
    with pytest.raises(DbtProjectError) as caught:
        clone(given, WHERE, root)
    assert [path.name for path in (root / CLONES).iterdir()] == [".gitignore"], "something half-written stayed"
    return str(caught.value)


def test_a_repository_that_was_never_cloned_is_named_with_the_command(
    empty: Platform, repository: tuple[str, dict[str, str]]
) -> None:
    message = empty.refusal(project=source(repository))
    assert f"defs/transform/defs.yaml: project.git: '{repository[0]}' has not been cloned yet" in message
    assert "run: dg utils refresh-defs-state" in message
    assert not (empty.root / CLONES).exists()


@pytest.mark.parametrize("ref", [None, "main", "next", "v1.0.0", "one", "two"])
def test_a_branch_a_tag_and_a_commit_are_checked_out(
    tmp_path: Path, repository: tuple[str, dict[str, str]], ref: str | None
) -> None:
    url, commits = repository
    folder = clone(GitRepository(url, commits.get(ref or "", ref), "dbt/shop"), WHERE, tmp_path)
    assert (folder / "dbt_project.yml").is_file()
    assert (folder / "models/marts/added.sql").is_file() == (ref in ("next", "two"))
    assert folder.parent.parent.parent == tmp_path / CLONES
    assert not (folder.parent.parent / ".git").exists()


def test_a_shortened_commit_is_found(tmp_path: Path, repository: tuple[str, dict[str, str]]) -> None:
    url, commits = repository
    folder = clone(GitRepository(url, commits["two"][:10], "dbt/shop"), WHERE, tmp_path)
    assert (folder / "models/marts/added.sql").is_file()


def test_a_ref_that_is_not_there_is_named_with_those_that_are(
    tmp_path: Path, repository: tuple[str, dict[str, str]]
) -> None:
    message = refused(tmp_path, GitRepository(repository[0], "nxet", "dbt/shop"))
    assert "defs.yaml: project.ref: 'nxet' is not in" in message
    assert "did you mean 'next'" in message
    assert "v1.0.0" in message


def test_a_commit_that_is_not_there_is_named(tmp_path: Path, repository: tuple[str, dict[str, str]]) -> None:
    assert "project.ref: 'deadbeef12'" in refused(tmp_path, GitRepository(repository[0], "deadbeef12", "dbt/shop"))


def test_a_subfolder_without_a_dbt_project_is_named_with_those_that_are(
    tmp_path: Path, repository: tuple[str, dict[str, str]]
) -> None:
    message = refused(tmp_path, GitRepository(repository[0], None, "dbt"))
    assert "project.subfolder: 'dbt'" in message
    assert "has no dbt_project.yml" in message
    assert "dbt/shop" in message


def test_a_subfolder_that_leads_out_of_the_repository_is_refused(
    tmp_path: Path, repository: tuple[str, dict[str, str]]
) -> None:
    message = refused(tmp_path, GitRepository(repository[0], None, "../../elsewhere"))
    assert "leads out of the repository" in message


def test_a_repository_that_is_not_there_is_named(tmp_path: Path) -> None:
    url = (tmp_path / "nowhere.git").as_uri()
    message = refused(tmp_path, GitRepository(url, token_env="NOT_SET_TOKEN"))
    assert f"project.git: '{url}' cannot be read" in message
    assert "NOT_SET_TOKEN (project.token_env) is not set" in message


def test_git_that_is_not_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in refused(tmp_path, GitRepository("file:///nowhere"))


def test_a_failing_refresh_leaves_the_clone_as_it_was(
    tmp_path: Path, repository: tuple[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = GitRepository(repository[0], None, "dbt/shop")
    folder = clone(given, WHERE, tmp_path)
    (folder / "mark").write_text("the first clone")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DbtProjectError):
        clone(given, WHERE, tmp_path)
    assert (folder / "mark").read_text() == "the first clone"


def test_a_refresh_replaces_the_clone(tmp_path: Path, repository: tuple[str, dict[str, str]]) -> None:
    given = GitRepository(repository[0], None, "dbt/shop")
    (clone(given, WHERE, tmp_path) / "mark").write_text("the first clone")
    assert not (clone(given, WHERE, tmp_path) / "mark").exists()


def test_an_external_transport_is_never_run(tmp_path: Path) -> None:
    message = refused(tmp_path, GitRepository(f"ext::touch {tmp_path / 'touched'}"))
    assert "cannot be read" in message
    assert not (tmp_path / "touched").exists()


def test_refs_and_subfolders_have_clones_of_their_own(tmp_path: Path) -> None:
    url = "https://host/analytics.git"
    given = [GitRepository(url), GitRepository(url, "next"), GitRepository(url, None, "dbt")]
    folders = {one.clone_folder(tmp_path).name for one in given}
    assert len(folders) == 3
    assert all(name.startswith("analytics-") for name in folders)


class _Server(http.server.BaseHTTPRequestHandler):
    seen: list[str | None]

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization"))
        self.send_response(401)
        self.send_header("WWW-Authenticate", "Basic")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing_server() -> Iterator[tuple[str, list[str | None]]]:
    """A server that refuses every login, and what was sent to it."""
    handler = type("Handler", (_Server,), {"seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}/analytics.git", handler.seen
    server.shutdown()
    server.server_close()


def recorded_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    record, folder = tmp_path / "git-starts", tmp_path / "bin"
    folder.mkdir()
    real = shutil.which("git")
    (folder / "git").write_text(f'#!/bin/sh\necho "$*" >> "{record}"\nexec "{real}" "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return record


def test_a_token_reaches_the_server_and_no_command_line_or_message(
    tmp_path: Path, refusing_server: tuple[str, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = recorded_git(tmp_path, monkeypatch)
    monkeypatch.setenv("DBT_GIT_TOKEN", "s3cret-token")
    address, seen = refusing_server
    root = tmp_path / "root"
    root.mkdir()
    message = refused(root, GitRepository(f"http://{address}", token_env="DBT_GIT_TOKEN"))
    sent = base64.b64encode(b"x-access-token:s3cret-token").decode()
    assert f"Basic {sent}" in seen
    assert "s3cret-token" not in record.read_text() + message
    assert sent not in record.read_text() + message


def test_credentials_in_a_url_reach_the_server_and_no_command_line_or_message(
    tmp_path: Path, refusing_server: tuple[str, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = recorded_git(tmp_path, monkeypatch)
    address, seen = refusing_server
    root = tmp_path / "root"
    root.mkdir()
    message = refused(root, GitRepository(f"http://ada:p%40ss@{address}"))
    assert "Basic " + base64.b64encode(b"ada:p@ss").decode() in seen
    assert "p%40ss" not in record.read_text() + message
    assert f"http://***@{address}" in message


def test_a_token_is_not_sent_unencrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_GIT_TOKEN", "s3cret-token")
    message = refused(tmp_path, GitRepository("http://git.acme.com/r.git", token_env="DBT_GIT_TOKEN"))
    assert "would send a token unencrypted; use https" in message


def test_no_credential_shows_in_what_a_repository_is_called() -> None:
    given = GitRepository("https://ada:p@ss@git.acme.com/r.git", "main")
    assert "p@ss" not in repr(given) + given.identity
    assert redact("see https://ada:tok@host/x and ssh://git@host/y") == "see https://***@host/x and ssh://***@host/y"


@pytest.mark.e2e
def test_refresh_clones_and_parses_and_loading_then_starts_neither_git_nor_dbt(
    empty: Platform,
    repository: tuple[str, dict[str, str]],
    dbt_starts: Starts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty.write({"project": source(repository)})
    with empty.sandbox.build_component_tree() as tree:
        asyncio.run(tree.load_component(empty.file.parent).refresh_state(empty.root))
    monkeypatch.setenv("PATH", str(tmp_path))
    keys = {spec.key.to_user_string() for spec in empty.load(project=source(repository)).resolve_all_asset_specs()}
    assert "marts/customers" in keys
    assert [start.split()[0] for start in dbt_starts()] == ["parse"]
