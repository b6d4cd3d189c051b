"""The first answers, from an index that is there or one that is written along."""

import dagster as dg
from pydantic import BaseModel, Field

from .companion import EXAMPLE_INDEX, scaffold_with_index


class AnswersParams(BaseModel):
    """What the scaffolder asks."""

    key: str = Field(default="search/answers", pattern=r"^[\w-]+/[\w-]+$", description="Asset key of the answers")
    index: str = Field(
        default="", pattern=r"^([\w-]+/[\w-]+)?$", description="Asset key of the index; one is made if absent"
    )
    owner: str = Field(default="team:search", description="Who answers for it")


class AnswersScaffolder(dg.Scaffolder[AnswersParams]):
    """Writes two questions, and an index of two documents unless one is named."""

    @classmethod
    def get_scaffold_params(cls) -> type[AnswersParams]:
        """Asset keys and owner."""
        return AnswersParams

    def scaffold(self, request: dg.ScaffoldRequest[AnswersParams]) -> None:
        """Write ``defs.yaml`` and, where none is named, an index with its documents."""
        params = request.params
        attributes = {
            "key": params.key,
            "description": "Answers from the documents, with citations.",
            "index": params.index or EXAMPLE_INDEX,
            "questions": ["How do I add documents?", "How can a search be narrowed?"],
            "output": f"data/answers/{params.key.split('/')[1]}.jsonl",
            "owners": [params.owner],
            "group": "search",
        }
        scaffold_with_index(request, "AnswersComponent", "answers", attributes, params.index)
