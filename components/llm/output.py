"""What an enrichment adds to a row: columns in YAML, the JSON schema that they mean, and their types in a table."""

import json
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import model_validator

from ..base import StrictModel


class OutputColumn(StrictModel):
    """A column that the model fills, in the words of JSON schema."""

    type: Annotated[
        Literal["string", "integer", "number", "boolean", "array"],
        dg.Resolver.default(description="Type of the value; an array holds strings and is kept as JSON."),
    ] = "string"
    description: Annotated[str | None, dg.Resolver.default(description="What it means; the model reads this.")] = None
    enum: Annotated[
        list[str] | None,
        dg.Resolver.default(
            description="The only values there are.",
            examples=[["positive", "neutral", "negative"]],
            json_schema_extra={"minItems": 1},
        ),
    ] = None
    minimum: Annotated[float | None, dg.Resolver.default(description="Least number.")] = None
    maximum: Annotated[float | None, dg.Resolver.default(description="Greatest number.")] = None
    max_length: Annotated[
        int | None,
        dg.Resolver.default(description="Most characters of a string.", json_schema_extra={"exclusiveMinimum": 0}),
    ] = None
    nullable: Annotated[bool, dg.Resolver.default(description="Whether the model may say that there is none.")] = False

    @model_validator(mode="after")
    def _fits_together(self) -> "OutputColumn":
        if self.enum and self.type not in ("string", "array"):
            raise ValueError(f"enum: is for string and array, not for {self.type}")
        if (self.minimum is not None or self.maximum is not None) and self.type not in ("integer", "number"):
            raise ValueError(f"minimum and maximum: are for integer and number, not for {self.type}")
        if self.max_length and self.type != "string":
            raise ValueError(f"max_length: is for string, not for {self.type}")
        return self

    def as_schema(self) -> dict[str, Any]:
        """The column as JSON schema."""
        value: dict[str, Any] = {"type": self.type}
        if self.type == "array":
            value["items"] = {"type": "string"} | ({"enum": self.enum} if self.enum else {})
        elif self.enum:
            value["enum"] = list(self.enum)
        for name, limit in (("minimum", self.minimum), ("maximum", self.maximum), ("maxLength", self.max_length)):
            if limit is not None:
                value[name] = limit
        if self.nullable:
            value = {"anyOf": [value, {"type": "null"}]}
        return value | ({"description": self.description} if self.description else {})

    def stored(self, value: Any) -> Any:
        """The value as the table keeps it."""
        if value is None or self.type != "array":
            return float(value) if value is not None and self.type == "number" else value
        return json.dumps(value, ensure_ascii=False)

    @property
    def arrow(self) -> Any:
        """The type of the column in Parquet."""
        import pyarrow as pa

        kinds = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
        return kinds.get(self.type, pa.string())


def answer_schema(columns: dict[str, OutputColumn]) -> dict[str, Any]:
    """The JSON schema of an answer that has all columns and no other."""
    return {
        "type": "object",
        "properties": {name: column.as_schema() for name, column in columns.items()},
        "required": list(columns),
        "additionalProperties": False,
    }
