"""What stands in for dbt Cloud in target local: the same dbt project, built here by dbt Core."""

import logging
from typing import Any

import dagster as dg

from .running import RunsAtVendor

logger = logging.getLogger("dagster.components")


def definitions_of_folder(component: Any, context: dg.ComponentLoadContext) -> dg.Definitions:
    """Assets and checks of the dbt project in the sample's folder; each run first says that it is no dbt Cloud run.

    Args:
        component: The DbtCloudComponent.
        context: Where it stands.

    Raises:
        DbtProjectError: the folder holds no dbt project, or one with a mistake.
    """
    from ..dbt.attributes import AssetDefaults, Compute, DbtOptions, Monitoring, Upstream
    from ..dbt.definitions import Attributes, Place, build_definitions
    from ..dbt.source import LocalFolder

    path = (component.folder / component.sample).resolve()
    names = ", ".join(component.secret_names)
    logger.warning(
        f"{type(component).__name__}: {component.place} is not known yet; these are the models of {path}. With {names} "
        "set, run: dg utils refresh-defs-state"
    )
    given = Attributes(
        project=LocalFolder(str(component.sample), path),
        translation=None,
        upstream=Upstream(assets=component.upstream),
        partitions=None,
        schedule=None,
        full_refresh_schedule=None,
        dbt=DbtOptions(select=component.select),
        assets=AssetDefaults(owners=component.owners, group=component.group, tags=component.tags),
        compute=Compute(),
        monitoring=Monitoring(),
    )
    found = build_definitions(given, Place.of(context), before=lambda run: announce(component, run))
    return found.map_asset_specs(func=lambda spec: spec.merge_attributes(metadata={"sample": True}))


def announce(component: RunsAtVendor, context: dg.AssetExecutionContext) -> None:
    """Say loudly that a run is none of the vendor's.

    Raises:
        Failure: the target is production, or the vendor's key is there.
    """
    missing = component.stands_in(component.keys())
    named = f"SAMPLE: {', '.join(missing)} not set, so {component.title} was not asked"
    context.log.warning(f"{named}. dbt Core builds {component.sample} here")
