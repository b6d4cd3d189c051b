"""Figures of retrieval and of answers, each from 0 to 1."""

from collections.abc import Mapping, Sequence
from math import log2

from .answering import Answer
from .gold import GoldQuestion
from .passages import Citation
from .search import Hit
from .stores.base import Record

NDCG_AT = 10
FIGURES = ("recall", "mrr", "ndcg", "quotes_real", "sentences_supported", "answered_right")


def retrieval_figures(found: Sequence[tuple[GoldQuestion, Sequence[Hit]]], k: int) -> dict[str, float]:
    """Mean figures over the questions that something in the index answers.

    ``recall``: share of the documents that answer a question which are among its first k chunks (of at most k).
    ``mrr``: one by the rank of the first chunk that answers. ``ndcg``: over the first ten documents.
    """
    asked = [(question, hits) for question, hits in found if question.documents]
    values = [_of_one(question, hits, k) for question, hits in asked]
    names = ("recall", "mrr", "ndcg")
    return {name: sum(value[at] for value in values) / len(values) for at, name in enumerate(names)}


def _of_one(question: GoldQuestion, hits: Sequence[Hit], k: int) -> tuple[float, float, float]:
    good = [_answers(question, hit.record) for hit in hits]
    reached = {hit.record.document for hit, is_good in zip(hits[:k], good, strict=False) if is_good}
    recall = len(reached) / min(k, len(question.documents))
    mrr = next((1 / rank for rank, is_good in enumerate(good, 1) if is_good), 0.0)
    documents: dict[str, bool] = {}
    for hit, is_good in zip(hits, good, strict=True):
        documents[hit.record.document] = documents.get(hit.record.document, False) or is_good
    gains = [is_good / log2(rank + 1) for rank, is_good in enumerate(list(documents.values())[:NDCG_AT], 1)]
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(NDCG_AT, len(question.documents)) + 1))
    return recall, mrr, sum(gains) / ideal


def _answers(question: GoldQuestion, record: Record) -> bool:
    if record.document not in question.documents:
        return False
    text = " ".join(record.text.split())
    return not question.passages or any(" ".join(passage.split()) in text for passage in question.passages)


def answer_figures(answers: Sequence[tuple[GoldQuestion, Answer]], chunks: Mapping[str, Record]) -> dict[str, float]:
    """How far the answers can be trusted.

    ``quotes_real``: share of all quotes, also those a model made up, that stand where they are said to stand.
    ``sentences_supported``: share of sentences with at least one such quote. ``answered_right``: share of questions
    that were answered where something in the index answers them, and refused where nothing does.
    """
    quotes = real = sentences = supported = right = 0
    for question, answer in answers:
        verified = {number for number, item in enumerate(answer.citations, 1) if _stands(item, chunks)}
        quotes += len(answer.citations) + answer.wrong_quotes
        real += len(verified)
        sentences += len(answer.sentences)
        supported += sum(bool(verified & set(item.citations)) for item in answer.sentences)
        right += bool(question.documents) != bool(answer.refusal)
    return {
        "quotes_real": real / quotes if quotes else 1.0,
        "sentences_supported": supported / sentences if sentences else 1.0,
        "answered_right": right / len(answers),
    }


def _stands(citation: Citation, chunks: Mapping[str, Record]) -> bool:
    record = chunks.get(citation.chunk)
    if record is None:
        return False
    start, end = citation.start - record.start, citation.end - record.start
    return bool(record.text[start:end] == citation.quote)
