"""Typical mistakes, planted into a right example wherever the attribute's name and type invite them.

What to plant follows from what an attribute is, not from the rules that it has: an attribute without a rule that it
could have shows up as a mistake that nobody reports.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tests.mutations.library import Example

Path = tuple[str | int, ...]

# Texts that a careless hand writes, by the end of the attribute's name.
WRONG_TEXT = {
    "bad cron": (r"(^|_)cron(_schedule)?$", ["61 6 * * *", "every day", "0 6 * *"]),
    "bad time zone": (r"(^|_)time_?zone$", ["Berlin", "Europe/Brelin"]),
    "bad owner": (r"(^|_)(owner|owners)$", ["data team", "data"]),
    "bad tag": (r"^tags$", ["two words"]),
    "bad key": (r"(^|_)(?<!api_)(key|keys)$|^depends_on$", ["marts//orders", ""]),  # api_key names a secret
    "bad group": (r"^group$", ["my group"]),
    "bad date": (r"(^|_)(date|start|end|start_date|end_date)$", ["yesterday", "01.02.2026"]),
    "bad address": (r"(^|_)url$", ["dagster example"]),
    "bad variable": (r"_env$", ["my-variable"]),
    "bad file": (r"(^|_)(file|output|notebook|script)$", [""]),
    "bad name": (r"(^|_)name$", [""]),
}
# Numbers that may be negative, as they bound measured values; and keys that are no asset keys.
SIGNED = {"minimum", "maximum", "offset", "seed"}
NO_ASSET_KEY = {"primary_key", "merge_key", "unique_key", "merge_keys"}


@dataclass(frozen=True)
class Mistake:
    """An example with one thing wrong.

    Args:
        kind: What was done to it.
        path: Where, from the top of the document.
        document: The example, wrong.
        told: A regular expression that what is told has to match: the value or key, and what is valid.
        at: Where the report stands, if not at ``path``: a missing key is told where it is missing.
    """

    kind: str
    path: Path
    document: dict[str, Any]
    told: str
    at: Path


def mistakes(example: Example) -> Iterator[Mistake]:
    """Every mistake that fits the example, one at a time."""
    document = example.document
    wrong_top = {**{key: value for key, value in document.items() if key != "attributes"}, "atributes": {}}
    yield Mistake("unknown top-level key", ("atributes",), wrong_top, "'atributes' was unexpected", ("atributes",))
    yield from _in_group(example, example.schema, ("attributes",))


def _in_group(example: Example, group: dict[str, Any], path: Path) -> Iterator[Mistake]:
    """Mistakes in a group of attributes that the example has."""
    here = _at(example.document, path)
    properties = {name: prop for name, prop in group.get("properties", {}).items() if not prop.get("deprecated")}
    if properties and group.get("additionalProperties") is False:
        known = next(iter(here), next(iter(properties)))
        typo = known[:-2] + known[-1] if len(known) > 2 else known + "x"
        typo = typo if typo not in properties else f"{known}x"
        document = _with(example.document, (*path, typo), "x")
        yield Mistake("unknown key", (*path, typo), document, f"{typo!r} is not one of .*{known!r}", path)
    for name in group.get("required", []):
        if name in here:
            document = _without(example.document, (*path, name))
            yield Mistake("missing key", (*path, name), document, f"{name!r} is a required property", path)
    for name, prop in properties.items():
        yield from _of_attribute(example, prop, (*path, name))
        if name in here:
            yield from _inside(example, prop, (*path, name))


def _inside(example: Example, prop: dict[str, Any], path: Path) -> Iterator[Mistake]:
    """Mistakes in the groups that the example's value holds: one item of a list or map stands for all."""
    value = _at(example.document, path)
    for rule in _choices(prop, example.schema):
        if isinstance(value, dict) and rule.get("properties"):
            yield from _in_group(example, rule, path)
        elif isinstance(value, dict) and value and isinstance(rule.get("additionalProperties"), dict):
            yield from _inside(example, rule["additionalProperties"], (*path, next(iter(value))))
        elif isinstance(value, list) and value and isinstance(rule.get("items"), dict):
            yield from _inside(example, rule["items"], (*path, 0))


def _of_attribute(example: Example, prop: dict[str, Any], path: Path) -> Iterator[Mistake]:
    """Wrong values for one attribute, whether the example has it or not."""
    rules = _choices(prop, example.schema)
    kinds = {kind for rule in rules for kind in _kinds(rule)}
    if "any" in kinds:
        return

    def plant(kind: str, value: Any, told: str, *inside: str | int) -> Mistake:
        place = (*path, *inside)
        return Mistake(kind, place, _with(example.document, path, value), told, place)

    yield from _wrong_types(kinds, plant)
    yield from _wrong_choices(rules, kinds, plant)
    yield from _wrong_texts(str(path[-1]), rules, kinds, plant)
    if kinds <= {"integer", "number"} and path[-1] not in SIGNED:
        yield plant("negative number", -1, r"-1 is (less|not)|-1 is less than or equal")


def _wrong_types(kinds: set[str], plant: Any) -> Iterator[Mistake]:
    if kinds <= {"integer", "number"}:
        yield plant("text for a number", "many", "'many' is not of type '(integer|number)'")
        yield plant("number in quotes", "5", "'5' is not of type '(integer|number)'")
    if kinds == {"boolean"}:
        yield plant("text for true or false", "maybe", "'maybe' is not of type 'boolean'")
    if kinds <= {"string", "enum"}:
        yield plant("number for text", 5, "5 (is not of type 'string'|is not one of|was expected)|'string'|valid under")
    if kinds == {"array"}:
        yield plant("map for a list", {"a": 1}, "is not of type 'array'")
        yield plant("text for a list", "one", "'one' is not of type 'array'")
    if kinds == {"object"}:
        yield plant("list for a map", ["a"], "is not of type 'object'")
        yield plant("text for a map", "one", "'one' is not of type 'object'")


def _wrong_choices(rules: list[dict[str, Any]], kinds: set[str], plant: Any) -> Iterator[Mistake]:
    choices = [value for rule in rules for value in _enum(rule) if isinstance(value, str)]
    if choices and kinds == {"enum"}:
        wrong = f"{choices[0]}z"
        told = ".*".join(["", *map(re.escape, choices[:1])])
        yield plant("wrong choice", wrong, f"{re.escape(repr(wrong))} .*(not one of|was expected|valid under){told}")


def _wrong_texts(name: str, rules: list[dict[str, Any]], kinds: set[str], plant: Any) -> Iterator[Mistake]:
    if kinds == {"string"}:
        inside: tuple[str | int, ...] = ()
    elif kinds == {"array"} and any(set(_kinds(rule.get("items", {}))) == {"string"} for rule in rules):
        inside = (0,)
    elif name == "tags" and kinds == {"object"}:
        inside = ("domain",)
    else:
        return
    for kind, (ending, values) in WRONG_TEXT.items():
        if re.search(ending, name) and name not in NO_ASSET_KEY and (name, inside) != ("tags", (0,)):
            for value in values:
                whole = value if not inside else [value] if inside == (0,) else {inside[0]: value}
                yield plant(kind, whole, rf"{re.escape(repr(value))} (does not match|is too short|should be)", *inside)


def _choices(prop: Any, schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The rules that a value may follow, templates and null aside, references replaced."""
    if not isinstance(prop, dict):
        return [{}]
    if "$ref" in prop:
        return _choices(schema["$defs"][prop["$ref"].rsplit("/", 1)[-1]], schema)
    if "if" in prop and "else" in prop and "type" not in prop:
        return [rule for key in ("then", "else") if key in prop for rule in _choices(prop[key], schema)]
    for key in ("anyOf", "oneOf"):
        if key in prop and "properties" not in prop:
            kept = [choice for choice in prop[key] if choice.get("type") != "null"]
            return [rule for choice in kept for rule in _choices(choice, schema)]
    return [prop]


def _kinds(rule: dict[str, Any]) -> Iterator[str]:
    if _enum(rule):
        yield "enum"
    elif isinstance(kind := rule.get("type", "any"), list):
        yield from kind
    else:
        yield kind


def _enum(rule: dict[str, Any]) -> list[Any]:
    return [rule["const"]] if "const" in rule else rule.get("enum", [])


def _at(document: Any, path: Path) -> Any:
    for part in path:
        document = (document.get(part) or {}) if isinstance(document, dict) else document[part]
    return document


def _with(document: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    changed = deepcopy(document)
    if not changed.get("attributes"):
        changed["attributes"] = {}
    _at(changed, path[:-1])[path[-1]] = value
    return changed


def _without(document: dict[str, Any], path: Path) -> dict[str, Any]:
    changed = deepcopy(document)
    del _at(changed, path[:-1])[path[-1]]
    return changed
