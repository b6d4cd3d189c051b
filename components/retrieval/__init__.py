"""Retrieval: documents, chunks, embeddings, vector stores, answers with citations, evaluation, a search page."""

from importlib import import_module
from typing import Any

_MODULES = {
    "AnswersComponent": "answers",
    "DocumentIndexComponent": "index",
    "RetrievalEvaluationComponent": "evaluation",
    "RetrievalFiguresComponent": "figures_table",
    "SearchPageComponent": "page",
}

__all__ = [
    "AnswersComponent",
    "DocumentIndexComponent",
    "RetrievalEvaluationComponent",
    "RetrievalFiguresComponent",
    "SearchPageComponent",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)  # dg lists what is found here
