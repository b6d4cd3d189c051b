"""Steps of a composition: checked, loaded, given what they share, and put in order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import dagster as dg
from dagster._core.definitions.assets.definition.assets_definition import stringify_asset_key_to_input_name
from dagster.components.resolved.errors import ResolutionException
from dagster_shared.record import copy
from dagster_shared.yaml_utils.source_position import SourcePositionTree
from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, PrivateAttr, ValidationError
from pydantic_core import CoreSchema

from ..keys import KnownKeys
from .types import component_type, described, library

_MAPPED = (dg.AssetSpec, dg.AssetsDefinition)
NAME_PATTERN = "^[A-Za-z0-9_]+$"


class Step(KnownKeys):
    """One component of a composition, as it is written."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(
        description="Type of the component: package.Class, or the class alone for one of this library.",
        examples=["components.ModelTrainingComponent", "ModelTrainingComponent"],
        pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$",
    )
    name: str | None = Field(
        default=None, description="Name of the step, for after; made of the type when left out.", pattern=NAME_PATTERN
    )
    attributes: dict[str, Any] = Field(
        default_factory=dict, description="Attributes of the component; templates may use variables."
    )
    after: list[str] = Field(default_factory=list, description="Steps that come first.")

    _positions: SourcePositionTree | None = PrivateAttr(None)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made = super().__get_pydantic_json_schema__(schema, handler)
        alone = {"if": {"properties": {"type": {"pattern": r"^[^.]+$"}}, "required": ["type"]}}
        handler.resolve_ref_schema(made)["allOf"] = [
            {**alone, "then": {"properties": {"type": {"enum": list(library())}}}}
        ] + [
            {
                "if": {"properties": {"type": {"pattern": rf"(^|\.){name}$"}}, "required": ["type"]},
                "then": {"properties": {"attributes": _schema_of(kind)}},
            }
            for name, kind in described().items()
        ]
        return made


@cache
def _schema_of(kind: type[dg.Component]) -> dict[str, Any]:
    """The JSON schema of a component's attributes; the composition may supply what is required."""
    model = kind.get_model_cls()
    if model is None:
        return {}
    whole = model.model_json_schema()
    definitions = whole.pop("$defs", {})

    def inlined(part: Any) -> Any:
        if isinstance(part, list):
            return [inlined(item) for item in part]
        if not isinstance(part, dict):
            return part
        if reference := part.get("$ref"):
            part = {**definitions[reference.rpartition("/")[2]], **{k: v for k, v in part.items() if k != "$ref"}}
        return {key: inlined(value) for key, value in part.items()}

    return {key: inlined(value) for key, value in whole.items() if key != "required"}


def as_written(context: dg.ResolutionContext, steps: list[Step]) -> list[Step]:
    """The steps with their templates, which are filled in when the step's own component is loaded."""
    for step in steps:
        step._positions = context.source_position_tree
    return steps


@dataclass(frozen=True)
class Loaded:
    """A step that is loaded: its component, and the context that its definitions are built in."""

    name: str
    component: dg.Component
    context: dg.ComponentLoadContext
    after: list[str]


@dataclass(frozen=True)
class Shared:
    """What a composition gives to all of its steps, where they do not say otherwise.

    Args:
        owners: Owners of the assets.
        group: Group of the assets.
        tags: Tags of the assets; a step's own ones win.
        variables: What templates may use as ``{{ variables.x }}``.
    """

    owners: list[str]
    group: str | None
    tags: dict[str, str]
    variables: dict[str, Any]


def name_of(step: Step) -> str:
    """The name of a step: its own, or that of its type without Component, in lower case."""
    if step.name:
        return step.name
    plain = step.type.rpartition(".")[2].removesuffix("Component")
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in plain)
    return words.strip("_")


def check_names(steps: list[Step], where: str, attribute: str) -> None:
    """Raise DagsterInvalidDefinitionError where names are not unique or ``after`` names no earlier step."""
    names: list[str] = []
    for index, step in enumerate(steps):
        name, place = name_of(step), f"{where}: {attribute}.{index}"
        if name in names:
            raise dg.DagsterInvalidDefinitionError(f"{place}: there is a step {name!r} already; give it another name")
        for earlier in step.after:
            if earlier not in names:
                known = ", ".join(names) or "none"
                raise dg.DagsterInvalidDefinitionError(
                    f"{place}: after: {earlier!r} is no step before {name!r}; those are: {known}"
                )
        names.append(name)


def load_step(
    step: Step,
    given: Mapping[str, Any],
    shared: Shared,
    context: dg.ComponentLoadContext,
    place: tuple[str, int],
    after: list[str],
) -> Loaded:
    """A step as a component.

    Args:
        step: As it is written.
        given: Attributes that the composition supplies where the component has them and the step does not.
        shared: What all steps share.
        context: Context of the composition.
        place: Attribute and index of the step, for messages.
        after: Names of the steps that come first.

    Raises:
        DagsterInvalidDefinitionError: there is no such component.
        ResolutionException: its attributes are wrong; the message names the step, with file, line and an excerpt.
    """
    attribute, index = place
    where = f"{context.path if context.path.suffix else context.path / 'defs.yaml'}: {attribute}.{index}"
    kind = component_type(step.type, where)
    model_type = kind.get_model_cls()
    known = set(model_type.model_fields) if model_type else set()
    supplied = {**given, "owners": shared.owners, "group": shared.group}
    attributes = {name: value for name, value in supplied.items() if name in known and value}
    attributes |= step.attributes
    if "tags" in known and shared.tags:
        own = step.attributes.get("tags") or {}
        attributes["tags"] = {**shared.tags, **own} if isinstance(own, dict) else own
    scope = {**kind.get_additional_scope(), "variables": shared.variables}
    resolution = context.resolution_context.with_scope(**scope)
    if step._positions:
        resolution = resolution.with_source_position_tree(step._positions)
    for part in ("attributes", attribute, index):
        resolution = resolution.at_path(part)
    own_context = context._with_resolution_context(resolution)
    model = _validated(model_type, attributes, resolution, f"{attribute}.{index} ({step.type})")
    return Loaded(name_of(step), kind.load(model, own_context), own_context, after)


def _validated(
    model_type: type[BaseModel] | None, attributes: dict[str, Any], resolution: dg.ResolutionContext, what: str
) -> BaseModel | None:
    if model_type is None:
        return None
    try:
        return model_type.model_validate(attributes)
    except ValidationError as error:
        told = []
        for detail in error.errors(include_url=False):
            message = detail["msg"].removeprefix("Value error, ")
            key = ".".join(map(str, detail["loc"]))
            line = f"{what}: {message}" if not key or message.startswith(f"{key}: ") else f"{what}: {key}: {message}"
            at = resolution.at_path("attributes")
            for part in detail["loc"]:
                at = at.at_path(part)
            told.append("".join([*at._location_parts(message), line]))
        raise ResolutionException("\n".join(told)) from None


def build(steps: list[Loaded], shared: Shared) -> dg.Definitions:
    """The definitions of all steps; each waits for those that it comes after."""
    built: dict[str, dg.Definitions] = {}
    last: dict[str, list[dg.AssetKey]] = {}
    for step in steps:
        definitions = step.component.build_defs(step.context)
        upstream = [key for name in step.after for key in last[name]]
        made = _specs(definitions)
        own = {spec.key for spec in made}
        definitions = _mapped(definitions, shared, upstream, own)
        built[step.name] = definitions
        read = {dep.asset_key for spec in made for dep in spec.deps}
        # A step without assets, such as a schedule, passes on what came before it.
        last[step.name] = sorted(own - read) or upstream
    return dg.Definitions.merge(*built.values())


def _specs(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    found: list[dg.AssetSpec] = []
    for asset in definitions.assets or []:
        if isinstance(asset, dg.AssetSpec):
            found.append(asset)
        elif isinstance(asset, dg.AssetsDefinition):
            found.extend(asset.specs)
    return found


def _mapped(
    definitions: dg.Definitions, shared: Shared, upstream: Iterable[dg.AssetKey], own: set[dg.AssetKey]
) -> dg.Definitions:
    waiting = list(upstream)

    def with_shared(spec: dg.AssetSpec) -> dg.AssetSpec:
        changes: dict[str, Any] = {"tags": {**shared.tags, **spec.tags}}
        if shared.owners and not spec.owners:
            changes["owners"] = shared.owners
        if shared.group and spec.group_name in (None, "default"):
            changes["group_name"] = shared.group
        there = {dep.asset_key for dep in spec.deps}
        if waiting and not there & own:  # the first assets of the step
            changes["deps"] = [*spec.deps, *(dg.AssetDep(key) for key in waiting if key not in there)]
        return spec.replace_attributes(**changes)

    if not own:
        return definitions
    assets = [
        _that_waits(next(iter(dg.map_asset_specs(with_shared, [asset])))) if isinstance(asset, _MAPPED) else asset
        for asset in definitions.assets or []
    ]
    return copy(definitions, assets=assets)


def _that_waits(asset: Any) -> Any:
    """The asset with an input for each dependency: those that map_asset_specs adds are shown, but not waited for."""
    if not isinstance(asset, dg.AssetsDefinition) or not asset.is_executable:
        return asset
    known = dict(asset.node_keys_by_input_name)
    added = {
        stringify_asset_key_to_input_name(dep.asset_key): dep.asset_key for spec in asset.specs for dep in spec.deps
    }
    inputs = {name: key for name, key in added.items() if name in asset.op.input_dict and name not in known}
    if not inputs:
        return asset
    attributes = {**asset.get_attributes_dict(), "keys_by_input_name": {**known, **inputs}}
    return dg.AssetsDefinition.dagster_internal_init(**attributes)
