"""Components are imported when they are asked for, and no sooner."""

import gc
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any


def imported(name: str, modules: Mapping[str, str], package: str) -> Any:
    """What a package's ``__getattr__`` (PEP 562) was asked for.

    What an import makes stays until the process ends. Python's search for garbage therefore rests during the import,
    and passes over all of it afterwards (``gc.freeze``), also when the process ends: together they took a third of
    the time of ``dg check defs``.

    Args:
        name: the attribute.
        modules: for each attribute, the module that has it, from the package.
        package: the package's ``__name__``.

    Raises:
        AttributeError: the package has no such attribute.
    """
    if name not in modules:
        raise AttributeError(f"{package} has no {name!r}; it has {', '.join(sorted(modules))}")
    before, collects = len(sys.modules), gc.isenabled()
    gc.disable()
    try:
        return getattr(import_module(f".{modules[name]}", package), name)
    except Exception as error:
        if not getattr(error, "__notes__", ()):
            error.add_note(f"{name} of {package} cannot be imported.")
        raise
    finally:
        if collects:
            gc.enable()
            if len(sys.modules) > before:
                gc.freeze()
