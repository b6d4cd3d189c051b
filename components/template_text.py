"""Text of YAML that is a template, and what its values are once it is rendered."""

from collections.abc import Mapping
from typing import Any

TEMPLATE = r"\{\{[\s\S]*\}\}"
"""What a JSON schema takes for a template: a text with an expression in it."""
_JINJA = ("{{", "{%", "{#")


def has_template(raw: Any) -> bool:
    """Whether there is a template in a text, or in any text of a list or of a group's values."""
    if isinstance(raw, str):
        return any(mark in raw for mark in _JINJA)
    parts = raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list | tuple) else ()
    return any(map(has_template, parts))


def keep_text(raw: Any, value: Any) -> Any:
    """What was resolved, with text that is no template as it was written: Jinja would make "077" of it 77."""
    if isinstance(raw, str):
        return value if has_template(raw) else raw
    if isinstance(raw, dict) and isinstance(value, dict):
        return {key: keep_text(raw[key], value[key]) for key in raw}
    if isinstance(raw, list | tuple) and isinstance(value, list | tuple):
        return type(raw)(keep_text(before, after) for before, after in zip(raw, value, strict=True))
    return value


def as_text(raw: Any, value: Any, scope: Mapping[str, Any]) -> Any:
    """The same, where templates that gave a number are rendered as text."""
    from jinja2 import Template

    if isinstance(raw, str) and isinstance(value, int | float):
        return Template(raw).render(**scope)
    if isinstance(raw, dict) and isinstance(value, dict):
        return {key: as_text(raw[key], value[key], scope) for key in raw}
    if isinstance(raw, list | tuple) and isinstance(value, list | tuple):
        return [as_text(before, after, scope) for before, after in zip(raw, value, strict=True)]
    return value
