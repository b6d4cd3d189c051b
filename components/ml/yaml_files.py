"""YAML files beside a component's own, read as strictly and with the line of each mistake."""

from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import yaml
from dagster_shared.yaml_utils import try_parse_yaml_with_source_position
from pydantic import BaseModel, ValidationError

from ..base import StrictModel

T = TypeVar("T", bound=StrictModel)


def read_model(file: Path, kind: type[T], asked_by: str) -> T:
    """What a YAML file says.

    Args:
        file: The file.
        kind: What it should hold.
        asked_by: File and attribute that name it, for the message.

    Raises:
        DagsterInvalidDefinitionError: it is missing, no YAML, or wrong; each mistake is named with its line.
    """
    if not file.is_file():
        present = ", ".join(sorted(found.name for found in file.parent.glob("*.y*ml"))) or "none"
        raise dg.DagsterInvalidDefinitionError(
            f"{asked_by}: {file.name!r} does not exist in {file.parent}; YAML files there: {present}"
        )
    try:
        parsed = try_parse_yaml_with_source_position(file.read_text(encoding="utf-8"), str(file))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise dg.DagsterInvalidDefinitionError(f"{file}:{line}: this is not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise dg.DagsterInvalidDefinitionError(f"{file}:1: this is not YAML: {error}") from None
    if parsed is None or not isinstance(parsed.value, dict):
        raise dg.DagsterInvalidDefinitionError(f"{file}:1: expected the keys {', '.join(kind.model_fields)}")
    positions = parsed.source_position_tree
    try:
        model: BaseModel = kind.model().model_validate(parsed.value)
    except ValidationError as error:
        raise dg.DagsterInvalidDefinitionError(_mistakes(file, error, positions)) from None
    try:
        context = dg.ResolutionContext.default(positions)
        return kind.resolve_from_model(context, model)
    except ValueError as error:
        located = str(error)  # has file, line and an excerpt, where an attribute's own rule is broken
        raise dg.DagsterInvalidDefinitionError(
            located if located.startswith(str(file)) else f"{file}: {located}"
        ) from None


def _mistakes(file: Path, error: ValidationError, positions: Any) -> str:
    told = []
    for detail in error.errors(include_url=False):
        place = [part for part in detail["loc"] if not (isinstance(part, str) and _is_type_name(part))]
        line = positions.lookup_closest_and_path(place, None)[0].start.line
        message = detail["msg"].removeprefix("Value error, ")
        named = place and message.startswith(f"{place[-1]}: ")  # an attribute's own message starts with its key
        key = ".".join(map(str, place[:-1] if named else place))
        told.append(f"{file}:{line}: {key}: {message}" if key else f"{file}:{line}: {message}")
    return "\n".join(told)


def _is_type_name(part: str) -> bool:
    """Whether pydantic added this to a path to say which alternative of a union was tried."""
    return part[:1].isupper() or part in {"str", "int", "float", "bool"} or "[" in part
