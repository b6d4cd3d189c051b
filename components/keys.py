"""Keys of YAML: unknown ones are explained, and old ones load for a while."""

import json
import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, PrivateAttr, ValidationError, model_validator
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema

from .renamed import Renamed, schema_with_old_names, with_new_names
from .schema_cache import kept_schema

UNSET = "__DAGSTER_UNSET_DEFAULT__"
"""What stands in a model for a default that only the class knows."""


class ShortNames(GenerateJsonSchema):
    """Names every definition after its class from the start.

    Pydantic tries long names first and compares whole schemas to shorten them, most of what a schema costs;
    ``dg list components`` makes one for every component.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._short_names: dict[Any, str] = {}

    def get_defs_ref(self, core_mode_ref: Any) -> Any:
        """The name of the class, with a number where two classes share it."""
        names = self._short_names
        if core_mode_ref not in names:
            short = re.sub(r"\W", "_", core_mode_ref[0].split(":")[0].rpartition(".")[2])
            taken = sum(name.partition("__")[0] == short for name in names.values())
            names[core_mode_ref] = f"{short}__{taken}" if taken else short
        return names[core_mode_ref]

    def encode_default(self, dft: Any) -> Any:
        """A default as JSON; pydantic makes a validator even for a plain one."""
        return dft if dft is None or isinstance(dft, str | int | float) else super().encode_default(dft)

    def sort(self, value: Any, parent_key: str | None = None) -> Any:
        """The schema as it is, in the order of the class."""
        return value

    def _build_definitions_remapping(self) -> Any:
        named, self.definitions = self.definitions, {}
        try:
            return super()._build_definitions_remapping()
        finally:
            self.definitions = named


class KnownKeys(BaseModel):
    """Base of a model that says what an unknown key may have meant, and takes the old names of renamed ones."""

    model_config = ConfigDict(defer_build=True)  # a model inside another one is built with it
    _renamed: ClassVar[tuple[Renamed, ...]] = ()
    _schema: ClassVar[str] = ""
    _old_names: tuple[Renamed, ...] = PrivateAttr(())

    @model_validator(mode="wrap")
    @classmethod
    def _explain_keys(cls, value: Any, handler: Callable[[Any], Any]) -> Any:
        value, old_names = with_new_names(value, cls._renamed)
        try:
            made = handler(value)
            if old_names:
                made._old_names = tuple(old_names)
            return made
        except ValidationError as error:
            details = [cls._explained(detail) for detail in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(error.title, details) from None

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """The JSON schema, its definitions named after their classes; arguments as pydantic's."""
        if args or options:
            return super().model_json_schema(*args, **options)
        if "_schema" not in cls.__dict__:  # as text, so that whoever asks gets one of their own
            make = super().model_json_schema
            cls._schema = kept_schema(
                cls.__module__, cls.__qualname__, lambda: json.dumps(make(schema_generator=ShortNames))
            )
        made: dict[str, Any] = json.loads(cls._schema)
        return made

    @classmethod
    def _explained(cls, detail: Any) -> Any:
        if detail["type"] != "extra_forbidden" or len(detail["loc"]) != 1:
            return detail
        near = get_close_matches(str(detail["loc"][0]), cls.model_fields, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(cls.model_fields)}"
        return {**detail, "type": "value_error", "ctx": {"error": ValueError(f"unknown key; {hint}")}}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made = handler(schema)
        rule = handler.resolve_ref_schema(made)
        for prop in rule.get("properties", {}).values():
            if prop.get("default") == UNSET:
                del prop["default"]
            _blame_the_type(prop)
        schema_with_old_names(rule, cls._renamed)
        if rule.get("additionalProperties") is False:  # which alone would not say what is valid
            rule["propertyNames"] = {"enum": list(rule.get("properties", {}))}
        return made


def _blame_the_type(prop: dict[str, Any]) -> None:
    """Let a wrong value of an optional attribute be told what it should be, not that it fits neither that nor null."""
    choices = prop.get("anyOf", [])
    if len(choices) == 2 and {"type": "null"} in choices:
        prop.pop("anyOf")
        prop |= {"if": {"type": "null"}, "else": next(choice for choice in choices if choice != {"type": "null"})}
