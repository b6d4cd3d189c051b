"""The governed components of Acme Components, by the names that defs.yaml uses.

Each is imported when it is asked for, so that checking one file stays as fast as if the others did not exist.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .importing import imported

if TYPE_CHECKING:
    from .activation import FileExportComponent as FileExportComponent
    from .bi import DashboardComponent as DashboardComponent
    from .composition import CompositeComponent as CompositeComponent
    from .composition import MLPipelineComponent as MLPipelineComponent
    from .databricks import DatabricksJobComponent as DatabricksJobComponent
    from .databricks import DeclarativePipelineComponent as DeclarativePipelineComponent
    from .databricks import LakehouseTableComponent as LakehouseTableComponent
    from .databricks import ServingEndpointComponent as ServingEndpointComponent
    from .databricks import UnityCatalogComponent as UnityCatalogComponent
    from .databricks import UsageCostComponent as UsageCostComponent
    from .databricks import VectorSearchIndexComponent as VectorSearchIndexComponent
    from .databricks import VolumeFilesComponent as VolumeFilesComponent
    from .dbt import GovernedDbtProjectComponent as GovernedDbtProjectComponent
    from .ingestion import DatabaseSourceComponent as DatabaseSourceComponent
    from .ingestion import FileSourceComponent as FileSourceComponent
    from .ingestion import RestSourceComponent as RestSourceComponent
    from .ingestion import SlingReplicationComponent as SlingReplicationComponent
    from .llm import ModelCostComponent as ModelCostComponent
    from .llm import PromptRegistryComponent as PromptRegistryComponent
    from .llm import TableEnrichmentComponent as TableEnrichmentComponent
    from .ml import BatchInferenceComponent as BatchInferenceComponent
    from .ml import DataValidationComponent as DataValidationComponent
    from .ml import ModelRegistryComponent as ModelRegistryComponent
    from .ml import ModelTrainingComponent as ModelTrainingComponent
    from .ml import ModelValidationComponent as ModelValidationComponent
    from .notebooks import NotebookRunnerComponent as NotebookRunnerComponent
    from .orchestration import AlertRoutesComponent as AlertRoutesComponent
    from .orchestration import OpenLineageComponent as OpenLineageComponent
    from .orchestration import ScheduledJobComponent as ScheduledJobComponent
    from .orchestration import TelemetryComponent as TelemetryComponent
    from .retrieval import AnswersComponent as AnswersComponent
    from .retrieval import DocumentIndexComponent as DocumentIndexComponent
    from .retrieval import RetrievalEvaluationComponent as RetrievalEvaluationComponent
    from .retrieval import RetrievalFiguresComponent as RetrievalFiguresComponent
    from .retrieval import SearchPageComponent as SearchPageComponent
    from .spark import SparkModelTrainingComponent as SparkModelTrainingComponent
    from .spark import SparkTransformComponent as SparkTransformComponent
    from .stock import AirbyteWorkspaceComponent as AirbyteWorkspaceComponent
    from .stock import CensusComponent as CensusComponent
    from .stock import DatabricksAssetBundleComponent as DatabricksAssetBundleComponent
    from .stock import DatabricksWorkspaceComponent as DatabricksWorkspaceComponent
    from .stock import DbtCloudComponent as DbtCloudComponent
    from .stock import FivetranAccountComponent as FivetranAccountComponent
    from .stock import HightouchSyncComponent as HightouchSyncComponent
    from .stock import LookerComponent as LookerComponent
    from .stock import OmniComponent as OmniComponent
    from .stock import PowerBIWorkspaceComponent as PowerBIWorkspaceComponent
    from .stock import SigmaComponent as SigmaComponent
    from .stock import TableauComponent as TableauComponent
    from .warehouse import BigQueryTableComponent as BigQueryTableComponent
    from .warehouse import SqlTableComponent as SqlTableComponent
    from .warehouse import WarehouseComponent as WarehouseComponent

_FAMILIES = {
    "FileExportComponent": "activation",
    "DashboardComponent": "bi",
    "CompositeComponent": "composition",
    "MLPipelineComponent": "composition",
    "DatabricksJobComponent": "databricks",
    "DeclarativePipelineComponent": "databricks",
    "LakehouseTableComponent": "databricks",
    "ServingEndpointComponent": "databricks",
    "UnityCatalogComponent": "databricks",
    "UsageCostComponent": "databricks",
    "VectorSearchIndexComponent": "databricks",
    "VolumeFilesComponent": "databricks",
    "GovernedDbtProjectComponent": "dbt",
    "DatabaseSourceComponent": "ingestion",
    "FileSourceComponent": "ingestion",
    "RestSourceComponent": "ingestion",
    "SlingReplicationComponent": "ingestion",
    "ModelCostComponent": "llm",
    "PromptRegistryComponent": "llm",
    "TableEnrichmentComponent": "llm",
    "BatchInferenceComponent": "ml",
    "DataValidationComponent": "ml",
    "ModelRegistryComponent": "ml",
    "ModelTrainingComponent": "ml",
    "ModelValidationComponent": "ml",
    "NotebookRunnerComponent": "notebooks",
    "AlertRoutesComponent": "orchestration",
    "OpenLineageComponent": "orchestration",
    "ScheduledJobComponent": "orchestration",
    "TelemetryComponent": "orchestration",
    "AnswersComponent": "retrieval",
    "DocumentIndexComponent": "retrieval",
    "RetrievalEvaluationComponent": "retrieval",
    "RetrievalFiguresComponent": "retrieval",
    "SearchPageComponent": "retrieval",
    "SparkModelTrainingComponent": "spark",
    "SparkTransformComponent": "spark",
    "AirbyteWorkspaceComponent": "stock",
    "CensusComponent": "stock",
    "DatabricksAssetBundleComponent": "stock",
    "DatabricksWorkspaceComponent": "stock",
    "DbtCloudComponent": "stock",
    "FivetranAccountComponent": "stock",
    "HightouchSyncComponent": "stock",
    "LookerComponent": "stock",
    "OmniComponent": "stock",
    "PowerBIWorkspaceComponent": "stock",
    "SigmaComponent": "stock",
    "TableauComponent": "stock",
    "BigQueryTableComponent": "warehouse",
    "SqlTableComponent": "warehouse",
    "WarehouseComponent": "warehouse",
}


def _own() -> dict[str, str]:
    """The components of own/, by their files' names: sales_report_component.py holds SalesReportComponent."""
    stems = [path.stem for path in (Path(__file__).parent / "own").glob("*_component.py")]
    return {"".join(word.capitalize() for word in stem.split("_")): f"own.{stem}" for stem in stems}


def __getattr__(name: str) -> object:
    return imported(name, _FAMILIES if name in _FAMILIES else _FAMILIES | _own(), __name__)


def __dir__() -> list[str]:
    families = [name for name, family in _FAMILIES.items() if _is_installed(name, family)]
    # What `dg scaffold component` adds at the end of this file is listed too.
    scaffolded = [name for name in globals() if name.endswith("Component")]
    return sorted({*families, *_own(), *scaffolded})


def _is_installed(name: str, family: str) -> bool:
    """Whether the library is there that a component derives from or drives; one without it is not listed."""
    if family == "stock":
        return name in dir(import_module(".stock", __name__))
    return family != "dbt" or find_spec("dagster_dbt") is not None
