"""A trained model that predicts, wherever it runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .training_steps.prepare import DataError

# Types that a model file may hold besides those that skops trusts itself; anything else is not loaded.
TRUSTED = {
    *("numpy.dtype", "sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"),
    *("xgboost.core.Booster", "xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRegressor"),
}


@dataclass(frozen=True)
class Loaded:
    """A model that predicts, and what it was trained on."""

    pipeline: Any
    classes: list[Any] | None
    profile: dict[str, Any]
    task: str
    features: list[str]
    one_hot: list[str]
    versions: dict[str, str]

    def predict(self, frame: Any) -> Any:
        """Predictions for rows that have the features, as the training named its classes."""
        predicted = self.pipeline.predict(self.prepared(frame))
        return predicted if self.classes is None else [self.classes[code] for code in predicted]

    def shares(self, frame: Any) -> Any:
        """The probability of each class, a column a class."""
        return self.pipeline.predict_proba(self.prepared(frame))

    @property
    def known(self) -> dict[str, Any]:
        """All but the estimator, as JSON may hold it."""
        return {name: value for name, value in vars(self).items() if name != "pipeline"}

    @property
    def labels(self) -> list[Any]:
        """The classes in the order of ``shares``."""
        return self.classes if self.classes is not None else list(self.pipeline.classes_)

    def prepared(self, frame: Any) -> Any:
        """The features with the types they had in training."""
        made = frame[self.features].copy()
        for name in self.features:
            if name in self.one_hot:
                made[name] = made[name].astype(object).where(made[name].notna(), "missing").astype(str)
            else:
                try:
                    made[name] = made[name].astype("float64")
                except (ValueError, TypeError):
                    raise DataError(f"features: the model knows {name!r} as a number, but it holds text") from None
        return made


def load_pipeline(file: Path) -> Any:
    """The estimator of a model file; raises DataError where the file holds types that are not trusted."""
    import skops.io

    found = set(skops.io.get_untrusted_types(file=file))
    if foreign := found - TRUSTED:
        raise DataError(f"the model holds types that are not trusted: {', '.join(sorted(foreign))}")
    return skops.io.load(file, trusted=sorted(found))
