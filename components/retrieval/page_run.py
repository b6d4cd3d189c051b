"""One run of a search page's asset."""

import sqlite3
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from ..llm.ledger import LEDGER_FILE
from .answers_run import index_of, write_whole
from .faults import told
from .figures import accepted_file, history_file, now, read_accepted, read_history
from .names import index_name
from .page_html import Report, passage, render
from .search import Index
from .search_settings import SearchSettings

if TYPE_CHECKING:
    from .page import SearchPageComponent

_BY_WORDS = "This file searches by words, without a language model and without a network."


def run_page(component: "SearchPageComponent", context: dg.AssetExecutionContext, root: Path) -> dg.MaterializeResult:
    """Write the page.

    Raises:
        dagster.Failure: the index is not there, or cannot be read.
    """
    with told(component.key), ExitStack() as stack:
        index = stack.enter_context(index_of(component, context, root))
        total = index.count()
        passages = [passage(record) for record in islice(index.scan(), component.max_passages)]
        size = _size(index, total, passages)
        embedding = index.pointer.embedding
    evaluation = index_name(component.evaluation) if component.evaluation else ""
    report = Report(
        size,
        read_history(history_file(root, evaluation)) if evaluation else [],
        read_accepted(accepted_file(root, evaluation)) if evaluation else {},
        _costs(root),
    )
    data = {
        "passages": passages,
        "minimum_match": SearchSettings().minimum_match,
        "index": component.index,
        "store": component.store.model_dump(exclude_none=True),
        "embedding": embedding,
    }
    how = _BY_WORDS if total <= len(passages) else f"{_BY_WORDS} It holds {len(passages):,} of {total:,} passages."
    page = render(
        component.title, component.description, how, f"Written {now()} by run {context.run.run_id[:8]}.", data, report
    )
    path = root / component.output
    write_whole(path, page)
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(path),
            "url": dg.MetadataValue.url(path.resolve().as_uri()),
            "size_bytes": len(page.encode()),
            "passages": len(passages),
            "passages_of_index": total,
        }
    )


def _size(index: Index, total: int, passages: list[dict[str, str]]) -> dict[str, object]:
    model = index.pointer.embedding
    return {
        "passages": total,
        "documents shown here": len({item["document"] for item in passages}),
        "numbers in a vector": index.pointer.dimension,
        "embedding": f"{model.get('provider', 'local')} {model.get('name', 'lexical')}",
        "collection": index.pointer.collection,
    }


def _costs(root: Path) -> list[tuple[str, str, int, int, float]]:
    """What model calls cost, by asset and model; those of the local models are free and not shown."""
    file = root / LEDGER_FILE
    if not file.is_file():
        return []
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(
            "SELECT asset, provider || ' ' || name, count(*), sum(input_tokens + output_tokens), sum(usd) FROM calls "
            "WHERE provider <> 'local' GROUP BY 1, 2 ORDER BY 5 DESC LIMIT 50"
        ).fetchall()
