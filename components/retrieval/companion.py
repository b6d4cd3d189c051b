"""The index, with documents, that a scaffolder writes beside a component that needs one."""

from typing import Any

import dagster as dg
import yaml

from .index_scaffolder import index_attributes

EXAMPLE_INDEX = "search/documents"


def scaffold_with_index(
    request: dg.ScaffoldRequest[Any], kind: str, module: str, attributes: dict[str, Any], index: str
) -> None:
    """Write a component, and in the same file the index that it searches unless one is named.

    Args:
        kind: Class of the component.
        module: The module of this family that it is in.
        index: Asset key of an index that is there; empty for one to be written.
    """
    dg.scaffold_component(request, attributes)
    if index:
        return
    file = request.target_path / "defs.yaml"
    own = file.read_text(encoding="utf-8")
    line = next(line for line in own.splitlines() if line.startswith("type:"))
    full = line.replace(kind, "DocumentIndexComponent").replace(f".{module}.", ".index.")
    written = index_attributes(request, EXAMPLE_INDEX, request.params.owner)
    text = yaml.safe_dump({"attributes": written}, sort_keys=False, width=110)
    file.write_text(f"{full}\n\n{text}\n---\n\n{own}", encoding="utf-8")
