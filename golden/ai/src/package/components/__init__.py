"""The platform's components, by the names defs.yaml uses.

Each is imported when it is asked for, so that checking one file stays as fast as if the others did not exist.
"""

from .importing import imported

_FAMILIES = {
    "DashboardComponent": "bi",
    "ModelCostComponent": "llm",
    "PromptRegistryComponent": "llm",
    "TableEnrichmentComponent": "llm",
    "AlertRoutesComponent": "orchestration",
    "ScheduledJobComponent": "orchestration",
    "TelemetryComponent": "orchestration",
    "AnswersComponent": "retrieval",
    "DocumentIndexComponent": "retrieval",
    "RetrievalEvaluationComponent": "retrieval",
    "RetrievalFiguresComponent": "retrieval",
    "SearchPageComponent": "retrieval",
    "SqlTableComponent": "warehouse",
    "WarehouseComponent": "warehouse",
}

__all__ = sorted(_FAMILIES)


def __getattr__(name: str) -> object:
    return imported(name, _FAMILIES, __name__)


def __dir__() -> list[str]:
    return __all__
