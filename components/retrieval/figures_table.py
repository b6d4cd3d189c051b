"""The component that shows an evaluation's figures over time as a table, with the size of its index."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel

from ..attributes import Description, Group, Owners, Tags
from ..base import StrictComponent
from ..warehouse.kind import engine_kind
from ..warehouse.sql_table import KEY_PATTERN
from .attributes import Key

COLUMNS = {
    "measured_at": "When, in UTC.",
    "run_id": "The Dagster run.",
    "collection": "The collection that was searched; another one after another model or way of cutting.",
    "passages": "Chunks in the index.",
    "questions": "Questions of the gold set.",
    "figure": "Which figure: recall, mrr, ndcg, quotes_real, sentences_supported, answered_right.",
    "figure_value": "From 0 to 1.",
    "bm25": "The same figure of a search by words over the same chunks.",
    "accepted": "The figure that was accepted last.",
}


class RetrievalFiguresScaffolder(dg.Scaffolder[BaseModel]):
    """Writes the component."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write ``defs.yaml``, for the evaluation that the scaffolder of RetrievalEvaluationComponent makes."""
        attributes = {
            "key": "quality/search",
            "description": "How well search works, one row a run and figure.",
            "evaluation": "search/quality",
            "group": "search",
        }
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(RetrievalFiguresScaffolder)
@dataclass
class RetrievalFiguresComponent(StrictComponent):
    """The figures of an evaluation over time, as a table for reports: one row a run and figure.

    Every run of the evaluation is there, with the size of the index then, what a search by words reached, and what was
    accepted last.

    .. code-block:: yaml

        type: components.RetrievalFiguresComponent
        attributes:
          key: quality/handbook
          description: How well search of the handbook works, one row a run and figure.
          evaluation: search/handbook_quality
          owners: ["team:search"]
          group: search
          tags:
            domain: search
    """

    key: Annotated[
        str,
        dg.Resolver.default(
            description="Asset key: schema/table.",
            examples=["quality/handbook"],
            json_schema_extra={"pattern": KEY_PATTERN},
        ),
    ]
    description: Description
    evaluation: Key
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset."""
        root = Path(context.project_root)

        @dg.asset(
            key=dg.AssetKey.from_user_string(self.key),
            description=self.description,
            deps=[dg.AssetKey.from_user_string(self.evaluation)],
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"table", "quality"} | engine_kind(context),
            metadata={"dagster/table_name": self.key.replace("/", ".")},
            required_resource_keys={"warehouse"},
        )
        def retrieval_figures(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return self._written(context, root)

        return dg.Definitions(assets=[retrieval_figures])

    def _written(self, context: dg.AssetExecutionContext, root: Path) -> dg.MaterializeResult:
        from ..ml.data import scratch_folder
        from ..ml.predictions import put_into_table
        from ..warehouse.engines.base import WarehouseError
        from .figures import accepted_file, chart, history_file, read_accepted, read_history
        from .names import index_name

        name = index_name(self.evaluation)
        history = read_history(history_file(root, name))
        if not history:
            raise dg.Failure(
                f"{self.key}: {self.evaluation} has no figures yet; materialize it first", allow_retries=False
            )
        try:
            accepted = read_accepted(accepted_file(root, name))
            rows = [
                [_moment(run.moment), run.run_id, run.collection, run.passages, run.questions, figure, value,
                 run.baseline.get(figure), accepted.get(figure)]
                for run in history
                for figure, value in run.values.items()
            ]  # fmt: skip
            schema, table = self.key.split("/")
            with scratch_folder() as folder:
                _write(rows, folder / "figures.parquet")
                put_into_table(context.resources.warehouse.engine, folder, schema, table, None)
        except (ValueError, WarehouseError) as error:
            raise dg.Failure(f"{self.key}: {error}", allow_retries=False) from None
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(rows),
                "dagster/column_schema": dg.TableSchema(
                    [dg.TableColumn(column, description=about) for column, about in COLUMNS.items()]
                ),
                "runs": len(history),
                "passages": history[-1].passages,
                "over_time": dg.MetadataValue.md(chart(history, accepted, ["recall", "mrr", "ndcg"])),
            }
        )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _write(rows: list[list[Any]], file: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    text, whole, number = pa.string(), pa.int64(), pa.float64()
    kinds = [pa.timestamp("us"), text, text, whole, whole, text, number, number, number]
    arrays = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
    parquet.write_table(pa.table(dict(zip(COLUMNS, arrays, strict=True))), file)
