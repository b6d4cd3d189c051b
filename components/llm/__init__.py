"""Language models: tables enriched by a model, versioned prompts, and what the calls have cost."""

from typing import Any

from ..importing import imported

_MODULES = {
    "ModelCostComponent": "cost_table",
    "PromptRegistryComponent": "prompt_registry",
    "TableEnrichmentComponent": "enrichment",
}

__all__ = ["ModelCostComponent", "PromptRegistryComponent", "TableEnrichmentComponent"]


def __getattr__(name: str) -> Any:
    return imported(name, _MODULES, __name__)


def __dir__() -> list[str]:
    return sorted(__all__)  # dg lists what is found here
