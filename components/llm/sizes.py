"""How large a request can be, for limits and budgets that must hold before anybody has counted its tokens."""

import json

from .messages import Completion


def tokens_at_most(text: str) -> int:
    """More tokens than any usual tokeniser makes of a text: one for two bytes, and a few for what stands around it."""
    return len(text.encode("utf-8", "replace")) // 2 + 16


def input_at_most(request: Completion) -> int:
    """More tokens than a request has, as input."""
    schema = json.dumps(request.schema) if request.schema else ""
    return sum(map(tokens_at_most, (request.system, request.prompt, schema)))
