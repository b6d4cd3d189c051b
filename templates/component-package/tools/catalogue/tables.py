"""Attributes as a reader sees them, from a component's JSON schema."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_UNSET = "__DAGSTER_UNSET_DEFAULT__"
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
}


@dataclass(frozen=True)
class Row:
    """One attribute.

    Args:
        name: Its key.
        type: What it holds, in a few words of Markdown; choices are listed.
        default: ``required``, or the default as YAML in JSON's form; empty if there is none worth showing.
        rules: What else a value has to be, in words.
        description: What it is for.
        deprecated: Whether it loads for a while only.
    """

    name: str
    type: str
    default: str
    rules: str
    description: str
    deprecated: bool


def attribute_table(schema: dict[str, Any]) -> str:
    """The attributes of a schema as Markdown tables, nested groups after their parent."""
    tables = [_table("Attribute", rows(schema))]
    tables += [_table(f"In `{_title(name)}`", rows(group)) for name, group in groups(schema)]
    return "\n".join(tables)


def rows(schema: dict[str, Any]) -> list[Row]:
    """The attributes that stand directly in a schema."""
    # An old name and its new one are each required, either way round, where the attribute is.
    either = [option for rule in schema.get("allOf", []) for option in rule.get("oneOf", [])]
    required = {*schema.get("required", []), *(name for option in either for name in option.get("required", []))}
    return [_row(name, prop, name in required) for name, prop in schema.get("properties", {}).items()]


def groups(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The nested groups of a schema, each once, in the order of their first use."""
    definitions = schema.get("$defs", {})
    queue, shown = _references(schema.get("properties", {})), set()
    while queue:
        name = queue.pop(0)
        if name not in shown and definitions.get(name, {}).get("properties"):
            shown.add(name)
            yield name, definitions[name]
            queue += _references(definitions[name]["properties"])


def flat(schema: dict[str, Any]) -> dict[str, Row]:
    """Every attribute by its path: ``tiles[].title``, ``by_name.*.width``."""
    return dict(_flat(schema, schema.get("$defs", {}), "", ()))


def _flat(
    schema: dict[str, Any], definitions: dict[str, Any], prefix: str, above: tuple[str, ...]
) -> Iterator[tuple[str, Row]]:
    for row in rows(schema):
        yield prefix + row.name, row
        for place, name in _nested(schema["properties"][row.name]):
            if name not in above and name in definitions:
                yield from _flat(definitions[name], definitions, f"{prefix}{row.name}{place}.", (*above, name))


def _nested(prop: Any) -> Iterator[tuple[str, str]]:
    """The groups that an attribute holds, and where: directly, in a list or by name."""
    for choice in _choices(prop):
        if "$ref" in choice:
            yield "", choice["$ref"].rsplit("/", 1)[-1]
        for key, place in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(choice.get(key), dict):
                yield from ((place + inner, name) for inner, name in _nested(choice[key]))


def _row(name: str, prop: dict[str, Any], required: bool) -> Row:
    return Row(
        name=name,
        type=" or ".join(dict.fromkeys(map(_type, _choices(prop)))),
        default="required" if required else _default(prop.get("default")),
        rules="; ".join(dict.fromkeys(rule for choice in _choices(prop) for rule in _rules(choice))),
        description=" ".join(str(prop.get("description", "")).split()),
        deprecated=bool(prop.get("deprecated")),
    )


def _choices(prop: Any) -> list[dict[str, Any]]:
    """The schemas of which a value has to fit one; templates, which may stand for anything, left out."""
    if not isinstance(prop, dict) or not prop:
        return [{}]
    if "if" in prop and "else" in prop and "type" not in prop:
        alternatives = [prop[key] for key in ("then", "else") if key in prop]
        return [choice for alternative in alternatives for choice in _choices(alternative)]
    for key in ("anyOf", "oneOf"):
        if key in prop:
            outer = {name: value for name, value in prop.items() if name in _LIMITS or name == "pattern"}
            kept = [choice for choice in prop[key] if choice != {"type": "null"}]
            return [{**outer, **choice} for alternative in kept for choice in _choices(alternative)]
    if len(prop.get("allOf", [])) == 1 and "$ref" in prop["allOf"][0]:
        return [prop["allOf"][0]]
    return [prop]


def _type(rule: dict[str, Any]) -> str:
    if "const" in rule:
        return f"`{rule['const']}`"
    if "enum" in rule:
        return ", ".join(f"`{value}`" for value in rule["enum"])
    if "$ref" in rule:
        return _title(rule["$ref"].rsplit("/", 1)[-1])
    if rule.get("type") == "array":
        return f"list of {_any(rule.get('items'))}"
    if rule.get("type") == "object":
        values = rule.get("additionalProperties")
        return f"map to {_any(values)}" if isinstance(values, dict) and values else "map"
    return str(rule.get("type", "any"))


def _any(prop: Any) -> str:
    return " or ".join(dict.fromkeys(map(_type, _choices(prop))))


def _rules(rule: dict[str, Any]) -> Iterator[str]:
    if expected := _words(rule):
        yield expected
    elif rule.get("pattern") == r"\S":
        yield "not empty"
    elif "pattern" in rule:
        yield f"matches `{rule['pattern']}`"
    yield from (words.format(rule[key]) for key, words in _LIMITS.items() if key in rule)
    for key in ("items", "additionalProperties"):
        if isinstance(rule.get(key), dict):
            for choice in _choices(rule[key]):
                yield from (f"each {text}" for text in _rules(choice))


def _words(rule: Any) -> str | None:
    """What a format expects, in words: the pattern that its rule falls back to."""
    while isinstance(rule, dict) and "else" in rule:
        rule = rule["else"]
        if set(rule) == {"pattern"}:
            return str(rule["pattern"])
    return None


def _default(value: Any) -> str:
    return "" if value in (None, _UNSET, "") else f"`{json.dumps(value)}`"


def _title(name: str) -> str:
    return name.removesuffix("Model")


def _references(value: Any) -> list[str]:
    return re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(value))


def _table(title: str, found: list[Row]) -> str:
    if not found:
        return "No attributes.\n"
    lines = [f"| {title} | type | default | rules | what it says |", "| --- | --- | --- | --- | --- |"]
    for row in found:
        name = f"`{row.name}`" + (" (deprecated)" if row.deprecated else "")
        lines.append("| " + " | ".join(map(_cell, (name, row.type, row.default, row.rules, row.description))) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
