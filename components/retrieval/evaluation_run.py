"""One run of an evaluation asset."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from .answering import Answer, Answering, Question, answers_to
from .answers_run import index_of, summed
from .embedding import calls_for, model_in_force
from .faults import told
from .figures import Figures, accepted_file, add_to_history, as_rows, chart, history_file, now, read_accepted
from .gold import GoldError, GoldQuestion, read_gold
from .metrics import answer_figures, retrieval_figures
from .names import index_name
from .search import Hit, Index, Mode
from .stores.base import Record

if TYPE_CHECKING:
    from .evaluation import Demand, RetrievalEvaluationComponent

_DEPTH = 20  # hits that are looked at: enough for ten documents
_FLOAT_SLACK = 1e-9


def run_evaluation(
    component: "RetrievalEvaluationComponent", context: dg.AssetExecutionContext, root: Path, gold_file: Path
) -> dg.MaterializeResult:
    """Ask all questions of the gold set and hold the figures against the demands.

    Raises:
        dagster.Failure: the gold set is wrong or names unknown documents, or the index cannot be searched.
    """
    name = index_name(component.key)
    try:
        gold = read_gold(gold_file)
        accepted = read_accepted(accepted_file(root, name))
    except (GoldError, ValueError) as error:
        raise dg.Failure(f"{component.key}: {error}", allow_retries=False) from None
    with told(component.key), ExitStack() as stack:
        index = stack.enter_context(index_of(component, context, root))
        completion = model_in_force(component.completion, root, context.log.warning)
        model = completion and stack.enter_context(
            calls_for(completion, root, component.key, component.owners, context.run.run_id, context.log.info)
        )
        found = _searched(index, gold, component.search.mode, component.search.diversity)
        how = Answering(
            mode=component.search.mode,
            diversity=component.search.diversity,
            minimum_match=component.search.minimum_match,
        )
        questions = [Question(item.id, item.question) for item in gold]
        answers = {answer.id: answer for answer in answers_to(questions, index, how, model=model or None)}
        pairs = [(item, answers[item.id]) for item in gold]
        values = {**retrieval_figures(found, component.k), **answer_figures(pairs, _cited(index, answers))}
        baseline = retrieval_figures(_searched(index, gold, "words", 0.0), component.k) if index.has_words else {}
        costs = summed([calls.metadata() for calls in (index.calls, model) if calls])
        collection, passages = index.pointer.collection, index.count()
    figures = Figures(now(), context.run.run_id, collection, len(gold), values, baseline, passages)
    history = add_to_history(history_file(root, name), figures)
    shown = [figure for figure in ("recall", "mrr", "ndcg") if figure in values]
    missed = [item.question for item, hits in found if item.documents and not _reached(item, hits[: component.k])]
    return dg.MaterializeResult(
        metadata={
            **{name: dg.MetadataValue.float(round(value, 4)) for name, value in values.items()},
            **{f"bm25_{name}": dg.MetadataValue.float(round(value, 4)) for name, value in baseline.items()},
            "questions": len(gold),
            "k": component.k,
            "figures": dg.MetadataValue.md(as_rows(values, baseline, accepted)),
            "over_time": dg.MetadataValue.md(chart(history, accepted, shown)),
            "missed": missed[:50],
            "collection": collection,
            **costs,
        },
        check_results=[_verdict(demand, values[demand.figure], accepted) for demand in component.demands],
    )


def _searched(
    index: Index, gold: list[GoldQuestion], mode: Mode, diversity: float
) -> list[tuple[GoldQuestion, list[Hit]]]:
    return [(item, index.search(item.question, _DEPTH, mode=mode, diversity=diversity)) for item in gold]


def _reached(question: GoldQuestion, hits: list[Hit]) -> bool:
    return any(hit.record.document in question.documents for hit in hits)


def _cited(index: Index, answers: dict[str, Answer]) -> dict[str, Record]:
    """The chunks that answers cite, read again from the store."""
    ids = sorted({citation.chunk for answer in answers.values() for citation in answer.citations})
    return {record.id: record for record in index.get(ids)}


def _verdict(demand: "Demand", value: float, accepted: dict[str, float]) -> dg.AssetCheckResult:
    before = accepted.get(demand.figure)
    least = max(demand.minimum, before - demand.max_drop if before is not None else 0.0)
    passed = value >= least - _FLOAT_SLACK
    words = f"{demand.figure} is {value:.3f}; at least {least:.3f} is needed"
    words += f" ({before:.3f} was accepted)" if before is not None else " (none was accepted yet)"
    return dg.AssetCheckResult(
        passed=passed,
        check_name=demand.figure,
        severity=dg.AssetCheckSeverity.ERROR,
        description=words,
        metadata={"value": round(value, 4), "needed": round(least, 4)},
    )
