"""Spark: models trained and data transformed by scripts and SQL, within approved sizes and caps."""

from typing import TYPE_CHECKING, Any

from ..importing import imported

if TYPE_CHECKING:
    from .training import SparkModelTrainingComponent
    from .transform import SparkTransformComponent

_MODULES = {"SparkModelTrainingComponent": "training", "SparkTransformComponent": "transform"}

__all__ = ["SparkModelTrainingComponent", "SparkTransformComponent"]


def __getattr__(name: str) -> Any:
    return imported(name, _MODULES, __name__)


def __dir__() -> list[str]:
    return sorted(__all__)  # dg lists what is found here
