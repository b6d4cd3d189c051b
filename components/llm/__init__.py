"""Language models: tables enriched by a model, versioned prompts, and what the calls have cost."""

from importlib import import_module
from typing import Any

_MODULES = {
    "ModelCostComponent": "cost_table",
    "PromptRegistryComponent": "prompt_registry",
    "TableEnrichmentComponent": "enrichment",
}

__all__ = ["ModelCostComponent", "PromptRegistryComponent", "TableEnrichmentComponent"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)  # dg lists what is found here
