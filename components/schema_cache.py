"""JSON schemas kept beside Python's own compiled files, so that `dg list components` makes each of them once."""

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

import dagster
import pydantic

LIBRARY = Path(__file__).parent


def kept_schema(module: str, name: str, make: Callable[[], str]) -> str:
    """The JSON schema of a class of this library, as text; of any other class, as ``make`` gives it.

    It is made anew when any file of the library, Dagster or pydantic has changed, and kept where Python keeps
    compiled files, unless Python was told not to write these.

    Args:
        module: the module that defines the class.
        name: the class.
        make: makes the schema.
    """
    if not module.startswith(f"{__package__}."):
        return make()
    file = Path(cache_from_source(str(LIBRARY / f"{module}.{name}.py"))).with_suffix(".schema")
    try:
        state, _, schema = file.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        state = schema = ""
    if state == library_state():
        return schema
    schema = make()
    if not sys.dont_write_bytecode:
        _write(file, f"{library_state()}\n{schema}")
    return schema


@cache
def library_state() -> str:
    """A hash of the library's files, and of the versions that make schemas; times would miss an exchanged wheel."""
    state = hashlib.sha256(f"{sys.version} {dagster.__version__} {pydantic.VERSION}".encode())
    for folder, folders, files in os.walk(LIBRARY):
        folders[:] = sorted(set(folders) - {"__pycache__"})
        for file in sorted(files):
            state.update(f"{folder}/{file}\n".encode(errors="surrogateescape"))
            state.update((Path(folder) / file).read_bytes())
    return state.hexdigest()


def _write(file: Path, text: str) -> None:
    """Write a file whole or not at all; a folder that cannot be written to costs speed only."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=file.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            Path(unfinished).replace(file)
        except OSError:
            Path(unfinished).unlink()
