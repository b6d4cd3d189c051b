"""What pydantic found wrong in policy.yaml, in the words of the file: line, key, value and what is valid."""

import re
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

_WORDS = {
    "dict_type": "expected keys and values",
    "list_type": "expected a list",
    "model_type": "expected keys and values",
    "model_attributes_type": "expected keys and values",
}


def located(parsed: Any, error: ValidationError) -> list[tuple[int, str]]:
    """The line and the text of each mistake, in the order of the lines.

    Args:
        parsed: The YAML with the positions of its parts.
        error: What the model says about it.
    """
    found = []
    for detail in error.errors(include_url=False):
        place = _place(parsed.value, detail["loc"])
        position, _ = parsed.source_position_tree.lookup_closest_and_path(tuple(place), None)
        found.append((position.start.line, _message(place, detail)))
    return sorted(found)


def unreadable_line(text: str, error: Exception) -> int:
    """The line of what YAML's reader refuses: that of the character or value it names, 1 where it names none."""
    if isinstance(error, yaml.reader.ReaderError) and isinstance(error.position, int):
        return text[: error.position].count("\n") + 1
    named = re.search(r"'([^']+)'", str(error))
    return text[: text.find(named[1])].count("\n") + 1 if named and named[1] in text else 1


def _place(value: Any, loc: Sequence[Any]) -> list[Any]:
    """The keys that lead to the mistake in the file: those of pydantic, without its names of a union's members."""
    place: list[Any] = []
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        if isinstance(value, dict):
            if part in value:
                value = value[part]
            elif not last:
                continue
        elif isinstance(value, list):
            if not (isinstance(part, int) and part < len(value)):
                continue
            value = value[part]
        else:
            continue
        if part != "[key]":
            place.append(part)
    return place


def _message(place: Sequence[Any], detail: Any) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    keys = list(map(str, place))
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        keys.append(context["discriminator"].strip("'"))
        choices = context.get("expected_tags", "")
        if kind == "union_tag_not_found":
            return f"{'.'.join(keys)}: is missing" + (f"; expected one of {choices}" if choices else "")
        return f"{'.'.join(keys)}: {context['tag']!r}: expected one of {choices}"
    if kind == "missing":
        return f"{'.'.join(keys)}: is missing"
    words = _WORDS.get(kind) or detail["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    given = detail["input"]
    is_secret = any(str(key).endswith("_env") for key in place)
    shown = "" if is_secret or isinstance(given, BaseModel | dict | list) else f"{given!r}: "
    return f"{'.'.join(keys)}: {shown}{words}"
