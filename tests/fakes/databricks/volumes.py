"""The folders of a workspace as a script on its machines sees them: below the folder of the fake."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagster_pipes import decode_param, encode_param


def mounted(text: str, place: Callable[[str], Path]) -> str:
    """A parameter whose paths are those of this machine; parameters of Dagster Pipes are opened for that."""
    if text.startswith(("/Volumes/", "/Workspace/")):
        return str(place(text))
    try:
        opened = decode_param(text)
    except Exception:
        return text
    return encode_param(_moved(opened, place))


def _moved(value: Any, place: Callable[[str], Path]) -> Any:
    if isinstance(value, dict):
        return {key: _moved(inner, place) for key, inner in value.items()}
    return str(place(value)) if isinstance(value, str) and value.startswith("/Volumes/") else value
