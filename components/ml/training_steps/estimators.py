"""The scikit-learn pipeline of an approved algorithm."""

from importlib import import_module
from typing import Any

ESTIMATORS: dict[str, tuple[str, str]] = {
    "logistic_regression": ("sklearn.linear_model", "LogisticRegression"),
    "random_forest_classifier": ("sklearn.ensemble", "RandomForestClassifier"),
    "gradient_boosting_classifier": ("sklearn.ensemble", "HistGradientBoostingClassifier"),
    "xgboost_classifier": ("xgboost", "XGBClassifier"),
    "linear_regression": ("sklearn.linear_model", "LinearRegression"),
    "ridge_regression": ("sklearn.linear_model", "Ridge"),
    "random_forest_regressor": ("sklearn.ensemble", "RandomForestRegressor"),
    "gradient_boosting_regressor": ("sklearn.ensemble", "HistGradientBoostingRegressor"),
    "xgboost_regressor": ("xgboost", "XGBRegressor"),
}


def estimator(algorithm: str, parameters: dict[str, Any], seed: int, threads: int) -> Any:
    """An estimator that repeats itself for the same seed and keeps to a number of threads."""
    module, name = ESTIMATORS[algorithm]
    made = getattr(import_module(module), name)()
    known = made.get_params()
    settings = {"random_state": seed, "n_jobs": threads} | parameters
    if algorithm == "logistic_regression":
        settings.pop("n_jobs")  # deprecated there, and of no use
        settings.setdefault("max_iter", 1_000)
    return made.set_params(**{key: value for key, value in settings.items() if key in known})


def pipeline(request: dict[str, Any]) -> Any:
    """Preprocessing and estimator as one model, so that whoever scores with it needs the raw features only."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    preprocessing = request["preprocessing"]
    categories = [name for name in request["features"] if name in preprocessing["one_hot"]]
    numbers = [name for name in request["features"] if name not in categories]
    parts = []
    if numbers:
        parts.append(("numbers", _numbers(preprocessing), numbers))
    if categories:
        parts.append(("categories", _categories(), categories))
    columns = ColumnTransformer(parts, verbose_feature_names_out=False)
    made = estimator(request["algorithm"], request["parameters"], request["seed"], request["threads"])
    return Pipeline([("preprocessing", columns), ("estimator", made)])


def _numbers(preprocessing: dict[str, Any]) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    steps: list[tuple[str, Any]] = []
    if preprocessing["impute"]:
        # A feature without any value keeps its column, so that the pipeline's shape does not depend on the rows.
        steps.append(("impute", SimpleImputer(strategy=preprocessing["impute"], keep_empty_features=True)))
    if preprocessing["scale"]:
        steps.append(("scale", StandardScaler()))
    return Pipeline(steps) if steps else "passthrough"


def _categories() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=50, sparse_output=False)
    return Pipeline([("impute", SimpleImputer(strategy="constant", fill_value="missing")), ("encode", encoder)])
