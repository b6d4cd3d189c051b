"""Reading a connector through dlt's own source, without a warehouse."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pytest

from components.ingestion.rest.catalogue import packaged_connector
from components.ingestion.rest.config import Filled, rest_config
from components.ingestion.rest.faults import told
from tests.components.ingestion.rest.vendor import Vendor


def config(name: str, vendor: Vendor, *resources: str, start: dt.datetime | None = None) -> Any:
    """What dlt's source takes for a connector, all its resources by default."""
    names = resources or tuple(resource.name for resource in packaged_connector(name).resources)
    return _config(name, names, vendor.variables, vendor.secrets, start)


def _config(
    name: str,
    resources: Collection[str],
    variables: Mapping[str, str],
    secrets: Mapping[str, str],
    start: dt.datetime | None = None,
) -> Any:
    connector = packaged_connector(name)
    return rest_config(connector, resources, Filled({**connector.defaults, **variables}, secrets), {}, start)


def pages(
    name: str, resource: str, variables: Mapping[str, str], secrets: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """The records of one resource as they come."""
    from dlt.sources.rest_api import rest_api_source

    source = rest_api_source(_config(name, [resource], variables, secrets), name=name)
    yield from source.resources[resource]


def read(name: str, vendor: Vendor, resource: str, **options: Any) -> list[dict[str, Any]]:
    """The records of one resource."""
    from dlt.sources.rest_api import rest_api_source

    source = rest_api_source(config(name, vendor, resource, **options), name=name)
    return list(source.resources[resource])


def refusal(name: str, vendor: Vendor, resource: str) -> str:
    """What is told where reading fails."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - dlt wraps it; what it means is what is asked here
        read(name, vendor, resource)
    return str(told(caught.value, packaged_connector(name).title, vendor.secrets))
