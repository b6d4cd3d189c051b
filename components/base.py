"""Components whose YAML is checked as strictly as their Python types.

Dagster lets every attribute be any string, so that it may hold a ``{{ template }}``; an enum typo or text for a number
therefore passes ``dg check yaml``. Here a string stands in for another type only where it really is a template.
"""

import json
import logging
import operator
import re
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache, cached_property
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin

import dagster as dg
from dagster.components.core.decl import ComponentDecl
from dagster.components.resolved.base import AnnotationInfo, _get_annotations, _get_resolver
from dagster.components.resolved.errors import ResolutionException
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from .keys import UNSET, KnownKeys
from .renamed import Renamed
from .schedules import FORMATS
from .template_text import TEMPLATE, as_text, has_template, keep_text

logger = logging.getLogger("dagster.components")
_IS_TEMPLATE = {"type": "string", "pattern": TEMPLATE}
_LIMITS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "pattern": (lambda value, limit: bool(re.search(limit, value)) and not value.endswith("\n"), "does not match"),
    "minimum": (operator.ge, "is not valid; expected at least"),
    "maximum": (operator.le, "is not valid; expected at most"),
    "exclusiveMinimum": (operator.gt, "is not valid; expected more than"),
    "minItems": (lambda value, limit: len(value) >= limit, "has too few items; number expected:"),
}
_OF_TEXT = ("pattern", "format")


class AttributesError(ResolutionException, ValueError):
    """Attributes that do not fit together; the message has file, line and an excerpt."""


class Strict(dg.Resolvable):
    """Mixin for a Resolvable whose plain-string alternatives are accepted only for templates."""

    renamed_attributes: ClassVar[tuple[Renamed, ...]] = ()
    """Old names of attributes that still load; ``hooks/migrations`` renames them in projects."""

    @classmethod
    def model(cls) -> type[BaseModel]:
        """The pydantic model of the YAML, tightened."""
        return _strict_model(cls)  # type: ignore[arg-type]  # a class is hashable

    @classmethod
    def resolve_from_model(cls, context: dg.ResolutionContext, model: BaseModel) -> Self:
        """An instance from checked YAML; what templates give is checked like what is written.

        Raises:
            AttributesError: a template gives a wrong value, or attributes contradict each other.
        """
        for old in getattr(model, "_old_names", ()):
            logger.warning(_location(context, f"{cls.__name__}: {old.advice}. {old.old} loads until {old.until}"))
        attributes = _attributes(cls)  # type: ignore[arg-type]
        values = {name: one.resolved(name, context, model) for name, one in attributes.items() if one.is_given(model)}
        try:
            return cls(**values)
        except ValueError as error:
            raise _located(context, _text(error)) from None


class StrictComponent(dg.Component, Strict):
    """Base of every component in this library: decorate subclasses with ``@dataclass``."""

    @classmethod
    def get_decl_type(cls) -> type[ComponentDecl]:
        """How Dagster declares the component; YAML is about to be loaded, so the model's validator is built."""
        cls.model().model_rebuild()  # once: pydantic would build a model that is not complete for each file anew
        return super().get_decl_type()


class StrictModel(dg.Model, Strict):
    """Base of every nested group of attributes."""

    model_config = ConfigDict(defer_build=True)  # listing components needs no validator


class _StrictAttributes(KnownKeys, dg.Model):
    """Base of the pydantic models of YAML."""


class _Attribute:
    """What one attribute accepts: values of its type within its limits, and templates."""

    def __init__(self, name: str, info: AnnotationInfo) -> None:
        resolver = _get_resolver(info.type, name)
        self.info, self.resolver = info, resolver
        self.key = resolver.model_field_name or name
        self.kind: Any = resolver.model_field_type or info.type
        extra = resolver.json_schema_extra or {}
        self.limits = {key: limit for key, limit in extra.items() if key in _LIMITS or key == "format"}
        self.is_plain = resolver.is_default and resolver.model_field_type is None
        choices = _alternatives(self.kind)
        self.takes_text = str in choices or Any in choices
        self.is_free = not self.limits and choices in ([str], [Any])
        models = [choice for choice in choices if isinstance(choice, type) and issubclass(choice, BaseModel)]
        self.model = models[0] if len(models) == 1 else None

    def field(self) -> tuple[Any, Any]:
        """Type and field of the pydantic model, with everything that the schema tells."""
        told: dict[str, Any] = {"description": self.resolver.description, "examples": self.resolver.examples}
        if extra := {k: v for k, v in (self.resolver.json_schema_extra or {}).items() if k not in self.limits}:
            told["json_schema_extra"] = extra
        if self.info.has_default:  # the class itself supplies what JSON cannot say
            plain = self.info.default is None or type(self.info.default) in (int, float, str, bool)
            told["default"] = self.info.default if plain else UNSET
        told = {key: value for key, value in told.items() if value is not None or key == "default"}
        own = [FieldInfo.merge_field_infos(self.info.field_info, default_factory=None)] if self.info.field_info else []
        free = self.kind if self.kind is str else self.kind | str
        kind = free if self.is_free else Annotated[self.kind, self]
        return kind, FieldInfo.merge_field_infos(*own, Field(**told))

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """The validator of the declared type, made when it is needed."""
        return TypeAdapter(self.kind)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # A template stands where the type says otherwise, so the value is dumped as it is, without a warning.
        as_it_is = core_schema.plain_serializer_function_ser_schema(_built)
        return core_schema.no_info_wrap_validator_function(self.check, handler(source), serialization=as_it_is)

    def check(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        """The value as the model keeps it.

        Raises:
            ValueError: it is neither a template nor valid.
        """
        if isinstance(value, str) and re.search(TEMPLATE, value):
            return value
        if isinstance(value, str | bool) and not (self.takes_text and isinstance(value, str)):
            # In JSON's strict mode "5" is no number and true is not 1.
            try:
                value = self.adapter.validate_json(json.dumps(value), strict=True)
            except ValidationError:
                expected = _describe(self.kind)
                raise ValueError(f"{self.key}: {value!r} is not valid; expected {expected}") from None
        elif isinstance(value, Mapping) and self.model:
            value = self.model.model_validate(value)  # blames the wrong key, where a union would blame the whole
        else:
            value = handler(value)
        if broken := self.broken_limit(value):
            raise ValueError(f"{self.key}: {value!r} {broken}")
        return value

    def broken_limit(self, value: Any) -> str | None:
        """What a value of the right type lacks to be within the limits."""
        for name, limit in self.limits.items():
            if value is None or isinstance(value, str) != (name in _OF_TEXT):
                continue
            if name == "format":
                return FORMATS[limit].mistake(value)
            fits, words = _LIMITS[name]
            if not fits(value, limit):
                return f"{words} {limit!r}"
        return None

    @property
    def rules(self) -> dict[str, Any]:
        """The limits as JSON schema."""
        return self.limits | (FORMATS[self.limits["format"]].schema() if "format" in self.limits else {})

    def is_given(self, model: BaseModel) -> bool:
        """Whether the YAML has it; else the class supplies its default."""
        return self.key in model.model_fields_set and getattr(model, self.key) != UNSET

    def resolved(self, name: str, context: dg.ResolutionContext, model: BaseModel) -> Any:
        """The value after templates, of the declared type.

        Raises:
            AttributesError: a template gave something else.
        """
        raw = getattr(model, self.key)
        if self.is_plain and not has_template(raw):  # Jinja would compile every text, twice
            return raw
        value = self.resolver.execute(context=context, model=model, field_name=name)
        if not self.is_plain:
            return value
        context = context.at_path(self.key)
        kept = keep_text(raw, value)
        if kept == raw:
            return kept
        try:
            try:
                kept = self.adapter.validate_python(kept)
            except ValidationError:
                kept = self.adapter.validate_python(as_text(raw, kept, context.scope))
            broken = self.broken_limit(kept)
        except ValidationError:
            broken = f"is not valid; expected {_describe(self.kind)}"
        if broken:  # the value itself is not shown: it may be a secret of the environment
            raise _located(context, f"{self.key}: what {raw!r} gives {broken}")
        return kept

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        rule = handler(schema)
        exempt: list[dict[str, Any]] = [_IS_TEMPLATE]
        choices = rule.pop("anyOf", None)
        if choices is None:
            return {"if": _IS_TEMPLATE, "else": {**rule, **self.rules}}
        if {"type": "null"} in choices:
            exempt.append({"type": "null"})
            choices = [choice for choice in choices if choice != {"type": "null"}]
        return {"if": {"anyOf": exempt}, "else": {**rule, **_one_of(choices, handler), **self.rules}}


def _built(value: Any) -> Any:
    """The value, once the groups in it can be dumped: pydantic before 2.13 does not finish their classes by itself."""
    if isinstance(value, BaseModel):
        type(value).model_rebuild()
    for part in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        _built(part)
    return value


def _one_of(choices: list[dict[str, Any]], handler: GetJsonSchemaHandler) -> dict[str, Any]:
    """A schema for any of several types that reports a mistake in a nested group where it is."""
    if len(choices) == 1:
        return choices[0]
    groups = [choice for choice in choices if handler.resolve_ref_schema(choice).get("type") == "object"]
    if len(groups) != 1:
        return {"anyOf": choices}
    others = [choice for choice in choices if choice != groups[0]]
    rest = others[0] if len(others) == 1 else {"anyOf": others}
    return {"if": {"type": "object"}, "then": groups[0], "else": rest}


@cache
def _strict_model(cls: type[Strict]) -> type[BaseModel]:
    """The pydantic model of ``cls``; the same class every time, as Dagster compares by identity.

    It is what Dagster derives itself, tightened; a model of Dagster's as its base would be built twice.
    """
    attributes = _attributes(cls)  # type: ignore[arg-type]  # a class is hashable
    fields: dict[str, Any] = {attribute.key: attribute.field() for attribute in attributes.values()}
    made = create_model(
        f"{cls.__name__}Model", __base__=_StrictAttributes, __module__=cls.__module__, __doc__=cls.__doc__, **fields
    )
    form = cls.get_form_config()
    made.model_config["json_schema_extra"] = {
        "title": " ".join(re.findall(r"[A-Z]+(?=[A-Z][a-z0-9])|[A-Z][a-z0-9]*|[a-z0-9]+", cls.__name__)),
        "ui:order": list(fields),
        **(form.to_component_json_schema_extra() if form else {}),
    }
    made._renamed = cls.renamed_attributes
    return made


@cache
def _attributes(cls: type[Strict]) -> dict[str, _Attribute]:
    """The attributes of a class by their names in Python."""
    return {name: _Attribute(name, info) for name, info in _get_annotations(cls).items()}


def _alternatives(kind: Any) -> list[Any]:
    """The types of a union, or the type itself; without annotations."""
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [alternative for arg in get_args(kind) for alternative in _alternatives(arg)]
    return [kind]


def _describe(kind: Any) -> str:
    """A reader's description of a type: its allowed values where it has them."""
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(str(member.value) for member in kind)
    choices = [choice for choice in _alternatives(kind) if choice is not type(None)]
    if choices != [kind]:
        return " or ".join(map(_describe, choices))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"the keys {', '.join(kind.model_fields)}"
    container = get_origin(kind)
    if container is None:
        return getattr(kind, "__name__", str(kind))
    return "keys and values" if issubclass(container, Mapping) else "a list"


def _text(error: ValueError) -> str:
    """What an error says, without pydantic's trimmings."""
    if not isinstance(error, ValidationError):
        return str(error)
    found = [(".".join(map(str, detail["loc"])), detail["msg"]) for detail in error.errors()]
    return "; ".join(f"{place}: {message}" if place else message for place, message in found).replace(
        "Value error, ", ""
    )


def _located(context: dg.ResolutionContext, message: str) -> AttributesError:
    return AttributesError(_location(context, message))


def _location(context: dg.ResolutionContext, message: str) -> str:
    return "".join([*context._location_parts(message), message])
