"""Stock: Dagster's own components for other vendors' services, with strict attributes and the company's standards."""

from importlib.util import find_spec

from ..importing import imported

# Each class by its module here and the library that it drives; a name is listed where that library is installed.
_COMPONENTS = {
    "AirbyteWorkspaceComponent": ("airbyte", "dagster_airbyte"),
    "CensusComponent": ("census", "dagster_census"),
    "DatabricksAssetBundleComponent": ("databricks_bundle", "dagster_databricks"),
    "DatabricksWorkspaceComponent": ("databricks_workspace", "dagster_databricks"),
    "DbtCloudComponent": ("dbt_cloud", "dagster_dbt"),
    "FivetranAccountComponent": ("fivetran", "dagster_fivetran"),
    "HightouchSyncComponent": ("hightouch", "dagster_hightouch"),
    "LookerComponent": ("looker", "dagster_looker"),
    "OmniComponent": ("omni", "dagster_omni"),
    "PowerBIWorkspaceComponent": ("power_bi", "dagster_powerbi"),
    "SigmaComponent": ("sigma", "dagster_sigma"),
    "TableauComponent": ("tableau", "dagster_tableau"),
}


def __getattr__(name: str) -> object:
    return imported(name, {component: module for component, (module, _) in _COMPONENTS.items()}, __name__)


def __dir__() -> list[str]:
    return [name for name, (_, library) in _COMPONENTS.items() if find_spec(library)]
