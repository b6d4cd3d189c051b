"""The components of a package, each loaded by itself so that a broken one hides no other."""

import inspect
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any

import dagster as dg
from dagster.components.scaffold.scaffold import get_scaffolder, has_scaffolder

from .docstrings import Doc, as_used, read_doc
from .project import CatalogueError, Project
from .tables import Row, flat, rows


@dataclass(frozen=True)
class Entry:
    """One component.

    Args:
        name: Its class.
        package: The module that its type begins with.
        family: The part of the package that it belongs to.
        doc: What its docstring says, with types as a project writes them.
        schema: JSON schema of its attributes.
        parameters: JSON schema of what ``dg scaffold defs`` asks.
    """

    name: str
    package: str
    family: str
    doc: Doc
    schema: dict[str, Any]
    parameters: dict[str, Any]

    @property
    def type(self) -> str:
        """What ``type:`` says in defs.yaml."""
        return f"{self.package}.{self.name}"

    @cached_property
    def attributes(self) -> dict[str, Row]:
        """Every attribute by its path."""
        return flat(self.schema)

    @property
    def options(self) -> list[Row]:
        """The options of ``dg scaffold defs``."""
        return rows(self.parameters)


@dataclass(frozen=True)
class Library:
    """What a package has.

    Args:
        entries: The components that load, by family and name.
        failures: Why the others do not, by name.
        families: What each family is for.
    """

    entries: list[Entry]
    failures: dict[str, str]
    families: dict[str, str]


def load_library(project: Project) -> Library:
    """The components of a package.

    Raises:
        CatalogueError: the package itself does not import.
    """
    try:
        module = import_module(project.package)
        names = sorted(dir(module))
    except Exception as error:
        raise CatalogueError(f"{project.package} does not import: {_short(error)}") from error
    entries, failures = [], {}
    for name in names:
        try:
            entry = _entry(module, name)
        except Exception as error:  # whatever a component's module does, the others are still of use
            failures[name] = _short(error)
            continue
        if entry:
            entries.append(entry)
    entries.sort(key=lambda entry: (entry.family, entry.name))
    families = {entry.family: "" for entry in entries}
    return Library(entries, failures, {family: _family(project, family) for family in families})


def missing_examples(library: Library) -> list[str]:
    """The types of components whose docstring has no example; those of other packages need none."""
    return [entry.type for entry in library.entries if not entry.doc.example and entry.family != "stock"]


def _entry(module: ModuleType, name: str) -> Entry | None:
    found = getattr(module, name)
    if not (inspect.isclass(found) and issubclass(found, dg.Component)) or inspect.isabstract(found):
        return None
    if found.__module__.split(".")[0] in ("dagster", "components"):
        return None
    doc = read_doc(found.__doc__)
    model = found.get_model_cls()
    return Entry(
        name=name,
        package=module.__name__,
        family=_family_of(found, module.__name__),
        doc=Doc(doc.summary, doc.prose, as_used(doc.example, module.__name__)),
        schema=model.model_json_schema() if model else {"properties": {}},
        parameters=scaffold_parameters(found),
    )


def _family_of(found: type, package: str) -> str:
    """The folder that a class is in; one that comes from somewhere else is stock."""
    inside = found.__module__.removeprefix(package + ".")
    return inside.split(".")[0] if inside != found.__module__ else "stock"


def scaffold_parameters(found: type) -> dict[str, Any]:
    """JSON schema of what ``dg scaffold defs`` asks for a component; empty if it asks nothing."""
    if not has_scaffolder(found):
        return {}
    scaffolder = get_scaffolder(found)
    if not isinstance(scaffolder, dg.Scaffolder):  # then it is the reason why there is none
        return {}
    return scaffolder.get_scaffold_params().model_json_schema()


def _family(project: Project, family: str) -> str:
    """What a family's docstring says."""
    try:
        doc = import_module(f"{project.package}.{family}").__doc__
    except ImportError:
        doc = None
    summary = read_doc(doc).summary
    name, _, about = summary.partition(": ")
    return about[:1].upper() + about[1:] if about and name.lower() == family else summary


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0].strip()
