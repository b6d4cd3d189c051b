"""The first evaluation: a gold set for the documents of the example index."""

import dagster as dg
from pydantic import BaseModel, Field

from .companion import EXAMPLE_INDEX, scaffold_with_index

_GOLD = """\
# Questions as people ask them, each with the documents that answer it. A question without documents has to be refused.
questions:
  - question: How can I narrow a search to one document?
    documents: [documents/how-to-search.md]
  - question: Where do I put a new PDF?
    documents: [documents/how-to-add-documents.md]
  - question: What is the capital of Australia?
    documents: []
"""


class RetrievalEvaluationParams(BaseModel):
    """What the scaffolder asks."""

    key: str = Field(default="search/quality", pattern=r"^[\w-]+/[\w-]+$", description="Asset key of the evaluation")
    index: str = Field(
        default="", pattern=r"^([\w-]+/[\w-]+)?$", description="Asset key of the index; one is made if absent"
    )
    owner: str = Field(default="team:search", description="Who answers for it")


class RetrievalEvaluationScaffolder(dg.Scaffolder[RetrievalEvaluationParams]):
    """Writes a gold set, a demand, and an index of two documents unless one is named."""

    @classmethod
    def get_scaffold_params(cls) -> type[RetrievalEvaluationParams]:
        """Asset keys and owner."""
        return RetrievalEvaluationParams

    def scaffold(self, request: dg.ScaffoldRequest[RetrievalEvaluationParams]) -> None:
        """Write ``defs.yaml`` and ``gold.yaml``."""
        params = request.params
        request.target_path.mkdir(parents=True, exist_ok=True)
        (request.target_path / "gold.yaml").write_text(_GOLD, encoding="utf-8", newline="\n")
        attributes = {
            "key": params.key,
            "description": "Whether the index finds what people ask for.",
            "index": params.index or EXAMPLE_INDEX,
            "gold_set": "gold.yaml",
            "demands": [{"figure": "recall", "minimum": 0.7, "max_drop": 0.02}],
            "owners": [params.owner],
            "group": "search",
        }
        scaffold_with_index(request, "RetrievalEvaluationComponent", "evaluation", attributes, params.index)
