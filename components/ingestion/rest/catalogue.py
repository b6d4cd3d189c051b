"""The packaged connectors, and those that a project writes itself; both are files of one format."""

import json
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ..files import SourceError
from .format import Connector

CONNECTORS = Path(__file__).parents[1] / "connectors"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ConnectorError(ValueError):
    """A connector that is not there, or whose file does not fit the format."""


def connector_names() -> list[str]:
    """The names of the packaged connectors that this project has."""
    return sorted(path.stem for path in CONNECTORS.glob("*.yaml"))


@cache
def packaged_connector(name: str) -> Connector:
    """A connector of the catalogue.

    Raises:
        ConnectorError: there is none of that name.
    """
    file = CONNECTORS / f"{name}.yaml"
    if not file.is_file():
        names = connector_names()
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ConnectorError(
            f"connector: {name!r} is not in the catalogue; {hint}there are: {', '.join(names) or 'none'}"
        )
    return Connector.model_validate(_parsed(file))


def own_connector(file: Path) -> Connector:
    """The connector in a file of the project, checked as strictly as a component's YAML.

    Raises:
        ConnectorError: the file is missing, is no YAML, or does not fit the format; each mistake is named.
    """
    if not file.is_file():
        raise ConnectorError(f"connector: there is no file {file}")
    data = _parsed(file)
    try:
        Connector.model().model_validate(data)
        return Connector.model_validate(data)
    except ValidationError as error:
        told = [
            (".".join(map(str, found["loc"])), found["msg"].replace("Value error, ", "")) for found in error.errors()
        ]
        lines = "; ".join(f"{place}: {message}" if place else message for place, message in told)
        raise ConnectorError(f"{file}: {lines}") from None


def sample_file(connector: str) -> Path:
    """Where the sample of a connector stands, whether or not it has one."""
    return CONNECTORS / f"{connector}.sample.json"


def sample_records(file: Path) -> dict[str, list[dict[str, Any]]]:
    """The records of a sample by resource, as the API answers them.

    Raises:
        SourceError: the file is broken.
    """
    try:
        records: dict[str, list[dict[str, Any]]] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"sample {file}: {error}.") from None
    return records


def _parsed(file: Path) -> Any:
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both are safe loaders
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConnectorError(f"{file}: {error}") from None
