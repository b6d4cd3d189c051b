"""Keys of YAML: unknown ones are explained, and old ones load for a while."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, ClassVar

from pydantic import BaseModel, GetJsonSchemaHandler, PrivateAttr, ValidationError, model_validator
from pydantic_core import CoreSchema

from .renamed import Renamed, schema_with_old_names, with_new_names

_NO_DEFAULT = "__DAGSTER_UNSET_DEFAULT__"


class KnownKeys(BaseModel):
    """Base of a model that says what an unknown key may have meant, and takes the old names of renamed ones."""

    _renamed: ClassVar[tuple[Renamed, ...]] = ()
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
            if prop.get("default") == _NO_DEFAULT:
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
