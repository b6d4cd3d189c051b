"""What files declare, kept until they change: importing a SQL parser costs more than all else that loading does."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ...warehouse.lakehouse import Lakehouse

_FOLDER = "declared"


def remembered(project_root: Path, name: str, given: object, make: Callable[[], Any]) -> Any:
    """What ``make`` gives, from last time where nothing that it depends on has changed.

    Args:
        project_root: Root of the project.
        name: Whose it is; each name is kept once.
        given: All that it depends on besides the parser itself; its ``repr`` counts.
        make: Gives something that JSON can hold; what it raises is not kept.
    """
    key = sha256(f"{_parser()}{given!r}".encode()).hexdigest()
    readable = "".join(part if part.isalnum() else "_" for part in name)
    file = Lakehouse.of(project_root).root / _FOLDER / f"{readable}-{sha256(name.encode()).hexdigest()[:8]}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["key"] == key:
            return kept["value"]
    value = make()
    with suppress(OSError):  # a folder that cannot be written makes loading slower, and nothing else
        file.parent.mkdir(parents=True, exist_ok=True)
        made = file.with_name(f"{file.name}.{os.getpid()}")
        made.write_text(json.dumps({"key": key, "value": value}), encoding="utf-8")
        made.replace(file)
    return value


@cache
def _parser() -> str:
    """A text that changes with the modules that read files."""
    here = Path(__file__).parent
    modules = [here / "sql_query.py", *sorted((here.parent / "pipeline").glob("*.py"))]
    return sha256(b"".join(module.read_bytes() for module in modules)).hexdigest()
