"""Rules that data is held against: what a rules file may say, and the SQL of each rule."""

from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import Field

from ..base import StrictModel
from .attributes import Severity
from .data import FILE_PATTERN, TABLE_PATTERN
from .rows import literal, quote

Check = Literal[
    "not_null",
    "unique",
    "range",
    "accepted_values",
    "regex",
    "row_count",
    "freshness",
    "schema",
    "foreign_key",
    "sql",
]
Value = str | int | float | bool

# What each check needs, and what else it takes.
_NEEDS: dict[str, tuple[set[str], set[str]]] = {
    "not_null": ({"columns"}, set()),
    "unique": ({"columns"}, set()),
    "range": ({"columns"}, {"minimum", "maximum"}),
    "accepted_values": ({"columns", "values"}, set()),
    "regex": ({"columns", "pattern"}, set()),
    "row_count": (set(), {"minimum", "maximum"}),
    "freshness": ({"columns", "maximum_age_hours"}, set()),
    "schema": ({"types"}, {"allow_more_columns"}),
    "foreign_key": ({"columns", "references", "referenced_column"}, set()),
    "sql": ({"expression"}, set()),
}
_COMMON = {"check", "name", "severity", "where", "maximum_failing_rows"}


class Rule(StrictModel):
    """One rule, which becomes an asset check."""

    check: Annotated[Check, dg.Resolver.default(description="What is checked.")]
    name: Annotated[
        str | None,
        dg.Resolver.default(
            description="Name of the asset check; made of check and columns when left out.",
            json_schema_extra={"pattern": "^[A-Za-z0-9_]+$"},
        ),
    ] = None
    severity: Annotated[
        Severity, dg.Resolver.default(description="error stops what is downstream, warn only tells.")
    ] = "error"
    columns: Annotated[
        list[str], dg.Resolver.default(description="Columns; unique takes several together as one key.")
    ] = Field(default_factory=list)
    where: Annotated[str | None, dg.Resolver.default(description="SQL condition of the rows that are looked at.")] = (
        None
    )
    maximum_failing_rows: Annotated[
        int,
        dg.Resolver.default(description="Failing rows that are let pass.", json_schema_extra={"minimum": 0}),
    ] = 0
    minimum: Annotated[float | None, dg.Resolver.default(description="Least value, or least rows; included.")] = None
    maximum: Annotated[float | None, dg.Resolver.default(description="Largest value, or most rows; included.")] = None
    values: Annotated[list[Value], dg.Resolver.default(description="All values that may occur.")] = Field(
        default_factory=list
    )
    pattern: Annotated[
        str | None, dg.Resolver.default(description="Regular expression that is found in the text of each value.")
    ] = None
    maximum_age_hours: Annotated[
        float | None,
        dg.Resolver.default(
            description="Hours since the latest value of the column, in UTC.", json_schema_extra={"exclusiveMinimum": 0}
        ),
    ] = None
    types: Annotated[
        dict[str, str | None],
        dg.Resolver.default(description="Columns with their types in the engine's own words; null takes any type."),
    ] = Field(default_factory=dict)
    allow_more_columns: Annotated[bool, dg.Resolver.default(description="Whether other columns may be there.")] = True
    references: Annotated[
        str | None,
        dg.Resolver.default(
            description="Table as schema/table, or a Parquet or CSV file where data is a file.",
            json_schema_extra={"pattern": f"{TABLE_PATTERN}|{FILE_PATTERN}"},
        ),
    ] = None
    referenced_column: Annotated[str | None, dg.Resolver.default(description="Column that has the values.")] = None
    expression: Annotated[
        str | None, dg.Resolver.default(description="SQL condition that holds for every row.", examples=["alcohol > 0"])
    ] = None

    def model_post_init(self, context: Any) -> None:
        """Raise ValueError where keys are missing for the check, or mean nothing to it."""
        needs, takes = _NEEDS[self.check]
        given = set(self.model_fields_set) - _COMMON
        if missing := sorted(name for name in needs if not getattr(self, name)):
            raise ValueError(f"{self.check} needs {' and '.join(missing)}")
        if foreign := sorted(name for name in given - needs - takes if getattr(self, name)):
            valid = ", ".join(sorted(needs | takes)) or "nothing else"
            raise ValueError(f"{self.check} does not take {', '.join(foreign)}; it takes {valid}")
        if self.check in ("range", "row_count") and self.minimum is None and self.maximum is None:
            raise ValueError(f"{self.check} needs minimum or maximum or both")
        if self.check == "foreign_key" and len(self.columns) != 1:
            raise ValueError("foreign_key takes one column")

    @property
    def check_name(self) -> str:
        """Name of the asset check."""
        made = "_".join([self.check, *self.columns])
        return self.name or "".join(letter if letter.isalnum() else "_" for letter in made)

    @property
    def words(self) -> str:
        """What the rule says, as the description of the asset check."""
        limits = [f"at least {self.minimum:g}"] if self.minimum is not None else []
        limits += [f"at most {self.maximum:g}"] if self.maximum is not None else []
        about = {
            "not_null": "has a value in every row",
            "unique": "differs in every row",
            "range": " and ".join(limits),
            "accepted_values": f"one of {', '.join(map(str, self.values))}",
            "regex": f"matches {self.pattern}",
            "row_count": f"number of rows {' and '.join(limits)}",
            "freshness": f"at most {self.maximum_age_hours} hours old",
            "schema": f"columns {', '.join(self.types)}",
            "foreign_key": f"is in {self.referenced_column} of {self.references}",
            "sql": str(self.expression),
        }[self.check]
        return f"{', '.join(self.columns)}: {about}" if self.columns else about

    def failing(self, dialect: str, referenced: str) -> str:
        """The SQL condition of rows that break a rule about single rows."""
        if self.check == "sql":
            return f"({self.expression}) IS NOT TRUE"
        return " OR ".join(self._broken_by(quote(name, dialect), dialect, referenced) for name in self.columns)

    def _broken_by(self, column: str, dialect: str, referenced: str) -> str:
        match self.check:
            case "not_null":
                return f"{column} IS NULL"
            case "range":
                sides = [f"{column} < {self.minimum!r}"] if self.minimum is not None else []
                return " OR ".join(sides + ([f"{column} > {self.maximum!r}"] if self.maximum is not None else []))
            case "accepted_values":
                return f"{column} NOT IN ({', '.join(map(literal, self.values))})"
            case "regex":
                text = f"CAST({column} AS VARCHAR)"
                pattern = literal(str(self.pattern))
                if dialect == "postgres":
                    return f"{text} !~ {pattern}"
                if dialect == "duckdb":
                    return f"NOT regexp_matches({text}, {pattern})"
                return f"NOT REGEXP_LIKE({text}, {pattern})"
            case "foreign_key":
                there = quote(str(self.referenced_column), dialect)
                known = f"SELECT {there} FROM {referenced} AS known WHERE {there} IS NOT NULL"  # noqa: S608 - quoted
                return f"({column} IS NOT NULL AND {column} NOT IN ({known}))"
            case _:
                raise ValueError(f"{self.check} is no rule about single rows")


class RulesFile(StrictModel):
    """A file of rules."""

    rules: Annotated[list[Rule], dg.Resolver.default(description="The rules.", json_schema_extra={"minItems": 1})]

    def model_post_init(self, context: Any) -> None:
        """Raise ValueError where two rules have one name."""
        names = [rule.check_name for rule in self.rules]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"rules: {', '.join(repeated)} is there twice; give each a name of its own")
