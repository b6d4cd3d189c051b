"""The user's own scripts, looked at when definitions load: nothing of them is run."""

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

PREPROCESSING = "preprocessing"


@dataclass(frozen=True)
class Scripts:
    """The files that are sent with a job.

    Args:
        files: Files by their path in the job's folder.
        functions: The file in the job's folder of each function that is called, by the function's name.
    """

    files: dict[str, Path]
    functions: dict[str, str]

    @property
    def version(self) -> str:
        """A code version that changes with any of the files."""
        digest = hashlib.sha256()
        for name in sorted(self.files):
            digest.update(name.encode() + b"\0" + self.files[name].read_bytes() + b"\0")
        return digest.hexdigest()[:16]


def find_scripts(
    folder: Path, project_root: Path, entry_point: str, function: str, preprocessing: str | None
) -> Scripts:
    """The entry point with every Python file beside it, and the preprocessing.

    Args:
        folder: Folder of the YAML.
        project_root: Folder of the project; ``preprocessing/`` in it is shared by all.
        entry_point: File beside the YAML.
        function: Function that it must have.
        preprocessing: Function of the entry point or of ``preprocessing/<name>.py``.

    Raises:
        DagsterInvalidDefinitionError: a file or function is missing, or is no Python.
    """
    where = folder / "defs.yaml"
    main = folder / entry_point
    if not main.is_file():
        raise dg.DagsterInvalidDefinitionError(
            f"{where}: entry_point: {entry_point!r} does not exist; Python files there: {_present(folder)}"
        )
    defined = _functions(main)
    if function not in defined:
        raise dg.DagsterInvalidDefinitionError(
            f"{main}: there is no function {function}; expected def {function}(context). "
            f"It has: {', '.join(defined) or 'no function'}"
        )
    files = {f"code/{file.name}": file for file in sorted(folder.glob("*.py"))}
    functions = {function: f"code/{main.name}"}
    if preprocessing and preprocessing in defined:
        functions[preprocessing] = f"code/{main.name}"
    elif preprocessing:
        file = _preprocessing(preprocessing, folder, project_root, where, defined)
        files[f"{PREPROCESSING}/{file.name}"] = file
        functions[preprocessing] = f"{PREPROCESSING}/{file.name}"
    return Scripts(files, functions)


def _preprocessing(name: str, folder: Path, project_root: Path, where: Path, defined: list[str]) -> Path:
    shelves = [folder / PREPROCESSING, project_root / PREPROCESSING]
    for shelf in shelves:
        file = shelf / f"{name}.py"
        if not file.is_file():
            continue
        if name not in _functions(file):
            raise dg.DagsterInvalidDefinitionError(f"{file}: there is no function {name}; expected def {name}(data)")
        return file
    known = sorted({*defined, *(file.stem for shelf in shelves for file in shelf.glob("*.py"))} - {"train"})
    raise dg.DagsterInvalidDefinitionError(
        f"{where}: data.preprocessing: {name!r} is neither a function of the entry point nor a file "
        f"{PREPROCESSING}/{name}.py beside it or in {project_root}; there are: {', '.join(known) or 'none'}"
    )


def _functions(file: Path) -> list[str]:
    """The functions that a file defines or imports at its top."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    except SyntaxError as error:
        raise dg.DagsterInvalidDefinitionError(f"{file}:{error.lineno}: this is not Python: {error.msg}") from None
    except (UnicodeDecodeError, ValueError) as error:
        raise dg.DagsterInvalidDefinitionError(f"{file}: this is not Python: {error}") from None
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.ImportFrom):
            names += [alias.asname or alias.name for alias in node.names]
    return names


def _present(folder: Path) -> str:
    return ", ".join(sorted(file.name for file in folder.glob("*.py"))) or "none"
