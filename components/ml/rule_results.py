"""Holding rows against rules, in the engine that has them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from .rows import Rows, quote
from .rules import Rule

SAMPLE_ROWS = 5
HIDDEN = "***"


@dataclass(frozen=True)
class Finding:
    """What a rule found.

    Args:
        rule: The rule.
        passed: Whether the data keeps it.
        summary: What was found, in one sentence.
        failing: Number of rows that break it; None for rules about the whole.
        sample: Some of those rows, personal columns hidden.
    """

    rule: Rule
    passed: bool
    summary: str
    failing: int | None = None
    sample: list[dict[str, Any]] | None = None

    def check_result(self, key: dg.AssetKey) -> dg.AssetCheckResult:
        """The result of the asset check."""
        severity = dg.AssetCheckSeverity.ERROR if self.rule.severity == "error" else dg.AssetCheckSeverity.WARN
        metadata: dict[str, Any] = {"rule": self.rule.words, "found": self.summary}
        if self.failing is not None:
            metadata["failing_rows"] = self.failing
        if self.sample:
            metadata["sample"] = dg.MetadataValue.md(_table(self.sample))
        return dg.AssetCheckResult(
            asset_key=key,
            check_name=self.rule.check_name,
            passed=self.passed,
            severity=severity,
            description=self.summary,
            metadata=metadata,
        )


def findings(rules: list[Rule], rows: Rows, referenced: Callable[[str], Rows], personal: list[str]) -> list[Finding]:
    """What each rule found.

    Args:
        rules: The rules.
        rows: What is checked.
        referenced: The rows that a foreign key names.
        personal: Columns whose values are shown nowhere.

    Raises:
        WarehouseError: the engine refuses a rule.
        dg.Failure: a rule names a column that is not there.
    """
    types = {column.name: column.type for column in rows.columns()}
    for rule in rules:
        if missing := [name for name in rule.columns if name not in types]:
            raise dg.Failure(
                description=f"rule {rule.check_name}: {rows.origin} has no column {', '.join(map(repr, missing))}; "
                f"it has: {', '.join(types)}",
                allow_retries=False,
            )
    return [_finding(rule, rows, types, referenced, personal) for rule in rules]


def _finding(
    rule: Rule, rows: Rows, types: dict[str, str], referenced: Callable[[str], Rows], personal: list[str]
) -> Finding:
    match rule.check:
        case "schema":
            return _schema(rule, types)
        case "row_count":
            return _row_count(rule, rows)
        case "freshness":
            return _freshness(rule, rows)
        case "unique":
            quoted = [quote(name, rows.dialect) for name in rule.columns]
            names, some = ", ".join(quoted), " AND ".join(f"{name} IS NOT NULL" for name in quoted)
            kept = f"{some} AND ({rule.where})" if rule.where else some
            repeated = f"SELECT {names} FROM {rows.relation} AS r WHERE {kept} GROUP BY {names} HAVING count(*) > 1"  # noqa: S608
            return _rows(rule, rows, f"({names}) IN ({repeated})", personal, list(types))
        case _:
            there = referenced(str(rule.references)).relation if rule.references else ""
            condition = rule.failing(rows.dialect, there)
            return _rows(rule, rows, condition, personal, list(types))


def _rows(rule: Rule, rows: Rows, condition: str, personal: list[str], columns: list[str]) -> Finding:
    looked_at = f"({condition})" + (f" AND ({rule.where})" if rule.where else "")
    relation = f"{rows.relation} AS r WHERE {looked_at}"
    failing = int(rows.query(f"SELECT count(*) FROM {relation}").rows[0][0])  # noqa: S608 - rules are SQL
    passed = failing <= rule.maximum_failing_rows
    sample = None
    if failing:
        shown = [name for name in columns if name not in personal]
        # A personal column is not even read.
        names = ", ".join(quote(name, rows.dialect) for name in shown) or "1"
        found = rows.query(f"SELECT {names} FROM {relation} LIMIT {SAMPLE_ROWS}")  # noqa: S608 - quoted
        values = [dict(zip(shown, row, strict=False)) for row in found.rows]
        sample = [{name: row.get(name, HIDDEN) for name in columns} for row in values]
    allowed = f", {rule.maximum_failing_rows:,} are allowed" if rule.maximum_failing_rows else ""
    return Finding(rule, passed, f"{failing:,} rows break it{allowed}", failing, sample)


def _schema(rule: Rule, types: dict[str, str]) -> Finding:
    faults = [f"no column {name}" for name in rule.types if name not in types]
    for name, wanted in rule.types.items():
        if wanted and name in types and types[name].lower() != wanted.lower():
            faults.append(f"{name} is {types[name].lower()}, not {wanted.lower()}")
    if not rule.allow_more_columns:
        faults += [f"column {name} is not expected" for name in types if name not in rule.types]
    return Finding(rule, not faults, "; ".join(faults) or "all columns are as expected")


def _row_count(rule: Rule, rows: Rows) -> Finding:
    where = f" WHERE {rule.where}" if rule.where else ""
    count = int(rows.query(f"SELECT count(*) FROM {rows.relation} AS r{where}").rows[0][0])  # noqa: S608 - rules are SQL
    low, high = rule.minimum, rule.maximum
    passed = (low is None or count >= low) and (high is None or count <= high)
    return Finding(rule, passed, f"{count:,} rows")


def _freshness(rule: Rule, rows: Rows) -> Finding:
    where = f" WHERE {rule.where}" if rule.where else ""
    column = quote(rule.columns[0], rows.dialect)
    text = "STRING" if rows.dialect in ("databricks", "bigquery") else "VARCHAR"
    latest = rows.query(f"SELECT CAST(max({column}) AS {text}) FROM {rows.relation} AS r{where}").rows[0][0]  # noqa: S608
    if latest is None:
        return Finding(rule, False, "there is no value")
    try:
        moment = datetime.fromisoformat(latest)
    except ValueError:
        return Finding(rule, False, f"{rule.columns[0]} holds no time")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    hours = (datetime.now(UTC) - moment).total_seconds() / 3600
    return Finding(rule, hours <= float(rule.maximum_age_hours or 0), f"the latest value is {hours:,.1f} hours old")


def _table(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0])

    def line(cells: list[Any]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ")[:80] for cell in cells) + " |"

    return "\n".join([line(names), line(["---"] * len(names)), *(line(list(row.values())) for row in rows)])
