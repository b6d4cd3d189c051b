"""The algorithms that may be trained, and the parameters of each; known without importing the libraries."""

from difflib import get_close_matches
from typing import Literal, get_args

Algorithm = Literal[
    "logistic_regression",
    "random_forest_classifier",
    "gradient_boosting_classifier",
    "xgboost_classifier",
    "linear_regression",
    "ridge_regression",
    "random_forest_regressor",
    "gradient_boosting_regressor",
    "xgboost_regressor",
]
Task = Literal["classification", "regression"]

_FOREST = {
    *("bootstrap", "ccp_alpha", "criterion", "max_depth", "max_features", "max_leaf_nodes", "max_samples"),
    *("min_impurity_decrease", "min_samples_leaf", "min_samples_split", "n_estimators", "oob_score"),
}
_BOOSTING = {
    *("early_stopping", "l2_regularization", "learning_rate", "loss", "max_bins", "max_depth", "max_features"),
    *("max_iter", "max_leaf_nodes", "min_samples_leaf", "n_iter_no_change", "tol", "validation_fraction"),
}
_XGBOOST = {
    *("booster", "colsample_bylevel", "colsample_bynode", "colsample_bytree", "gamma", "grow_policy", "learning_rate"),
    *("max_bin", "max_delta_step", "max_depth", "max_leaves", "min_child_weight", "n_estimators", "num_parallel_tree"),
    *("objective", "reg_alpha", "reg_lambda", "scale_pos_weight", "subsample", "tree_method"),
}
PARAMETERS: dict[str, set[str]] = {
    "logistic_regression": {"C", "class_weight", "fit_intercept", "l1_ratio", "max_iter", "solver", "tol"},
    "random_forest_classifier": _FOREST | {"class_weight"},
    "gradient_boosting_classifier": _BOOSTING | {"class_weight"},
    "xgboost_classifier": _XGBOOST,
    "linear_regression": {"fit_intercept", "positive"},
    "ridge_regression": {"alpha", "fit_intercept", "max_iter", "positive", "solver", "tol"},
    "random_forest_regressor": _FOREST,
    "gradient_boosting_regressor": _BOOSTING | {"quantile"},
    "xgboost_regressor": _XGBOOST - {"scale_pos_weight"},
}


def task_of(algorithm: str) -> Task:
    """What an algorithm is for."""
    regressors = algorithm.endswith("regressor") or algorithm in ("linear_regression", "ridge_regression")
    return "regression" if regressors else "classification"


def check_parameters(algorithm: str, names: list[str], attribute: str) -> None:
    """Raise ValueError naming each parameter that the algorithm does not have, and those that it has."""
    valid = sorted(PARAMETERS[algorithm])
    for name in names:
        if name not in valid:
            near = get_close_matches(name, valid, n=1)
            hint = f"did you mean {near[0]!r}? It takes" if near else "it takes"
            raise ValueError(f"{attribute}: {algorithm} has no parameter {name!r}; {hint} {', '.join(valid)}")


ALGORITHMS: tuple[str, ...] = get_args(Algorithm)
