"""What the fake models say: values that fit a schema, and vectors of words."""

import json
import math
import re
import zlib
from typing import Any

DIMENSIONS = 64


def text_of(prompt: str, schema: dict[str, Any] | None) -> str:
    """A deterministic answer: JSON where a schema is given."""
    if schema is None:
        return f"About: {' '.join(prompt.split())[:200]}"
    return json.dumps(value_of(schema, prompt))


def value_of(schema: dict[str, Any], seed: str) -> Any:
    """A value that fits a schema, the same for the same seed."""
    code = zlib.crc32(f"{seed}{json.dumps(schema, sort_keys=True)}".encode())
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][code % len(schema["enum"])]
    if "anyOf" in schema:
        return value_of(schema["anyOf"][0], seed)
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "object":
            return {name: value_of(sub, seed + name) for name, sub in schema.get("properties", {}).items()}
        case "array":
            return [value_of(schema.get("items", {}), f"{seed}{i}") for i in range(1 + code % 2)]
        case "integer":
            return 1 + code % 3
        case "number":
            return (code % 100) / 100
        case "boolean":
            return bool(code % 2)
        case "null":
            return None
        case _:
            return f"text {code % 1000}"


def vector_of(text: str, dimensions: int | None = None) -> list[float]:
    """Hashed words, so that texts that share words are near; of length 1."""
    width = dimensions or DIMENSIONS
    found = [0.0] * width
    for word in re.findall(r"\w+", text.lower()) or [text]:
        code = zlib.crc32(word.encode())
        found[code % width] += 1.0 if code & 1024 else -1.0
    length = math.sqrt(sum(value * value for value in found))
    if not length:
        found[0] = length = 1.0
    return [value / length for value in found]


def tokens_of(text: str) -> int:
    """Tokens, at four characters each."""
    return len(text) // 4 + 1
