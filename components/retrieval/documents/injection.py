"""Text that addresses a language model instead of a reader: found and reported, never obeyed."""

import re

FLAG = "prompt injection"
# Each pattern with words that it cannot do without: looking for these first is many times faster.
_PATTERNS: list[tuple[tuple[str, ...], str]] = [
    (
        ("ignore", "disregard", "forget", "override"),
        r"\b(ignore|disregard|forget|override)\b.{0,40}\b(previous|prior|above|earlier|preceding|all|any|your|system)\b"
        r".{0,30}\b(instruction|prompt|rule|direction|guideline|context|message)s?",
    ),
    (
        ("unrestricted", "jailbroken", "dan", "different ai"),
        r"\b(you are|act as|pretend to be|behave as) (now |no longer )?(an? )?"
        r"(unrestricted|jailbroken|dan\b|different ai)",
    ),
    (
        ("prompt", "your instructions"),
        r"\b(reveal|print|repeat|output|show|leak|send)\b.{0,30}\b"
        r"(system prompt|hidden prompt|your (instructions|prompt))",
    ),
    (("instruction",), r"\bnew (system )?instructions?\s*:"),
    (
        ("<|", "im_start", "im_end", "endoftext", "inst]", "sys>>", "<system"),
        r"<\|?(im_start|im_end|system|endoftext)\|?>|\[/?INST\]|<</?SYS>>",
    ),
    (("the user",), r"\b(do not|don't) (tell|inform|mention (this|it) to) the user\b"),
    (
        ("asked", "summari", "answering"),
        r"\b(when|if) (you are )?(asked|summari[sz]ing|answering).{0,60}\b(always|only) (say|answer|respond|reply)\b",
    ),
]
_SUSPICIOUS = [(words, re.compile(pattern, re.IGNORECASE | re.DOTALL)) for words, pattern in _PATTERNS]
_HIDDEN = re.compile("[\u200b\u200c\u2060\ufeff\U000e0000-\U000e007f]{3,}")


def suspicious(text: str) -> bool:
    """Whether a text reads like instructions for a language model, or hides characters."""
    lower = text.lower()
    if any(pattern.search(text) for words, pattern in _SUSPICIOUS if any(word in lower for word in words)):
        return True
    return not text.isascii() and bool(_HIDDEN.search(text))
