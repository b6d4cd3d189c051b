"""Copier for hundreds of renders in one process: what is the same in each of them is done once."""

import atexit
import shutil
import subprocess
import tempfile
from types import CodeType
from typing import Any

from copier import _template
from copier._main import Worker
from jinja2.sandbox import SandboxedEnvironment

_compile = SandboxedEnvironment.compile
_compiled: dict[tuple[Any, ...], CodeType] = {}


def _compiled_once(
    self: SandboxedEnvironment, source: Any, name: Any = None, filename: Any = None, *rest: Any, **more: Any
) -> Any:
    if self.variable_start_string != "[=" or not isinstance(source, str) or "yield" in source:
        return _compile(self, source, name, filename, *rest, **more)
    key = (source, name, self.line_statement_prefix, self.keep_trailing_newline, *self.extensions)
    if key not in _compiled:
        _compiled[key] = _compile(self, source, name, filename, *rest, **more)
    self.preprocess(source, name, filename)  # Copier's own extension forgets here what the last name was spread over
    return _compiled[key]


_clone = _template.clone
_cloned: dict[tuple[str, str], str] = {}


def _cloned_once(url: str, ref: str = "HEAD", location: str | None = None) -> str:
    """A clone per commit: an update clones the same two some seven times. What is not committed is cloned each time."""
    if ref == "HEAD":
        return _clone(url, ref, location)
    asked = ["git", "-C", url, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"]
    commit = subprocess.run(asked, capture_output=True, text=True).stdout.strip()
    if not commit:
        return _clone(url, ref, location)
    if (url, commit) not in _cloned:
        folder = _cloned[url, commit] = tempfile.mkdtemp(prefix="template-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _clone(url, ref, folder)
    return _cloned[url, commit]


def install() -> None:
    """Make Copier of this process quick.

    Its question to git, of each file, whether executable bits are taken from the disk is left out too: on the systems
    that the tests run on they are, and then nothing follows from it.
    """
    _template.clone = _cloned_once
    SandboxedEnvironment.compile = _compiled_once  # type: ignore[assignment, method-assign]
    Worker._sync_git_index_executable_bit = lambda *_: None  # type: ignore[method-assign]
