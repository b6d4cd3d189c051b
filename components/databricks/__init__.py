"""Databricks: the lakehouse on this machine and in the workspace, by the same definitions."""

from importlib import import_module
from typing import Any

_MODULES = {
    "DatabricksJobComponent": "workspace.jobs",
    "DeclarativePipelineComponent": "pipeline.component",
    "LakehouseTableComponent": "lakehouse.component",
    "ServingEndpointComponent": "workspace.serving",
    "UnityCatalogComponent": "workspace.catalog",
    "UsageCostComponent": "workspace.usage",
    "VectorSearchIndexComponent": "workspace.vector_search",
    "VolumeFilesComponent": "lakehouse.volume_files",
}

__all__ = [
    "DatabricksJobComponent",
    "DeclarativePipelineComponent",
    "LakehouseTableComponent",
    "ServingEndpointComponent",
    "UnityCatalogComponent",
    "UsageCostComponent",
    "VectorSearchIndexComponent",
    "VolumeFilesComponent",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)  # dg lists what is found here
