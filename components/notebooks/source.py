"""A notebook as its author left it, read without Jupyter when definitions load."""

import ast
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PARAMETERS = "parameters"
_UNKNOWN = object()


class NotebookError(ValueError):
    """A notebook cannot be run as the YAML asks; the message has the file, the key and what is valid."""


@dataclass(frozen=True)
class Notebook:
    """What has to be known of a notebook before it runs.

    Args:
        path: Its file.
        kernel: Name of its kernel.
        language: Language of its kernel.
        declared: Default values of the parameters it declares, by name; None where its language is not Python.
        cells: Number of its cells.
        parameters_cell: Index of the cell tagged ``parameters``.
        version: Changes with its code, and not with its outputs.
    """

    path: Path
    kernel: str
    language: str
    declared: dict[str, Any] | None
    cells: int
    parameters_cell: int | None
    version: str

    @property
    def injected_before(self) -> int:
        """Index that papermill gives the cell with the values it injects."""
        return 0 if self.parameters_cell is None else self.parameters_cell + 1

    def check_parameters(self, given: dict[str, Any], where: str) -> None:
        """Raise NotebookError for parameters that the notebook does not declare, or declares with another type."""
        if self.declared is None:
            return
        for name, value in given.items():
            if name not in self.declared:
                if self.parameters_cell is None:
                    raise NotebookError(
                        f"{where}: parameters.{name}: {self.path.name} declares no parameters; "
                        "assign their defaults in one cell and give that cell the tag parameters"
                    )
                names = ", ".join(sorted(self.declared)) or "none"
                raise NotebookError(
                    f"{where}: parameters.{name}: {self.path.name} declares no such parameter, but {names}"
                )
            default = self.declared[name]
            if not _fits(value, default):
                raise NotebookError(
                    f"{where}: parameters.{name}: {value!r} is {_kind(value)}, but {self.path.name} declares "
                    f"{_kind(default)} ({name} = {default!r})"
                )


def read_notebook(path: Path, kernel: str | None, where: str) -> Notebook:
    """What a notebook's file says.

    Args:
        path: The file.
        kernel: Kernel of the YAML, instead of the notebook's own.
        where: YAML file and key, for messages.

    Raises:
        NotebookError: the file is missing or no notebook, or a parameters cell cannot be read.
    """
    if not path.is_file():
        present = ", ".join(sorted(file.name for file in path.parent.glob("*.ipynb"))) or "none"
        raise NotebookError(
            f"{where}: notebook: {path.name!r} does not exist; notebooks in {path.parent.name}: {present}"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = [
            (cell["cell_type"], _source(cell), set(cell.get("metadata", {}).get("tags", [])))
            for cell in content["cells"]
        ]
        metadata = content["metadata"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = (
            f"line {error.lineno}: {error.msg}"
            if isinstance(error, json.JSONDecodeError)
            else "it has no list of cells"
        )
        raise NotebookError(f"{where}: notebook: {path} is no Jupyter notebook of format 4 ({reason})") from None
    if content.get("nbformat") != 4:
        raise NotebookError(
            f"{where}: notebook: {path.name} has format {content.get('nbformat')!r}, not 4; open and save it in Jupyter"
        )
    spec = metadata.get("kernelspec") or {}
    language = spec.get("language") or (metadata.get("language_info") or {}).get("name") or "python"
    tagged = [index for index, (kind, _, tags) in enumerate(cells) if kind == "code" and PARAMETERS in tags]
    declared: dict[str, Any] | None = None
    if language.lower().startswith("python"):
        declared = _declared(cells[tagged[0]][1], tagged[0] + 1, path, where) if tagged else {}
    code = json.dumps([source for kind, source, _ in cells if kind == "code"])
    return Notebook(
        path=path,
        kernel=kernel or spec.get("name") or "python3",
        language=language,
        declared=declared,
        cells=len(cells),
        parameters_cell=tagged[0] if tagged else None,
        version=hashlib.sha256(code.encode()).hexdigest()[:16],
    )


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _declared(source: str, number: int, path: Path, where: str) -> dict[str, Any]:
    """The names that a parameters cell assigns, with their values where these are literals."""
    code = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines())
    try:
        statements = ast.parse(code).body
    except SyntaxError as error:
        raise NotebookError(
            f"{where}: notebook: the parameters cell of {path.name} (cell {number}, line {error.lineno}) is no Python: "
            f"{error.msg}"
        ) from None
    found: dict[str, Any] = {}
    for statement in statements:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value:
            targets = [statement.target]
        for target in targets:
            if isinstance(target, ast.Name):
                found[target.id] = _literal(statement.value)  # type: ignore[attr-defined]  # both kinds have one
    return found


def _literal(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:
        return _UNKNOWN


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list | tuple) else "keys and values"


def _fits(value: Any, default: Any) -> bool:
    if default is _UNKNOWN or default is None or value is None:
        return True
    if isinstance(default, float) and not isinstance(default, bool):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return _kind(value) == _kind(default)
