"""The first search page, of an index that is there or one that is written along."""

import dagster as dg
from pydantic import BaseModel, Field

from .companion import EXAMPLE_INDEX, scaffold_with_index


class SearchPageParams(BaseModel):
    """What the scaffolder asks."""

    index: str = Field(
        default="", pattern=r"^([\w-]+/[\w-]+)?$", description="Asset key of the index; one is made if absent"
    )
    title: str = Field(default="Search", description="Title of the page")
    owner: str = Field(default="team:search", description="Who answers for it")


class SearchPageScaffolder(dg.Scaffolder[SearchPageParams]):
    """Writes a page, and an index of two documents unless one is named."""

    @classmethod
    def get_scaffold_params(cls) -> type[SearchPageParams]:
        """Index, title and owner."""
        return SearchPageParams

    def scaffold(self, request: dg.ScaffoldRequest[SearchPageParams]) -> None:
        """Write ``defs.yaml`` and, where none is named, an index with its documents."""
        params = request.params
        index = params.index or EXAMPLE_INDEX
        name = index.split("/")[1]
        attributes = {
            "key": f"search/{name}_page",
            "title": params.title,
            "description": f"What is in {index}.",
            "index": index,
            "output": f"data/pages/{name}.html",
            "owners": [params.owner],
            "group": "search",
        }
        scaffold_with_index(request, "SearchPageComponent", "page", attributes, params.index)
