"""Fitting a model, with or without a search, and reporting on it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .charts import bars, matrix, points
from .estimators import pipeline
from .metrics import SCORERS, scores
from .prepare import DataError, Split, check, read, split_rows
from .profile import profile

_IMPORTANCE_ROWS = 2_000
_CHART_CLASSES = 30


@dataclass(frozen=True)
class Trained:
    """A fitted pipeline, what is to be known about it, and the rows held out with their predictions."""

    pipeline: Any
    report: dict[str, Any]
    held_out: Any


def train(request: dict[str, Any], file: Path) -> Trained:
    """Train as the request says.

    Raises:
        DataError: the data does not allow it.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    np.random.seed(request["seed"])
    with threadpool_limits(request["threads"]):  # also where the machine does not set the variables for it
        return _trained(request, file)


def _trained(request: dict[str, Any], file: Path) -> Trained:
    data = read(file)
    check(data, request)
    data = _with_plain_types(data, request)
    classes = _codes(data, request)
    split = split_rows(data, request)
    model = pipeline(request)
    chosen: dict[str, Any] = {"parameters": request["parameters"], "metrics": {}, "trials": []}
    if request["search"]:
        model, chosen = _searched(model, split, request)
    else:
        _fitted(model, split, request)
    report = _report(model, split, request, classes)
    report["metrics"] |= chosen.pop("metrics")
    kept = list(dict.fromkeys([*request["features"], request["target"], *request["slices"]]))
    held_out = split.test[kept].head(request["held_out_rows"] or 1).copy()
    if classes is not None:
        held_out[request["target"]] = [classes[code] for code in held_out[request["target"]]]
    return Trained(model, report | chosen, held_out)


def _with_plain_types(data: Any, request: dict[str, Any]) -> Any:
    """Whole numbers as fractions, which may be missing later, and categories as text."""
    data = data.copy()
    for feature in request["features"]:
        if feature in request["preprocessing"]["one_hot"]:
            data[feature] = data[feature].astype(object).where(data[feature].notna(), "missing").astype(str)
        else:
            data[feature] = data[feature].astype("float64")
    return data


def _codes(data: Any, request: dict[str, Any]) -> list[Any] | None:
    """Replace labels by their position where the algorithm takes nothing else; the labels in that order."""
    if request["algorithm"] != "xgboost_classifier":
        return None
    labels = sorted(data[request["target"]].unique(), key=lambda label: (str(type(label)), label))
    data[request["target"]] = data[request["target"]].map({label: code for code, label in enumerate(labels)})
    return [label.item() if hasattr(label, "item") else label for label in labels]


def _fitted(model: Any, split: Split, request: dict[str, Any]) -> Any:
    try:
        return model.fit(split.train[request["features"]], split.train[request["target"]])
    except (ValueError, TypeError) as error:
        raise DataError(f"{request['algorithm']} refuses the data or its parameters: {error}") from None


def _searched(model: Any, split: Split, request: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The best of several models by cross-validation on the rows to train on, fitted on all of them."""
    from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

    search, metric = request["search"], request["search"]["metric"]
    space = {f"estimator__{name}": values for name, values in search["parameters"].items()}
    common: Any = {"cv": search["cross_validation"], "scoring": SCORERS.get(metric, metric), "n_jobs": 1}
    if search["method"] == "grid":
        finder = GridSearchCV(model, space, **common)
    else:
        finder = RandomizedSearchCV(model, space, n_iter=search["trials"], random_state=request["seed"], **common)
    _fitted(finder, split, request)
    results = finder.cv_results_
    sign = -1 if SCORERS.get(metric, "").startswith("neg_") else 1
    trials = [
        {
            "parameters": {name.removeprefix("estimator__"): value for name, value in parameters.items()},
            metric: sign * float(mean),
            "rank": int(rank),
        }
        for parameters, mean, rank in zip(
            results["params"], results["mean_test_score"], results["rank_test_score"], strict=True
        )
    ]
    best = {name.removeprefix("estimator__"): value for name, value in finder.best_params_.items()}
    return finder.best_estimator_, {
        "parameters": request["parameters"] | best,
        "metrics": {f"cross_validation_{metric}": sign * float(finder.best_score_)},
        "trials": trials,
    }


def _report(model: Any, split: Split, request: dict[str, Any], classes: list[Any] | None) -> dict[str, Any]:
    features, target, task = request["features"], request["target"], request["task"]
    metrics: dict[str, float] = {}
    predicted = None
    for name, rows in {"train": split.train, "test": split.test}.items():
        predicted = model.predict(rows[features])
        shares = model.predict_proba(rows[features]) if task == "classification" else None
        order = model.classes_ if task == "classification" else None
        found = scores(task, rows[target], predicted, shares, order)
        metrics |= {f"{name}_{metric}": value for metric, value in found.items()}
    importance = _importance(model, split, request)
    charts = {"feature_importance": bars("Feature importance", importance)}
    if task == "regression":
        charts["residuals"] = points("Residuals of the held-out rows", predicted, split.test[target] - predicted)
    elif len(model.classes_) <= _CHART_CLASSES:
        labels = [str(label) for label in (classes or model.classes_)]
        charts["confusion_matrix"] = matrix(
            "Confusion matrix of the held-out rows", labels, _confusion(model, split, predicted, target)
        )
    return {
        "metrics": metrics,
        "rows": {"train": len(split.train), "test": len(split.test)},
        "feature_importance": importance,
        "charts": charts,
        "profile": profile(split.train, features),
        "classes": classes,
        "versions": _versions(),
    }


def _confusion(model: Any, split: Split, predicted: Any, target: str) -> list[list[int]]:
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(split.test[target], predicted, labels=model.classes_).tolist()


def _importance(model: Any, split: Split, request: dict[str, Any]) -> dict[str, float]:
    """How much worse the model gets on held-out rows when a feature is shuffled; the largest first."""
    from sklearn.inspection import permutation_importance

    rows = split.test.head(_IMPORTANCE_ROWS)
    found = permutation_importance(
        model, rows[request["features"]], rows[request["target"]], n_repeats=3, random_state=request["seed"]
    )
    pairs = zip(request["features"], found.importances_mean, strict=True)
    return {name: float(value) for name, value in sorted(pairs, key=lambda pair: -pair[1])}


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("scikit-learn", "xgboost-cpu", "xgboost", "skops", "pandas", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
