"""What an index is called: in the store, on disk, and as fingerprint of how it was made."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

INDEXES = "data/indexes"
_LONGEST = 40


def index_name(key: str) -> str:
    """The name in stores and files that follows from an asset key: lower-case letters, digits and underscores."""
    name = re.sub(r"[^a-z0-9]+", "_", key.lower()).strip("_")
    name = name if name[:1].isalpha() else f"index_{name}"
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9]}_{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def fingerprint(*settings: Any) -> str:
    """Eight hexadecimal digits that change when any of the settings does."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:8]


def is_collection_of(name: str, collection: str) -> bool:
    """Whether a collection is one that was built for the index."""
    return re.fullmatch(rf"{name}_[0-9a-f]{{8}}_[0-9a-f]{{4}}", collection) is not None


def manifest_file(project_root: Path, name: str) -> Path:
    """Where the index keeps its books."""
    return project_root / INDEXES / f"{name}.db"
