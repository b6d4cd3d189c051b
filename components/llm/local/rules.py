"""Answers by rules on this machine: no language model, and good enough to see a pipeline work."""

import json
import re
from collections.abc import Mapping
from typing import Any

from ..messages import Completion

NAME = "rules (no language model)"
_ROW = re.compile(r"<row>\n?(.*?)\n?</row>", re.DOTALL)
_WORD = re.compile(r"[a-z0-9']+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_KIND_WORDS = """
good great love loved loves excellent amazing awesome best better happy nice thanks thank perfect perfectly wonderful
easy easily fast helpful works worked pleased pleasant recommend recommended fantastic like liked likes enjoy enjoyed
enjoyable brilliant solid reliable smooth quick quickly beautiful beautifully delicious tasty fresh friendly fun funny
favorite favourite glad impressed impressive incredible outstanding superb terrific excited interesting satisfied
satisfying comfortable clear crisp sturdy well worth attentive clever charming authentic generous delightful fabulous
gem touching sharp affordable reasonable cool strong yummy"""
_UNKIND_WORDS = """
bad badly worst worse hate hated terrible terribly awful poor poorly broken breaks broke disappointed disappointing
disappointment slow useless waste wasted wrong never refund problem problems fail failed fails error errors crash
crashes annoying horrible horribly unhappy angry rude missing late cancel cannot issue issues stuck lost difficult
unable delay delayed frustrated frustrating damaged bug boring bland cheap cold crap dirty disgusting dull lacks lacked
mediocre overpriced pathetic predictable returned ridiculous sick stale stupid sucks sucked tasteless unfortunately
unreliable uncomfortable weak worthless avoid defective dead died dropped gross garbage joke junk lame mess mistake
nasty overcooked pointless regret sorry unwatchable ugly weird"""
_DENIALS = "not no never n't don't doesn't didn't isn't wasn't won't can't cannot hardly"
_GOOD, _BAD, _NOT = (frozenset(words.split()) for words in (_KIND_WORDS, _UNKIND_WORDS, _DENIALS))
_KIN = {
    "billing": "bill billed invoice charge charged payment pay paid price refund card subscription fee money cost bank",
    "account": "account login log password sign user username email profile locked access verify",
    "delivery": "delivery deliver delivered shipping ship shipped package arrive arrived order tracking courier late",
    "shipping": "delivery deliver delivered shipping ship shipped package arrive arrived order tracking courier late",
    "technical": "error bug crash app software install update screen device connect connection network slow server",
    "product": "product quality size colour color feature item broken damaged battery sound picture phone charger "
    "headset device bluetooth case screen plug unit camera cable purchase bought reception keyboard headphone buy car",
    "film": "film movie cinema actor actress acting plot scene story character director script cast watch watching "
    "ending dialogue screenplay role performance show cinematography documentary hollywood drama comedy horror episode",
    "restaurant": "restaurant food meal menu dish waiter waitress taste eat ate dinner lunch breakfast chef table "
    "chicken salad burger pizza sauce drink service place staff server steak sushi taco fry bread sandwich dessert",
    "quality": "quality broken damaged battery sound cheap solid durable",
    "service": "service support staff agent waiter helpful rude call phone help answer",
    "feature": "feature wish would add request suggestion idea",
}


def answer(request: Completion) -> str:
    """JSON that fits the request's schema, or the first sentences of what was given."""
    rows = _ROW.findall(request.prompt)
    text = rows[-1] if rows else request.prompt
    if request.schema is None:
        return " ".join(_SENTENCE.split(text.strip())[:2])
    return json.dumps(_value(request.schema, "", text), ensure_ascii=False)


def sentiment(text: str) -> int:
    """How many more kind words than unkind ones a text has; a word after "not" counts the other way round."""
    words = _WORD.findall(text.lower())
    score = 0
    for at, word in enumerate(words):
        sign = (word in _GOOD) - (word in _BAD)
        score += -sign if sign and _NOT & set(words[max(0, at - 2) : at]) else sign
    return score


def _value(schema: Mapping[str, Any], name: str, text: str) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _choice(schema["enum"], text)
    kind = schema.get("type", "string")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    match kind:
        case "object":
            wanted = schema.get("properties", {})
            return {key: _value(sub, key, text) for key, sub in wanted.items()}
        case "array":
            least = max(int(schema.get("minItems", 0)), 1)
            return [_value(schema.get("items", {}), name, text)] * least
        case "boolean":
            return any(word in _WORD.findall(text.lower()) for word in name.lower().split("_") if len(word) > 2)
        case "integer" | "number":
            return _number(schema, text, whole=kind == "integer")
        case "null":
            return None
        case _:
            return _text(schema, text)


def _choice(choices: list[Any], text: str) -> Any:
    """The choice whose words, or words about it, the text has most of; else the one that says nothing special."""
    words = _WORD.findall(text.lower())
    moods = {"positive": 1, "negative": -1, "neutral": 0, "good": 1, "bad": -1, "mixed": 0}
    score = sentiment(text)
    mood = next((choice for choice in choices if moods.get(str(choice)) == (score > 0) - (score < 0)), None)
    if mood is not None:
        return mood
    points = {}
    for choice in choices:
        about = {part for word in _WORD.findall(str(choice).lower()) for part in (word, *_KIN.get(word, "").split())}
        points[str(choice)] = sum(word in about or word.rstrip("s") in about for word in words)
    best = max(points, key=lambda choice: points[choice])
    if points[best] == 0:
        return next((choice for choice in choices if str(choice) in ("other", "none", "unknown")), choices[-1])
    return next(choice for choice in choices if str(choice) == best)


def _number(schema: Mapping[str, Any], text: str, *, whole: bool) -> float | int:
    """The mood of the text on the scale that the schema has."""
    low, high = float(schema.get("minimum", 0)), float(schema.get("maximum", 1))
    share = min(max(0.5 + sentiment(text) / 8, 0.0), 1.0)
    found = low + share * (high - low)
    return round(found) if whole else round(found, 3)


def _text(schema: Mapping[str, Any], text: str) -> str:
    first = _SENTENCE.split(" ".join(text.split()))[0]
    return first[: int(schema.get("maxLength", 200))]
