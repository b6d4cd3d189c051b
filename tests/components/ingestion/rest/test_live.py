"""The vendors themselves, for those whose key is in the environment: pytest -m live."""

import os
from itertools import islice

import pytest

from components.ingestion.rest.catalogue import connector_names, packaged_connector
from tests.components.ingestion.rest.reading import pages

WITH_KEY = [name for name in connector_names() if all(map(os.environ.get, packaged_connector(name).secrets))]


def variables(name: str) -> dict[str, str]:
    """The connector's variables, from the environment by their names in capitals: SHOPIFY_SHOP."""
    found = {
        variable: os.environ.get(f"{name}_{variable}".upper(), "") for variable in packaged_connector(name).variables
    }
    assert all(found.values()), f"set {', '.join(f'{name}_{variable}'.upper() for variable in found)}"
    return found


@pytest.mark.live
@pytest.mark.parametrize("name", WITH_KEY)
def test_the_vendor_answers_as_the_connector_expects(name):
    secrets = {secret: os.environ[secret] for secret in packaged_connector(name).secrets}
    for resource in packaged_connector(name).resources:
        for record in islice(pages(name, resource.name, variables(name), secrets), 10):
            assert set(resource.primary_key) <= set(record)
