"""Messages that name the file, the key, the value and what is valid."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

import dagster as dg

_CREDENTIALS = re.compile(r"(\w[\w+.-]*://)[^/\s'\"]+@")
_LISTED = 12


class DbtProjectError(dg.DagsterInvalidDefinitionError):
    """What keeps a dbt project from the platform, said so that it can be mended."""


@dataclass(frozen=True)
class Where:
    """The YAML file that a mistake stands in.

    Args:
        file: Path as the reader knows it, from the project's root.
    """

    file: str

    def fault(self, key: str, value: object, problem: str, valid: Iterable[str] | None = None) -> DbtProjectError:
        """The error to raise.

        Args:
            key: Dotted path of the attribute.
            value: What stands there.
            problem: What is wrong with it, as the end of a sentence.
            valid: What may stand there instead; the nearest names come first.
        """
        text = f"{self.file}: {key}: {value!r} {problem}"
        if valid is not None:
            text += f"; {describe_valid(value, valid)}"
        return DbtProjectError(redact(text))


def describe_valid(value: object, valid: Iterable[str]) -> str:
    """The names that are valid, the nearest suggested, a long list cut short."""
    names = sorted(set(valid))
    if not names:
        return "there is none to name"
    near = get_close_matches(str(value), names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    shown = near + [name for name in names if name not in near]
    more = f" and {len(shown) - _LISTED} more" if len(shown) > _LISTED else ""
    return f"{hint}valid: {', '.join(shown[:_LISTED])}{more}"


def redact(text: str) -> str:
    """The text without the credentials that a URL in it carries."""
    return _CREDENTIALS.sub(r"\1***@", text)
