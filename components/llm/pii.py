"""Personal data in texts: found by shape and check digit, replaced by placeholders, put back on this machine only."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from .settings import RedactKind

PHONE_REGION = "US"
"""Numbers without a country code are taken for those of this region; with one, of any."""
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DIGITS = re.compile(r"(?<![0-9])(?:[0-9][ -]?){12,18}[0-9](?![0-9])")
_CARD_DIGITS = 13
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]){11,30}")
_SSN = re.compile(r"(?<![0-9-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9-])")
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:])"
)
_PLACEHOLDER = re.compile(r"\[(EMAIL|PHONE|CARD|IBAN|SSN|IP)_([0-9]+)\]")
_ORDER: tuple[RedactKind, ...] = ("email", "iban", "card", "ssn", "ip", "phone")


@dataclass(frozen=True)
class Redacted:
    """A text that may leave, and what was taken out of it, which may not.

    Args:
        text: With placeholders such as ``[EMAIL_1]``.
        originals: What each placeholder stands for.
    """

    text: str
    originals: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def counts(self) -> Counter[str]:
        """How many different values of each kind were taken out."""
        return Counter(name[1:].rsplit("_", 1)[0].lower() for name in self.originals)

    def restored(self, text: str) -> str:
        """A text with the originals in place of the placeholders."""
        return _PLACEHOLDER.sub(lambda found: self.originals.get(found[0], found[0]), text)

    def restored_data(self, data: Any) -> Any:
        """The same for every text inside data."""
        if isinstance(data, str):
            return self.restored(data)
        if isinstance(data, list):
            return [self.restored_data(item) for item in data]
        if isinstance(data, dict):
            return {key: self.restored_data(value) for key, value in data.items()}
        return data


def redact(text: str, kinds: Sequence[RedactKind]) -> Redacted:
    """The text without personal data of some kinds; equal values get equal placeholders, in the order they appear."""
    if not kinds or not text:
        return Redacted(text)
    taken: list[tuple[int, int, str]] = []
    left = text
    for kind in _ORDER:
        if kind in kinds:
            for start, end in list(_FINDERS[kind](left)):
                taken.append((start, end, kind))
                left = f"{left[:start]}{'|' * (end - start)}{left[end:]}"  # so that no other value begins or ends here
    used = {found[0] for found in _PLACEHOLDER.finditer(text)}
    names: dict[tuple[str, str], str] = {}
    pieces, at = [], 0
    for start, end, name in sorted(taken):
        value = text[start:end]
        if (name, value) not in names:
            names[name, value] = _new_name(name, used)
        pieces += [text[at:start], names[name, value]]
        at = end
    return Redacted("".join([*pieces, text[at:]]), {name: value for (_, value), name in names.items()})


def _new_name(kind: str, used: set[str]) -> str:
    """A placeholder that the text does not have yet."""
    number = 1
    while (name := f"[{kind.upper()}_{number}]") in used:
        number += 1
    used.add(name)
    return name


def _emails(text: str) -> Iterator[tuple[int, int]]:
    for found in _EMAIL.finditer(text):
        yield found.span()


def _cards(text: str) -> Iterator[tuple[int, int]]:
    from stdnum import luhn

    def fits(value: str) -> bool:
        digits = re.sub("[ -]", "", value)
        return len(digits) >= _CARD_DIGITS and luhn.is_valid(digits)

    return _valid_parts(_DIGITS, text, fits)


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    from stdnum import iban

    return _valid_parts(_IBAN, text, iban.is_valid)


def _valid_parts(shape: re.Pattern[str], text: str, fits: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """The longest valid part of each place that has the shape: words and numbers beside it may look like more of it."""
    at = 0
    while found := shape.search(text, at):
        start, at = found.start(), found.start() + 1
        for end in range(found.end(), start + _CARD_DIGITS - 1, -1):
            stands_alone = text[end - 1].isalnum() and (end == len(text) or not text[end].isalnum())
            if stands_alone and fits(text[start:end]):
                yield start, end
                at = end
                break


def _ssns(text: str) -> Iterator[tuple[int, int]]:
    from stdnum.us import ssn

    for found in _SSN.finditer(text):
        if ssn.is_valid(found[0]):
            yield found.span()


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for found in _ADDRESS.finditer(text):
        try:
            ip_address(found[0])
        except ValueError:
            continue
        if any(char not in ":." for char in found[0]):
            yield found.span()


def _phones(text: str) -> Iterator[tuple[int, int]]:
    if sum(char.isdigit() for char in text) < 7:  # the matcher is slow, and no number is shorter
        return
    from phonenumbers import PhoneNumberMatcher

    for found in PhoneNumberMatcher(text, PHONE_REGION):
        yield found.start, found.end


_FINDERS = {
    "email": _emails,
    "iban": _ibans,
    "card": _cards,
    "ssn": _ssns,
    "ip": _addresses,
    "phone": _phones,
}
