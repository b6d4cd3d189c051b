"""Documents of a folder, of an installed package, or of an object store."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from ..documents.reading import format_of
from .attributes import DocumentSource
from .base import SourceDocument, SourceError

_VERSIONS = ("ETag", "etag", "md5Hash", "content_md5", "checksum", "mtime", "LastModified", "last_modified")


def folder_documents(source: DocumentSource, project_root: Path) -> Iterator[SourceDocument]:
    """Files below a folder, in the order of their names; raises SourceError where there is no such folder."""
    top = located(source.folder or ".", project_root, source.package)
    if not top.is_dir():
        raise SourceError(f"source {source.name}: there is no folder {source.folder!r} in {top.parent}")
    for place, folders, names in os.walk(top, onerror=_refuse(source)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(place, name)
            path = file.relative_to(top).as_posix()
            if name.startswith(".") or not source.takes(path) or not file.is_file():
                continue
            yield SourceDocument(path, format_of(name), file.read_bytes, file.stat().st_size, url=source.address(path))


def url_documents(source: DocumentSource) -> Iterator[SourceDocument]:
    """Files below an address of an object store, folder by folder."""
    import fsspec

    try:
        system, top = fsspec.core.url_to_fs(source.url)
        system.invalidate_cache()  # a process keeps its connections, and with them what it listed in an earlier run
        if not system.exists(top):
            raise SourceError(f"source {source.name}: there is nothing at {source.url}")
        for _, folders, files in system.walk(top, detail=True):
            for name in [name for name in folders if name.startswith(".")]:
                del folders[name]
            for name, info in sorted(files.items()):
                path = PurePosixPath(info["name"]).relative_to(PurePosixPath(top)).as_posix()
                if name.startswith(".") or not source.takes(path):
                    continue
                yield SourceDocument(
                    path, format_of(name), _reader(system, info["name"]), info.get("size"), _version(info),
                    url=source.address(path) or f"{source.url}/{path}",
                )  # fmt: skip
    except SourceError:
        raise
    except (OSError, ImportError, ValueError) as error:
        raise SourceError(f"source {source.name}: {source.url} cannot be read: {error}") from None
    except Exception as error:
        # Each vendor's library has its own errors; none of them may take the other sources along.
        raise SourceError(f"source {source.name}: {source.url}: {type(error).__name__}: {error}") from None


def located(folder: str, project_root: Path, package: str | None) -> Path:
    """A folder of the project, or of an installed package that is not imported."""
    if package is None:
        return project_root / folder
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(f"package {package!r} is not installed; add it to the project's dependencies")
    return Path(next(iter(spec.submodule_search_locations)), folder)


def _reader(system: Any, name: str) -> Any:
    def read() -> bytes:
        try:
            return bytes(system.cat_file(name))
        except Exception as error:
            # Each vendor's library has its own errors; one file may not take the others along.
            raise OSError(f"{type(error).__name__}: {error}") from None

    return read


def _version(info: dict[str, Any]) -> str:
    """What the store says about the content, with the size; nothing where it says nothing."""
    found = next((f"{info[name]}" for name in _VERSIONS if info.get(name)), "")
    return f"{found}:{info.get('size')}" if found else ""


def _refuse(source: DocumentSource) -> Any:
    def refuse(error: OSError) -> None:
        raise SourceError(f"source {source.name}: {error.filename} cannot be read: {error.strerror}")

    return refuse
