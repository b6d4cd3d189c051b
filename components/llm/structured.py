"""Answers that have to fit a JSON schema: read with patience, checked without."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .messages import Answered, Completion

_FENCE = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)
_MOST_MISTAKES = 5


def fault_of(request: Completion, answer: Answered) -> tuple[Any | None, str | None]:
    """The answer as data where the request has a schema, and what is wrong with it, in words."""
    if answer.stop == "refusal":
        return None, f"refusal: {_short(answer.text) or 'the model declined to answer'}"
    if answer.stop == "truncated":
        return None, f"truncated: the answer is longer than {request.max_output_tokens} tokens"
    if request.schema is None:
        return None, None
    try:
        data = parsed(answer.text)
    except ValueError as error:
        return None, f"malformed JSON: {error}: {_short(answer.text)}"
    mistakes = broken_rules(request.schema, data)
    return (None, f"wrong schema: {'; '.join(mistakes)}") if mistakes else (data, None)


def parsed(text: str) -> Any:
    """The JSON of an answer, also inside a code fence or after a sentence.

    Raises:
        ValueError: there is none.
    """
    if fenced := _FENCE.match(text):
        text = fenced[1]
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        start = text.find("{")
        if start > 0:
            try:
                return json.JSONDecoder().raw_decode(text[start:])[0]
            except json.JSONDecodeError:
                pass
        raise ValueError(f"{error.msg} at character {error.pos}") from None


def broken_rules(schema: Mapping[str, Any], data: Any) -> list[str]:
    """What data lacks to fit a schema, a sentence a mistake."""
    validator = _validator(json.dumps(schema, sort_keys=True))
    found = sorted(validator.iter_errors(data), key=lambda error: list(map(str, error.absolute_path)))
    told = []
    for error in found[:_MOST_MISTAKES]:
        place = ".".join(map(str, error.absolute_path))
        told.append(f"{place}: {error.message}" if place else error.message)
    return told


def repair(request: Completion, answer: Answered, fault: str) -> Completion:
    """The request that asks for the same answer once more, with what was wrong."""
    room = request.max_output_tokens * (2 if answer.stop == "truncated" else 1)
    return Completion(
        id=request.id,
        prompt=f"{request.prompt}\n\nYour last answer could not be used ({fault}).\n"
        "Answer again, with one JSON object that fits the schema and nothing else.",
        system=request.system,
        schema=request.schema,
        max_output_tokens=room,
    )


def _short(text: str) -> str:
    return " ".join(text.split())[:200]


@lru_cache(maxsize=64)
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema))
