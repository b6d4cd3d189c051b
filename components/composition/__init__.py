"""Composition: components made of components, and the machine-learning pipeline that is one."""

from typing import TYPE_CHECKING, Any

from ..importing import imported

if TYPE_CHECKING:
    from .composite import CompositeComponent
    from .ml_pipeline import MLPipelineComponent

_MODULES = {"CompositeComponent": "composite", "MLPipelineComponent": "ml_pipeline"}

__all__ = ["CompositeComponent", "MLPipelineComponent"]


def __getattr__(name: str) -> Any:
    return imported(name, _MODULES, __name__)


def __dir__() -> list[str]:
    return sorted(__all__)  # dg lists what is found here
