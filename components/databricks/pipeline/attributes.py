"""What the YAML of a declarative pipeline says beside its files."""

from typing import Annotated, Literal

import dagster as dg
from pydantic import Field

from ...base import StrictModel
from .spec import DataSet, Expectation

TABLE_PATTERN = r"^\w+(\.\w+){0,2}$"


class DeclaredExpectation(StrictModel):
    """A condition that every row should hold."""

    name: Annotated[str, dg.Resolver.default(description="Its name.", json_schema_extra={"pattern": r"\S"})]
    condition: Annotated[
        str, dg.Resolver.default(description="SQL that is true of good rows.", json_schema_extra={"pattern": r"\S"})
    ]
    action: Annotated[
        Literal["warn", "drop", "fail"], dg.Resolver.default(description="What happens to rows that break it.")
    ] = "warn"


class DeclaredDataSet(StrictModel):
    """A data set, or what it reads, that the files do not write down as text."""

    name: Annotated[
        str,
        dg.Resolver.default(
            description="Name of the table, with its schema.", json_schema_extra={"pattern": TABLE_PATTERN}
        ),
    ]
    file: Annotated[
        str,
        dg.Resolver.default(
            description="Name of the file that makes it.",
            examples=["bronze.py"],
            json_schema_extra={"pattern": r"\.(py|sql)$"},
        ),
    ]
    kind: Annotated[
        Literal["streaming_table", "materialized_view", "temporary_view"],
        dg.Resolver.default(description="What it is."),
    ] = "materialized_view"
    reads: Annotated[list[str], dg.Resolver.default(description="Tables that it reads.")] = Field(default_factory=list)
    expectations: Annotated[
        list[DeclaredExpectation], dg.Resolver.default(description="Expectations that the code declares.")
    ] = Field(default_factory=list)

    def data_set(self) -> DataSet:
        """The same, as a pipeline's specification has it."""
        expectations = tuple(Expectation(one.name, one.condition, one.action) for one in self.expectations)
        return DataSet(self.name, self.kind, tuple(self.reads), expectations, "", self.file)
