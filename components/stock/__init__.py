"""Stock: Dagster's own components for other vendors' services, with strict attributes and the company's standards."""

from importlib import import_module
from importlib.util import find_spec

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
    if name not in _COMPONENTS:
        raise AttributeError(f"{__name__} has no component {name!r}; it has {', '.join(_COMPONENTS)}")
    return getattr(import_module(f".{_COMPONENTS[name][0]}", __name__), name)


def __dir__() -> list[str]:
    return [name for name, (_, library) in _COMPONENTS.items() if find_spec(library)]
