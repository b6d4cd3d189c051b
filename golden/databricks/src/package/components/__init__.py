"""The platform's components, by the names defs.yaml uses.

Each is imported when it is asked for, so that checking one file stays as fast as if the others did not exist.
"""

import gc
from importlib import import_module

_FAMILIES = {
    "DatabricksJobComponent": "databricks",
    "DeclarativePipelineComponent": "databricks",
    "LakehouseTableComponent": "databricks",
    "ServingEndpointComponent": "databricks",
    "UnityCatalogComponent": "databricks",
    "UsageCostComponent": "databricks",
    "VectorSearchIndexComponent": "databricks",
    "VolumeFilesComponent": "databricks",
    "BatchInferenceComponent": "ml",
    "DataValidationComponent": "ml",
    "ModelRegistryComponent": "ml",
    "ModelTrainingComponent": "ml",
    "ModelValidationComponent": "ml",
    "NotebookRunnerComponent": "notebooks",
    "AlertRoutesComponent": "orchestration",
    "ScheduledJobComponent": "orchestration",
    "TelemetryComponent": "orchestration",
    "SparkModelTrainingComponent": "spark",
    "SparkTransformComponent": "spark",
    "SqlTableComponent": "warehouse",
    "WarehouseComponent": "warehouse",
}

__all__ = sorted(_FAMILIES)


def __getattr__(name: str) -> object:
    if name not in _FAMILIES:
        raise AttributeError(f"{__name__} has no component {name!r}; it has {', '.join(__all__)}")
    collects = gc.isenabled()
    gc.disable()  # what an import makes stays, and looking for garbage in it takes a third of the time
    try:
        return getattr(import_module(f".{_FAMILIES[name]}", __name__), name)
    finally:
        if collects:
            gc.enable()


def __dir__() -> list[str]:
    return __all__
