"""Taking secrets out of a text, in whatever form a tool may have written them.

Standard library only, and nothing relative: the file also goes along with jobs that run on other machines.
"""

import base64
import re
from collections.abc import Iterable
from functools import lru_cache

MASK = "***"
SHORTEST = 4
_SHORTEST_BASE64 = 6
_NAMED = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\a": "a", "\0": "0"}
_QUOTED = {"'": ("''", "'\"'\"'", "'\\''"), '"': ('""',), " ": ("+",)}
_PARTS = re.compile(r"\\+|[^\\]", re.DOTALL)
_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


def redacted(text: str, values: Iterable[str]) -> str:
    """A text without the secrets that are in it.

    A secret is found as it is, in any mixture of the escapes of JSON, Python, shells, SQL, URLs, XML and HTML, also
    escaped twice, and inside base64. Of secrets that overlap, everything goes. The lines of a secret of several lines
    are secrets too, as logs come line by line.

    Args:
        text: What is about to be written.
        values: The secrets; those shorter than 4 characters would mask half of every text and are left.
    """
    pattern = _pattern(tuple(sorted(set(values))))
    while pattern:
        spans = [(match.start(1), match.end(1)) for match in pattern.finditer(text) if match.group(1)]
        if not spans:
            break
        text = _masked(text, spans)  # again, as the mask may complete a secret that holds asterisks
    return text


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    parts, done = [], 0
    for start, end in spans:
        if start >= done:
            parts += [text[done:start], MASK]
        done = max(done, end)
    return "".join([*parts, text[done:]])


@lru_cache(maxsize=64)
def _pattern(values: tuple[str, ...]) -> re.Pattern[str] | None:
    """What finds the longest secret at each place of a text, also where it lies inside another."""
    every = {part for value in values for part in (value, *_lines(value)) if len(part) >= SHORTEST}
    if not every:
        return None
    forms = [form for value in sorted(every, key=len, reverse=True) for form in (_escaped(value), *_base64(value))]
    return re.compile(f"(?=({'|'.join(forms)}))")


def _lines(value: str) -> list[str]:
    lines = [line.strip() for line in value.splitlines()]
    return [line for line in lines if len(line) >= 8 and not line.startswith("-----")] if len(lines) > 1 else []


def _escaped(value: str) -> str:
    return "".join(_backslashes(len(part)) if part[0] == "\\" else _character(part) for part in _PARTS.findall(value))


def _backslashes(count: int) -> str:
    """Some backslashes on end: one pattern for all, as a pattern for each would try every way to share them out."""
    return rf"(?:\\{{{count},}}|(?:%(?:25)*5[cC]){{{count}}}|(?:\\+u005[cC]){{{count}}}|(?:\\+x5[cC]){{{count}}})"


def _character(char: str) -> str:
    """Every way in which tools write one character that is no backslash."""
    code = ord(char)
    forms = {re.escape(char)}
    if not char.isalnum():
        forms.add(rf"\\+{re.escape(char)}")
        forms |= {rf"\\+{_NAMED[char]}"} if char in _NAMED else set()
        forms |= {rf"&(?:amp;)*{_ENTITIES[char]};"} if char in _ENTITIES else set()
        forms |= {re.escape(written) for written in _QUOTED.get(char, ())}
    if not (char.isalnum() and char.isascii()):
        units = char.encode("utf-16-be", "surrogatepass")
        pairs = [units[i : i + 2].hex() for i in range(0, len(units), 2)]
        forms.add("".join(rf"\\+u{_any_case(pair)}" for pair in pairs))
        forms.add(rf"\\+U{_any_case(f'{code:08x}')}")
        if code < 256:
            forms.add(rf"\\+x{_any_case(f'{code:02x}')}")
        forms.add("".join(rf"%(?:25)*{_any_case(f'{byte:02x}')}" for byte in char.encode("utf-8", "surrogatepass")))
        forms.add(rf"&(?:amp;)*\x23(?:0*{code}|[xX]0*{_any_case(f'{code:x}')});")
    return f"(?:{'|'.join(sorted(forms, key=len, reverse=True))})"


def _any_case(text: str) -> str:
    return "".join(f"[{char}{char.upper()}]" if char.isalpha() else char for char in text)


def _base64(value: str) -> list[str]:
    """The characters that base64 gives for the value wherever it stands in what was encoded."""
    raw = value.encode("utf-8", "surrogatepass")
    if len(raw) < _SHORTEST_BASE64:
        return []
    forms = []
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        end = (offset + len(raw)) * 8 // 6
        stable = re.escape(whole[-(-offset * 8 // 6) : end])
        forms.append(stable.replace(r"\+", r"[+\-]").replace("/", "[/_]"))
    return forms
