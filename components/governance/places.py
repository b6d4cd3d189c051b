"""Which files an asset comes from."""

import inspect
import os
from pathlib import Path
from typing import Any


def local_files(metadata: Any) -> list[tuple[str, int | None]]:
    """The files that made the asset, the most specific first, each with its line where that is known."""
    references = metadata.get("dagster/code_references")
    return [
        (path, reference.line_number)
        for reference in (references.code_references if references else [])
        if (path := getattr(reference, "file_path", None))
    ]


def files_of(metadata: Any, assets_def: Any) -> list[tuple[str, int | None]]:
    """The same; where components and tools name none, the Python file of the function that makes the asset."""
    if found := local_files(metadata):
        return found
    code = _code(assets_def)
    return [(code.co_filename, code.co_firstlineno)] if code else []


def from_root(file: str, line: int | None, project_root: Path) -> str:
    """A file as people know it, from the project's root, with its line."""
    path = Path(os.path.realpath(file))
    root = Path(os.path.realpath(project_root))
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    return f"{shown}:{line}" if line else shown


def _code(assets_def: Any) -> Any:
    """The code of the function that makes an asset, if one does."""
    if not assets_def.is_executable:
        return None
    compute = getattr(assets_def.node_def, "compute_fn", None) or getattr(assets_def.node_def, "composition_fn", None)
    function = getattr(compute, "decorated_fn", compute)
    return getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
