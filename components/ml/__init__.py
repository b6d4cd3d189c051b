"""Machine learning: data validation, training, a gate, the registry and batch inference, tracked by MLflow."""

from typing import Any

from ..importing import imported

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
    return imported(name, _MODULES, __name__)


def __dir__() -> list[str]:
    return sorted(__all__)  # dg lists what is found here
