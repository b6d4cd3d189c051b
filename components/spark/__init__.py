"""Spark: models trained and data transformed by scripts and SQL, within approved sizes and caps."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .training import SparkModelTrainingComponent
    from .transform import SparkTransformComponent

_MODULES = {"SparkModelTrainingComponent": "training", "SparkTransformComponent": "transform"}

__all__ = ["SparkModelTrainingComponent", "SparkTransformComponent"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)  # dg lists what is found here
