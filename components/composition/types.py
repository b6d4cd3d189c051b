"""Component types by the names that YAML gives them."""

from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path

import dagster as dg

_LIBRARY = Path(__file__).parents[1]
# Families whose components are known to the JSON schema of a step; importing them costs next to nothing.
_DESCRIBED = ("ml", "notebooks", "warehouse", "orchestration")


def component_type(name: str, where: str) -> type[dg.Component]:
    """The class behind a step's ``type``.

    Args:
        name: ``package.Class`` as at the top of a YAML file, or the class alone for one of this library.
        where: File and step, for the message.

    Raises:
        DagsterInvalidDefinitionError: there is no such component.
    """
    module, _, class_name = name.rpartition(".")
    if not module:
        return _of_library(class_name, where)
    try:
        found = getattr(import_module(module), class_name)
    except (ImportError, AttributeError) as error:
        near = get_close_matches(class_name, library(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise dg.DagsterInvalidDefinitionError(f"{where}: type: {name!r} cannot be loaded: {error}{hint}") from None
    if not (isinstance(found, type) and issubclass(found, dg.Component)):
        raise dg.DagsterInvalidDefinitionError(f"{where}: type: {name!r} is no component")
    return found


def _of_library(name: str, where: str) -> type[dg.Component]:
    if name not in library():
        near = get_close_matches(name, library(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(library())}, or package.Class"
        raise dg.DagsterInvalidDefinitionError(f"{where}: type: {name!r} is no component of this library; {hint}")
    found: type[dg.Component] = getattr(import_module(f"..{library()[name]}", __package__), name)
    return found


@cache
def library() -> dict[str, str]:
    """The families of this library's components, by class name; read from their files without importing them."""
    found = {}
    for file in sorted(_LIBRARY.glob("*/__init__.py")):
        for line in file.read_text(encoding="utf-8").splitlines():
            for word in line.split('"')[1::2]:
                if word.endswith("Component") and word.isidentifier():
                    found[word] = file.parent.name
    return found


@cache
def described() -> dict[str, type[dg.Component]]:
    """Components whose attributes the JSON schema of a step knows, by class name."""
    names = [name for name, family in library().items() if family in _DESCRIBED]
    return {name: _of_library(name, "") for name in names}
