"""The platform's components, by the names defs.yaml uses.

Each is imported when it is asked for, so that checking one file stays as fast as if the others did not exist.
"""

from .importing import imported

_FAMILIES = {
    "FileExportComponent": "activation",
    "DashboardComponent": "bi",
    "GovernedDbtProjectComponent": "dbt",
    "DatabaseSourceComponent": "ingestion",
    "FileSourceComponent": "ingestion",
    "RestSourceComponent": "ingestion",
    "AlertRoutesComponent": "orchestration",
    "ScheduledJobComponent": "orchestration",
    "TelemetryComponent": "orchestration",
    "SqlTableComponent": "warehouse",
    "WarehouseComponent": "warehouse",
}

__all__ = sorted(_FAMILIES)


def __getattr__(name: str) -> object:
    return imported(name, _FAMILIES, __name__)


def __dir__() -> list[str]:
    return __all__
