"""The platform's components, by the names defs.yaml uses.

Each is imported when it is asked for, so that checking one file stays as fast as if the others did not exist.
"""

from importlib import import_module

from .importing import imported

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
    "DatabricksAssetBundleComponent": "stock",
    "DatabricksWorkspaceComponent": "stock",
    "SqlTableComponent": "warehouse",
    "WarehouseComponent": "warehouse",
}

__all__ = sorted(_FAMILIES)


def __getattr__(name: str) -> object:
    return imported(name, _FAMILIES, __name__)


def __dir__() -> list[str]:
    # Dagster's own components are listed where their library is: uv sync --extra stock
    return [name for name in __all__ if _FAMILIES[name] != "stock" or name in dir(import_module(".stock", __name__))]
