"""The policy as pages: all of it, and the part that concerns one component."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from .library import Entry
from .project import CatalogueError, Project

SIZES = ("compute_size", "warehouse_size")
ROUTES = ("alert_route", "default_route")


@dataclass(frozen=True)
class CompanyPolicy:
    """What policy.yaml says.

    Args:
        model: The policy, as the governance family reads it.
        text: The file itself.
    """

    model: Any
    text: str

    def page(self) -> str:
        """Markdown of everything that the policy sets."""
        parts = [
            "# Policy\n",
            "What the company requires of every asset. It ships with the package and holds in every project that "
            "calls `governed()`; no project can loosen it by a file of its own.\n",
        ]
        for name, field in type(self.model).model_fields.items():
            value = getattr(self.model, name)
            if value in (None, [], {}) or name == "version":
                continue
            parts += [f"## {_words(name)}\n", f"{field.description or ''}\n", _shown(value)]
        parts += ["## The file\n", f"```yaml\n{self.text.rstrip()}\n```\n"]
        return "\n".join(parts)

    def concerning(self, entry: Entry) -> str:
        """Markdown of what the policy says about a component's attributes."""
        names = {path.rsplit(".", 1)[-1] for path in entry.attributes}
        parts = [*self._standards(names), *self._compute(names), *self._alerts(names)]
        if not parts:
            return "No attribute of this component is ruled by the [policy](../policy.md).\n"
        return "\n".join([*parts, "The whole [policy](../policy.md).\n"])

    def _standards(self, names: set[str]) -> Iterator[str]:
        asked = [f"`{name}`" for name in self.model.require]
        if "owners" in names and asked:
            yield f"Every asset has: {', '.join(asked)}.\n"
        tags = [f"`{name}`" for name in self.model.required_tags]
        if "tags" in names and tags:
            yield f"Tags that every asset has: {', '.join(tags)}.\n"
        for name in ("classifications", "tiers"):
            values = [f"`{value}`" for value in getattr(self.model, name)]
            if "tags" in names and values:
                yield f"The tag `{name.removesuffix('s')}` is one of {', '.join(values)}.\n"

    def _compute(self, names: set[str]) -> Iterator[str]:
        if chosen := [name for name in SIZES if name in names]:
            yield f"`{'` and `'.join(chosen)}` may be:\n"
            yield _shown(self.model.compute_sizes)
        if "compute_profile" in names:
            profiles = ", ".join(f"`{name}`" for name in dict.fromkeys(["local", *self.model.compute_profiles]))
            yield f"`compute_profile` may be {profiles}.\n"

    def _alerts(self, names: set[str]) -> Iterator[str]:
        if routes := [f"`{route}`" for route in self.model.alert_routes]:
            for name in ROUTES:
                if name in names:
                    yield f"`{name}` may be {', '.join(routes)}.\n"


def read_policy(project: Project) -> CompanyPolicy | None:
    """The policy that the package ships; None where it has none, or no governance to read it with.

    Raises:
        CatalogueError: the file is broken; the message has each mistake with its line.
    """
    if project.policy is None:
        return None
    try:
        governance = import_module(f"{project.package}.governance")
    except ImportError:
        return None
    try:
        return CompanyPolicy(governance.load_policy(project.policy), project.policy.read_text(encoding="utf-8"))
    except governance.PolicyError as error:
        raise CatalogueError(str(error)) from None


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) and all(isinstance(part, BaseModel) for part in value.values()):
        return _table([{"name": key, **row} for key, row in zip(value, _rows(value.values()), strict=True)])
    if isinstance(value, Mapping):
        return "".join(f"- `{key}`: {_cell(part)}\n" for key, part in value.items())
    if isinstance(value, BaseModel):
        return "".join(f"- {_words(key)}: {_cell(part)}\n" for key, part in _plain(value).items() if _cell(part))
    if isinstance(value, list) and all(isinstance(part, BaseModel) for part in value):
        return _table(_rows(value))
    if isinstance(value, list):
        return "".join(f"- `{part}`\n" for part in value)
    return f"`{value}`\n"


def _plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json")


def _rows(models: Iterable[BaseModel]) -> list[dict[str, Any]]:
    """What each model says, without the fields that all of them leave as they are by default."""
    kept = list(models)
    told = {name for model in kept for name in model.model_fields_set if getattr(model, name) != _default(model, name)}
    return [{name: value for name, value in _plain(model).items() if name in told} for model in kept]


def _default(model: BaseModel, name: str) -> Any:
    return type(model).model_fields[name].get_default(call_default_factory=True)


def _table(found: list[dict[str, Any]]) -> str:
    """A table with the columns that any of the rows has a value for."""
    columns = [
        column
        for column in dict.fromkeys(key for row in found for key in row)
        if any(row.get(column) not in (None, [], {}, "") for row in found)
    ]
    lines = ["| " + " | ".join(map(_words, columns)) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    lines += ["| " + " | ".join(_cell(row.get(column)) for column in columns) + " |" for row in found]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if value in (None, [], {}, ""):
        return ""
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, dict):
        return ", ".join(f"{_words(key)} {_cell(part)}" for key, part in value.items() if part not in (None, [], {}))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:g}"
    text = str(value).replace("|", "\\|")
    return text if " " in text else f"`{text}`"


def _words(name: str) -> str:
    """A key as words; units are written as people do."""
    text = name.replace("_", " ").replace(" usd", " (USD)").replace(" gb", " (GB)").replace(" env", " variable")
    return text[:1].upper() + text[1:]
