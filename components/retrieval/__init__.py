"""Retrieval: documents, chunks, embeddings, vector stores, answers with citations, evaluation, a search page."""

from typing import Any

from ..importing import imported

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
    return imported(name, _MODULES, __name__)


def __dir__() -> list[str]:
    return sorted(__all__)  # dg lists what is found here
