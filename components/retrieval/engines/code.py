"""The code that workers run: sent along, so that a cluster needs the readers' packages and nothing of this project."""

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

_LIBRARY = Path(__file__).parents[2]
_MODULES = (
    "llm/errors.py",
    "llm/local/*.py",
    "retrieval/cutting.py",
    "retrieval/documents/*.py",
    "retrieval/preparing.py",
)

Run = Callable[[str, str, bytes], tuple[str, bytes]]


@cache
def code() -> tuple[str, Mapping[str, str]]:
    """A package of its own with what workers need; its name changes with its content, as workers keep modules."""
    sources = {"": "", ".llm": "", ".retrieval": ""}
    for pattern in _MODULES:
        for file in sorted(_LIBRARY.glob(pattern)):
            module = file.relative_to(_LIBRARY).with_suffix("").as_posix().removesuffix("/__init__")
            sources[f".{module.replace('/', '.')}"] = file.read_text(encoding="utf-8")
    name = f"index_code_{hashlib.sha256(repr(sorted(sources.items())).encode()).hexdigest()[:12]}"
    return name, {f"{name}{module}": source for module, source in sources.items()}


def runner() -> Run:
    """``preparing.run`` for a worker, with its code.

    It is made inside a function, so that it is sent by its content and not by the name of a module that workers lack.
    """
    name, sources = code()

    def run(work: str, header: str, data: bytes) -> tuple[str, bytes]:
        import sys
        from importlib import import_module
        from importlib.abc import InspectLoader, MetaPathFinder
        from importlib.util import spec_from_loader
        from typing import Any

        class Sent(MetaPathFinder, InspectLoader):
            """Finds the modules that were sent."""

            def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
                return spec_from_loader(fullname, self) if fullname in sources else None

            def is_package(self, fullname: str) -> bool:
                return any(module.startswith(f"{fullname}.") for module in sources)

            def get_source(self, fullname: str) -> str:
                return sources[fullname]

        if name not in sys.modules:
            sys.meta_path.append(Sent())
        result: tuple[str, bytes] = import_module(f"{name}.retrieval.preparing").run(work, header, data)
        return result

    return run
