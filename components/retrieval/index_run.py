"""One run of an index asset: from sources to the live collection, with what people should know about it."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from ..governance import policy_for
from ..llm.settings import ProviderSettings
from ..llm.stand_in import in_force
from .building import Outcome, Recipe, bring_up_to_date
from .embedding import calls_for, for_readers, identity
from .engines.opening import preparing
from .faults import told
from .indexing import Limits
from .names import index_name, manifest_file
from .stores.opening import open_store, store_in_force

if TYPE_CHECKING:
    from .index import DocumentIndexComponent

_FEWEST_CHUNKS = 256
_MOST_CHUNKS = 4096


def run_index(
    component: "DocumentIndexComponent", context: dg.AssetExecutionContext, root: Path
) -> dg.MaterializeResult:
    """Bring the index up to date.

    Raises:
        dagster.Failure: the store or the provider refuses, or nothing at all could be read.
    """
    with told(component.key):
        component, stand_in = _in_force(component, context, root)
    limits = Limits(
        max_bytes=int(component.max_file_mb * 1e6),
        leave_out_injection=component.prompt_injection == "leave_out",
        window=_window(component.embedding),
    )
    recipe = Recipe(
        embedding=identity(component.embedding),
        settings=for_readers(component.embedding),
        chunking=component.chunking,
        limits=limits,
        rules=[len(component.part_names())],
    )
    warehouse = getattr(context.resources, "warehouse", None)
    with (
        told(component.key),
        open_store(component.store, root) as store,
        calls_for(
            component.embedding, root, component.key, component.owners, context.run.run_id, context.log.info
        ) as calls,
        preparing(component.engine, component.chunking, component.embedding) as preparer,
    ):
        outcome = bring_up_to_date(
            store,
            root,
            index_name(component.key),
            component.documents(root, warehouse),
            recipe,
            calls.embed,
            part=context.partition_key if component.partitions else "",
            parts=component.part_names(),
            preparer=preparer,
            log=context.log.warning,
        )
        metadata = {**calls.metadata(), **preparer.metadata()}
    if not outcome.totals["chunks"] and not component.partitions:
        reasons = [*outcome.report.faults, *(f"{entry.document} {entry.fault}" for entry in outcome.refused)]
        raise dg.Failure(
            f"{component.key}: no document could be read: {'; '.join(reasons)[:2000]}", allow_retries=False
        )
    return dg.MaterializeResult(
        metadata={**metadata, **_metadata(outcome, root, index_name(component.key), component), **stand_in},
        check_results=[_read_check(outcome), _injection_check(outcome)],
    )


def _in_force(
    component: "DocumentIndexComponent", context: dg.AssetExecutionContext, root: Path
) -> tuple["DocumentIndexComponent", dict[str, Any]]:
    """The component with the model and the store that can be used here, and what to say where they are others."""
    embedding = in_force(component.embedding, ProviderSettings(), policy_for(root), context.log.warning)
    store, reason = store_in_force(component.store, root)
    if reason:
        context.log.warning(f"SAMPLE: {reason}. The file {store.embedded_path} stands in.")
    is_sample = bool(reason) or embedding is not component.embedding
    return replace(component, embedding=embedding, store=store), {"sample": True} if is_sample else {}


def _window(embedding: ProviderSettings) -> int:
    """Chunks in memory at a time: enough for all calls that may be under way, in calls that are full."""
    size = max(_FEWEST_CHUNKS, min(_MOST_CHUNKS, 2 * embedding.batch_size * embedding.concurrency))
    return max(embedding.batch_size, size - size % embedding.batch_size)


def _metadata(outcome: Outcome, root: Path, name: str, component: "DocumentIndexComponent") -> dict[str, Any]:
    report, totals = outcome.report, outcome.totals
    return {
        "dagster/row_count": totals["chunks"],
        "documents": totals["documents"] - totals["refused"],
        "documents_refused": totals["refused"],
        "documents_written": report.written,
        "documents_deleted": report.deleted,
        "documents_unchanged": report.unchanged,
        "documents_flagged": totals["flagged"],
        "other_files": report.other_files,
        "chunks_written": report.chunks_written,
        "chunks_deleted": report.chunks_deleted,
        "bytes": totals["bytes"],
        "collection": outcome.build.collection,
        "live": outcome.live,
        "swapped": outcome.swapped,
        "collected": outcome.collected,
        "store": component.store.type,
        "embedding": f"{component.embedding.provider}/{component.embedding.name}",
        "books": dg.MetadataValue.path(manifest_file(root, name)),
        **({"refused": _table(outcome)} if outcome.refused else {}),
        **({"source_faults": report.faults} if report.faults else {}),
    }


def _table(outcome: Outcome) -> Any:
    return dg.MetadataValue.table(
        [
            dg.TableRecord({"document": entry.document, "reason": entry.fault, "bytes": entry.bytes})
            for entry in outcome.refused
        ]
    )


def _read_check(outcome: Outcome) -> dg.AssetCheckResult:
    totals, faults = outcome.totals, outcome.report.faults
    lines = [*faults, *(f"{entry.document} {entry.fault}" for entry in outcome.refused)]
    return dg.AssetCheckResult(
        passed=not lines,
        check_name="documents_read",
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(lines[:20]) or f"{totals['documents']} documents were read.",
        metadata={"refused": totals["refused"], "read_with_notes": totals["noted"], "sources_failed": len(faults)},
    )


def _injection_check(outcome: Outcome) -> dg.AssetCheckResult:
    names = [f"{entry.document} ({entry.flagged} chunks)" for entry in outcome.flagged]
    return dg.AssetCheckResult(
        passed=not names,
        check_name="no_prompt_injection",
        severity=dg.AssetCheckSeverity.WARN,
        description="Looks like orders to a language model: " + ", ".join(names) if names else "None was found.",
        metadata={"documents": outcome.totals["flagged"]},
    )
