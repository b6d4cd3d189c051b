"""One run of an answers asset."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from .answering import Answer, Answering, Question, answers_to
from .faults import told
from .search import Index, open_index

if TYPE_CHECKING:
    from .answers import AnswersComponent


def run_answers(component: "AnswersComponent", context: dg.AssetExecutionContext, root: Path) -> dg.MaterializeResult:
    """Answer all questions and write the file.

    Raises:
        dagster.Failure: the index is not there, or calls to a model cannot go on.
    """
    how = Answering(component.hits, component.search.mode, component.search.diversity, component.search.minimum_match)
    asked = component.asked(getattr(context.resources, "warehouse", None))
    with told(component.key), ExitStack() as stack:
        index = stack.enter_context(index_of(component, context, root))
        model, reranker = component.models(stack, context, root)
        questions = [Question(*pair) for pair in asked]
        found = {item.id: item for item in answers_to(questions, index, how, model=model, reranker=reranker)}
        costs = [calls.metadata() for calls in (index.calls, model, reranker) if calls]
    answers = [found[question.id] for question in questions]
    path = root / component.output
    write_whole(path, "".join(json.dumps(as_row(answer), ensure_ascii=False) + "\n" for answer in answers))
    wrong = sum(answer.wrong_quotes for answer in answers)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(answers),
            "answered": sum(not answer.refusal for answer in answers),
            "not_answered": sum(bool(answer.refusal) for answer in answers),
            "method": answers[0].method if answers else "",
            "path": dg.MetadataValue.path(path),
            "preview": dg.MetadataValue.md(_preview(answers[:10])),
            **summed(costs),
        },
        check_results=[
            dg.AssetCheckResult(
                passed=not wrong,
                check_name="quotes_are_real",
                severity=dg.AssetCheckSeverity.WARN,
                description=f"{wrong} quotes stand in no passage and were taken out."
                if wrong
                else "Every quote stands in its document.",
                metadata={"wrong_quotes": wrong},
            )
        ],
    )


def index_of(component: Any, context: dg.AssetExecutionContext, root: Path) -> AbstractContextManager[Index]:
    """The index that a component searches, open for its run."""
    return open_index(
        root,
        component.index,
        component.store,
        asset=component.key,
        owners=component.owners,
        run_id=context.run.run_id,
    )


def as_row(answer: Answer) -> dict[str, Any]:
    """An answer as it is written: one object, citations by number."""
    return {"answer": answer.text, **asdict(answer)}


def summed(costs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What several models cost together, and what each is called."""
    numbers = ("cost_usd", "calls", "answered_before", "input_tokens", "output_tokens")
    total: dict[str, Any] = {name: sum(cost[name].value for cost in costs) for name in numbers}
    return {**total, "providers": ", ".join(dict.fromkeys(cost["provider"].value for cost in costs))}


def write_whole(path: Path, text: str) -> None:
    """Write a file so that readers see the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)


def _preview(answers: Sequence[Answer]) -> str:
    lines = []
    for answer in answers:
        lines += [f"**{answer.question}**", "", answer.text or f"_No answer: {answer.refusal}._", ""]
        lines += [f"{at}. {item.document}: {item.heading}" for at, item in enumerate(answer.citations, 1)]
        lines.append("")
    return "\n".join(lines)
