"""Documents of a Git repository: a bare copy is kept, and a file is read only when its blob is new."""

import base64
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from ...governance import policy_for
from ...secrets import read_secret
from ..documents.reading import format_of
from .attributes import DocumentSource
from .base import SourceDocument, SourceError

CLONES = "data/git"
_TIMEOUT_SECONDS = 900


def git_documents(source: DocumentSource, project_root: Path) -> Iterator[SourceDocument]:
    """Files of a branch or tag; raises SourceError where the repository cannot be read."""
    repository = _Repository(source, project_root)
    commit = repository.updated()
    folder = (source.folder or "").strip("/")
    listed = repository.git("ls-tree", "-r", "-z", "-l", commit, *(["--", f"{folder}/"] if folder else []))
    for line in listed.decode("utf-8", "surrogateescape").split("\x00"):
        details, _, full = line.partition("\t")
        if not details or details.split()[1] != "blob":
            continue
        _, _, blob, size = details.split()
        path = full.removeprefix(f"{folder}/") if folder else full
        if source.takes(path):
            yield SourceDocument(
                path, format_of(path), repository.reader(blob), int(size), blob, url=source.address(path)
            )


class _Repository:
    """A bare copy of one branch or tag, without history."""

    def __init__(self, source: DocumentSource, project_root: Path) -> None:
        self._source = source
        self._url = source.git or ""
        name = hashlib.sha256(f"{self._url}\n{source.ref}".encode()).hexdigest()[:16]
        self._folder = project_root / CLONES / name
        self._environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        self._environment.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
        if source.token:
            self._log_in(read_secret(policy_for(project_root).secrets, source.token))

    def _log_in(self, token: str) -> None:
        parts = urlsplit(self._url)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise SourceError(f"source {self._source.name}: the token would be sent unencrypted; use https")
        login = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        # For this host only, so that a redirect elsewhere does not carry the token along.
        self._environment |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{parts.scheme}://{parts.netloc}/.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}",
        }

    def updated(self) -> str:
        """Fetch the newest state; its commit."""
        if not (self._folder / "HEAD").exists():
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            self.git("init", "--quiet", "--bare")
        self.git("fetch", "--quiet", "--depth", "1", "--no-tags", "--", self._url, self._source.ref or "HEAD")
        return self.git("rev-parse", "FETCH_HEAD").decode().strip()

    def reader(self, blob: str) -> "_Blob":
        """What reads one file."""
        return _Blob(self, blob)

    def git(self, *arguments: str) -> bytes:
        """What a git command prints."""
        command = ["git", "-c", "protocol.ext.allow=never", "-c", "core.quotePath=false", *arguments]
        try:
            done = subprocess.run(
                command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_SECONDS,
            )
        except FileNotFoundError:
            raise SourceError(f"source {self._source.name}: git is not installed, or not on PATH") from None
        except subprocess.TimeoutExpired:
            raise SourceError(f"source {self._source.name}: git {arguments[0]} took too long") from None
        if done.returncode:
            parts = urlsplit(self._url)
            reason = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
            if "@" in parts.netloc:
                reason = reason.replace(parts.netloc, parts.netloc.rpartition("@")[2])
            raise SourceError(f"source {self._source.name}: the repository cannot be read: {reason}")
        return done.stdout


class _Blob:
    """Reads one file of the repository when it is called."""

    def __init__(self, repository: _Repository, blob: str) -> None:
        self._repository, self._blob = repository, blob

    def __call__(self) -> bytes:
        return self._repository.git("cat-file", "blob", self._blob)
