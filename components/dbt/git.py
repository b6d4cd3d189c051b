"""Clone a repository by the git command line: whole or not at all, and without showing a credential."""

import base64
import logging
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from dagster_shared.utils.fs import rmtree

from .faults import DbtProjectError, Where, redact
from .source import CLONES, GitRepository, dbt_folder_in

_TIMEOUT_SECONDS = 900
_COMMIT = re.compile(r"^[0-9a-f]{7,40}$")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_log = logging.getLogger("dagster")


def clone(repository: GitRepository, where: Where, project_root: Path) -> Path:
    """Clone into the project's ``.dbt_projects``, in place of an earlier clone; return the dbt project's folder.

    Raises:
        DbtProjectError: the repository, the ref or the subfolder is not there; the earlier clone stays as it was.
    """
    destination = repository.clone_folder(project_root)
    clones = project_root / CLONES
    clones.mkdir(exist_ok=True)
    (clones / ".gitignore").write_text("*\n")
    work = Path(tempfile.mkdtemp(prefix=".cloning-", dir=clones))
    try:
        git = _Git.for_repository(repository, where, work / "new")
        commit = _checkout(git, repository, where)
        dbt_folder_in(git.folder, repository, where)
        rmtree(git.folder / ".git")
        if destination.exists():
            destination.rename(work / "old")
        git.folder.rename(destination)
    finally:
        rmtree(work)
    _log.info("Cloned %s at %s into %s", repository.identity, commit[:12], destination)
    return dbt_folder_in(destination, repository, where)


@dataclass(frozen=True)
class _Git:
    """The git command in one folder.

    Args:
        folder: Where it works.
        url: The repository's URL without credentials.
        environment: Holds the credentials, which thereby stay off the command line.
    """

    folder: Path
    url: str
    environment: dict[str, str]

    @classmethod
    def for_repository(cls, repository: GitRepository, where: Where, folder: Path) -> "_Git":
        url, login = _split_credentials(repository.url)
        token = os.environ.get(repository.token_env, "") if repository.token_env else ""
        if token:
            login = f"x-access-token:{token}"
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        environment.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
        if login:
            parts = urlsplit(url)
            if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
                raise where.fault("project.git", repository.url, "would send a token unencrypted; use https")
            header = "Authorization: Basic " + base64.b64encode(login.encode()).decode()
            # For this host only, so that a redirect elsewhere does not carry the token along.
            environment |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{parts.scheme}://{parts.netloc}/.extraHeader",
                "GIT_CONFIG_VALUE_0": header,
            }
        folder.mkdir()
        return cls(folder, url, environment)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["git", "-c", "protocol.ext.allow=never", *arguments]
        try:
            return subprocess.run(
                command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_SECONDS,
            )
        except FileNotFoundError:
            raise DbtProjectError("git is not installed, or not on PATH; it is needed to clone a dbt project") from None
        except subprocess.TimeoutExpired:
            raise DbtProjectError(
                f"git {arguments[0]} of {redact(self.url)} took more than {_TIMEOUT_SECONDS} seconds"
            ) from None


def _checkout(git: _Git, repository: GitRepository, where: Where) -> str:
    """Check the ref out and return its commit."""
    git("init", "--quiet")
    fetched = git("fetch", "--quiet", "--depth", "1", "--no-tags", "--", git.url, repository.ref or "HEAD")
    target = "FETCH_HEAD"
    if fetched.returncode:
        _diagnose(git, repository, where)
        # Servers may refuse to send a single commit, and none resolves a shortened one.
        git("fetch", "--quiet", "--", git.url, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
        target = repository.ref or "FETCH_HEAD"
    if git("checkout", "--quiet", "--detach", target).returncode:
        raise _no_such_ref(git, repository, where)
    return git("rev-parse", "HEAD").stdout.strip()


def _diagnose(git: _Git, repository: GitRepository, where: Where) -> None:
    """Say why a fetch failed, unless the ref is a commit that a full fetch may still find."""
    listed = git("ls-remote", "--", git.url)
    if listed.returncode:
        reason = " ".join(line.strip() for line in listed.stderr.splitlines() if line.strip())[:300]
        unset = repository.token_env and not os.environ.get(repository.token_env)
        hint = f"; {repository.token_env} (project.token_env) is not set" if unset else ""
        raise where.fault("project.git", repository.url, f"cannot be read: {redact(reason)}{hint}")
    if repository.ref is None:
        raise where.fault("project.git", repository.url, "has no commit yet")
    if not _COMMIT.match(repository.ref):
        raise _no_such_ref(git, repository, where)


def _no_such_ref(git: _Git, repository: GitRepository, where: Where) -> DbtProjectError:
    names = re.findall(r"refs/(?:heads|tags)/(\S+?)(?:\^\{\})?$", git("ls-remote", "--", git.url).stdout, re.MULTILINE)
    return where.fault("project.ref", repository.ref, f"is not in {redact(repository.url)}", names)


def _split_credentials(url: str) -> tuple[str, str]:
    """The URL without what stands before the ``@``, and that, decoded; ssh URLs keep their user name."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or "@" not in parts.netloc:
        return url, ""
    login, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=host)), unquote(login if ":" in login else f"{login}:")
