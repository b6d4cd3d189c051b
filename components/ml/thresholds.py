"""What a model has to reach before it is promoted, and whether it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import dagster as dg
from pydantic import Field

from ..base import StrictModel
from .attributes import Metric, Severity
from .training_steps.metrics import CLASSIFICATION, LOWER_IS_BETTER, REGRESSION


class Threshold(StrictModel):
    """One demand on the candidate, which becomes an asset check."""

    metric: Annotated[Metric, dg.Resolver.default(description="Metric on rows that the candidate did not see.")]
    minimum: Annotated[float | None, dg.Resolver.default(description="Least value; for metrics that grow.")] = None
    maximum: Annotated[float | None, dg.Resolver.default(description="Largest value; for errors.")] = None
    max_regression: Annotated[
        float | None,
        dg.Resolver.default(
            description="How much worse than the baseline it may be, in units of the metric.",
            json_schema_extra={"minimum": 0},
        ),
    ] = None
    slice: Annotated[
        str | None,
        dg.Resolver.default(
            description="Column; minimum and maximum hold for each of its values.", examples=["origin"]
        ),
    ] = None
    minimum_rows: Annotated[
        int,
        dg.Resolver.default(
            description="Slices with fewer rows are left out, as chance decides there.",
            json_schema_extra={"minimum": 1},
        ),
    ] = 20
    severity: Annotated[Severity, dg.Resolver.default(description="error stops the promotion, warn only tells.")] = (
        "error"
    )

    def model_post_init(self, context: Any) -> None:
        """Raise ValueError where the demand makes no sense for its metric."""
        lower = self.metric in LOWER_IS_BETTER
        if (self.minimum is not None and lower) or (self.maximum is not None and not lower):
            good, bad = ("maximum", "minimum") if lower else ("minimum", "maximum")
            raise ValueError(f"{self.metric} is better when {'lower' if lower else 'higher'}: use {good}, not {bad}")
        if self.minimum is None and self.maximum is None and self.max_regression is None:
            raise ValueError("expected minimum, maximum or max_regression")
        if self.slice and self.max_regression is not None:
            raise ValueError("max_regression compares whole models; slice takes minimum or maximum")

    @property
    def check_name(self) -> str:
        """Name of the asset check."""
        parts: list[str] = [self.metric]
        if self.slice:
            parts += ["by", self.slice]
        elif self.minimum is None and self.maximum is None:
            parts.append("regression")
        return "".join(letter if letter.isalnum() else "_" for letter in "_".join(parts))

    @property
    def limits(self) -> list[str]:
        """What the value itself is held against."""
        limits = [f"at least {self.minimum:g}"] if self.minimum is not None else []
        return limits + ([f"at most {self.maximum:g}"] if self.maximum is not None else [])

    @property
    def words(self) -> str:
        """The demand as the description of the asset check."""
        demands = self.limits
        demands += (
            [f"at most {self.max_regression:g} worse than the baseline"] if self.max_regression is not None else []
        )
        return f"{self.metric} {' and '.join(demands)}{f', for each {self.slice}' if self.slice else ''}"

    def keeps(self, value: float) -> bool:
        """Whether a value is within minimum and maximum; one that is not a number is not."""
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


class ThresholdsFile(StrictModel):
    """A file of demands."""

    thresholds: Annotated[
        list[Threshold],
        dg.Resolver.default(description="The demands.", json_schema_extra={"minItems": 1}),
    ] = Field()


@dataclass(frozen=True)
class Verdict:
    """Whether a demand is kept, and the values that decided."""

    threshold: Threshold
    passed: bool
    summary: str
    values: dict[str, float]

    def check_result(self, key: dg.AssetKey) -> dg.AssetCheckResult:
        """The result of the asset check."""
        severe = self.threshold.severity == "error"
        return dg.AssetCheckResult(
            asset_key=key,
            check_name=self.threshold.check_name,
            passed=self.passed,
            severity=dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
            description=self.summary,
            metadata={"demand": self.threshold.words, **self.values},
        )


def check_names(thresholds: list[Threshold], where: str) -> None:
    """Raise DagsterInvalidDefinitionError where two demands are about the same thing."""
    names = [threshold.check_name for threshold in thresholds]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise dg.DagsterInvalidDefinitionError(f"{where}: {', '.join(repeated)} is there twice; write it as one")


def check_metrics(thresholds: list[Threshold], task: str) -> str | None:
    """What is wrong with demands for a task, or None."""
    valid = REGRESSION if task == "regression" else CLASSIFICATION
    wrong = [threshold.metric for threshold in thresholds if threshold.metric not in valid]
    return f"{', '.join(wrong)} is no metric of {task}; use {', '.join(valid)}" if wrong else None


def judge(
    threshold: Threshold,
    overall: dict[str, float],
    baseline: dict[str, float] | None,
    by_slice: Callable[[str, int], dict[str, dict[str, float]]],
) -> Verdict:
    """Whether the candidate keeps a demand.

    Args:
        threshold: The demand.
        overall: Metrics of the candidate.
        baseline: Metrics of the baseline on the same rows; None where there is no baseline yet.
        by_slice: Metrics of the candidate for each value of a column that has enough rows.
    """
    name: str = threshold.metric
    if threshold.slice:
        found = {value: scores[name] for value, scores in by_slice(threshold.slice, threshold.minimum_rows).items()}
        bad = {value: score for value, score in found.items() if not threshold.keeps(score)}
        told = ", ".join(f"{value}: {score:.4g}" for value, score in sorted(bad.items()))
        summary = f"not kept for {told}" if bad else f"kept for {len(found)} values of {threshold.slice}"
        if not found:
            summary = f"no value of {threshold.slice} has {threshold.minimum_rows} rows"
        return Verdict(threshold, bool(found) and not bad, summary, found)
    if name not in overall:
        return Verdict(threshold, False, f"{name} cannot be told from these rows: a class is missing in them", {})
    value = overall[name]
    faults = [] if threshold.keeps(value) else [f"{name} is {value:.4g}; expected {' and '.join(threshold.limits)}"]
    values = {name: value}
    if threshold.max_regression is not None and baseline is not None and name in baseline:
        before = baseline[name]
        worse = value - before if name in LOWER_IS_BETTER else before - value
        values["baseline"] = before
        if worse > threshold.max_regression:
            faults.append(f"{name} is {value:.4g}, which is {worse:.4g} worse than the baseline's {before:.4g}")
    return Verdict(threshold, not faults, "; ".join(faults) or f"{name} is {value:.4g}", values)
