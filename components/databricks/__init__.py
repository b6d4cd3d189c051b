"""Databricks: the lakehouse on this machine and in the workspace, by the same definitions."""

from typing import Any

from ..importing import imported

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
    return imported(name, _MODULES, __name__)


def __dir__() -> list[str]:
    return sorted(__all__)  # dg lists what is found here
