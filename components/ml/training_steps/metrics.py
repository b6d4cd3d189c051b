"""Metrics of a model on rows whose truth is known."""

from typing import Any

CLASSIFICATION = ("accuracy", "balanced_accuracy", "f1", "precision", "recall", "roc_auc", "log_loss")
REGRESSION = ("rmse", "mae", "r2", "median_absolute_error")
LOWER_IS_BETTER = frozenset({"log_loss", "rmse", "mae", "median_absolute_error"})

# scikit-learn's names of the same metrics, negated where lower is better.
SCORERS = {
    "f1": "f1_macro",
    "precision": "precision_macro",
    "recall": "recall_macro",
    "log_loss": "neg_log_loss",
    "rmse": "neg_root_mean_squared_error",
    "mae": "neg_mean_absolute_error",
    "median_absolute_error": "neg_median_absolute_error",
}


def scores(task: str, truth: Any, predicted: Any, shares: Any = None, classes: Any = None) -> dict[str, float]:
    """All metrics of a task that these rows allow.

    Args:
        task: ``classification`` or ``regression``.
        truth: What was right.
        predicted: What the model said.
        shares: Probability of each class, a column a class, where the model gives them.
        classes: Classes in the order of those columns.
    """
    from sklearn import metrics

    if task == "regression":
        values = {
            "rmse": metrics.root_mean_squared_error(truth, predicted),
            "mae": metrics.mean_absolute_error(truth, predicted),
            "median_absolute_error": metrics.median_absolute_error(truth, predicted),
        }
        if len(truth) > 1:
            values["r2"] = metrics.r2_score(truth, predicted)
        return {name: float(value) for name, value in values.items()}
    averaged: Any = {"average": "macro", "zero_division": 0}
    values = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.recall_score(truth, predicted, labels=sorted(set(truth)), **averaged),
        "f1": metrics.f1_score(truth, predicted, **averaged),
        "precision": metrics.precision_score(truth, predicted, **averaged),
        "recall": metrics.recall_score(truth, predicted, **averaged),
    }
    if shares is not None:
        values["log_loss"] = metrics.log_loss(truth, shares, labels=list(classes))
        if set(truth) == set(classes):  # a class that never occurs has no ROC curve
            one = shares[:, 1] if len(classes) == 2 else shares
            values["roc_auc"] = metrics.roc_auc_score(truth, one, multi_class="ovr", labels=list(classes))
    return {name: float(value) for name, value in values.items()}
