"""Composition: components made of components, and the machine-learning pipeline that is one."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .composite import CompositeComponent
    from .ml_pipeline import MLPipelineComponent

_MODULES = {"CompositeComponent": "composite", "MLPipelineComponent": "ml_pipeline"}

__all__ = ["CompositeComponent", "MLPipelineComponent"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)  # dg lists what is found here
