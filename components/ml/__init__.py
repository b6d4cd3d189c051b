"""Machine learning: data validation, training, a gate, the registry and batch inference, tracked by MLflow."""

from importlib import import_module
from typing import Any

_MODULES = {
    "BatchInferenceComponent": "inference",
    "DataValidationComponent": "data_validation",
    "ModelRegistryComponent": "registry",
    "ModelTrainingComponent": "training",
    "ModelValidationComponent": "model_validation",
}

__all__ = [
    "BatchInferenceComponent",
    "DataValidationComponent",
    "ModelRegistryComponent",
    "ModelTrainingComponent",
    "ModelValidationComponent",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)  # dg lists what is found here
