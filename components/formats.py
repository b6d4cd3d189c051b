"""Texts of a known shape: checked by JSON schema and when they load, with a message that says what is valid."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .template_text import TEMPLATE


@dataclass(frozen=True)
class Format:
    """What a text has to be; in ``list[Annotated[str, FORMAT]]`` each item is held against it.

    Args:
        rule: Makes the JSON schema that a right text fits, as far as a schema can know.
        expected: What is valid, as the end of "expected". It is the pattern that a wrong text is told it does not
            match, so it has to be a regular expression too; plain words are one.
        mistake: What is wrong with a text, as the end of a sentence; None if nothing is.
    """

    rule: Callable[[], dict[str, Any]]
    expected: str
    mistake: Callable[[str], str | None]

    def schema(self) -> dict[str, Any]:
        """A JSON schema that says what is expected instead of showing its rule."""
        return {"if": self.rule(), "else": {"pattern": self.expected}}

    def check(self, text: str) -> str:
        """The text.

        Raises:
            ValueError: it is neither a template nor right.
        """
        if not re.search(TEMPLATE, text) and (problem := self.mistake(text)):
            raise ValueError(f"{text!r} {problem}")
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "if": {"pattern": TEMPLATE}, "else": self.schema()}


def matching(pattern: str, expected: str) -> Format:
    """The format of texts that match a regular expression.

    Args:
        pattern: The regular expression.
        expected: What it means, in words.
    """

    def mistake(text: str) -> str | None:
        return None if re.search(pattern, text) and not text.endswith("\n") else f"is not valid; expected {expected}"

    return Format(lambda: {"pattern": pattern}, expected, mistake)


OWNER = matching(r"^(team:\S+|[^@\s]+@[^@\s]+\.[^@\s]+)$", "an e-mail address, or a team as team:name")
ASSET_KEY = matching(r"^[^/\s]+(/[^/\s]+)*$", "an asset key such as marts/customers")
TAG_VALUE = matching(r"^[A-Za-z0-9_.-]{0,63}$", "at most 63 letters, digits, dots, dashes and underscores")
