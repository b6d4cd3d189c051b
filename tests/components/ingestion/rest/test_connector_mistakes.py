"""Mistakes in a connector, and in the YAML that uses one, are named when the definitions load."""

from copy import deepcopy

import pytest
import yaml

from components.ingestion.rest.catalogue import ConnectorError, own_connector, packaged_connector
from components.ingestion.rest_source import OwnConnector
from tests.components.ingestion.rest.test_rest_source import OWN, STRIPE

RESOURCE = OWN["resources"][0]


def own(tmp_path, **changes):
    """The message about a connector file with these changes; None takes a key out."""
    data = {key: value for key, value in {**deepcopy(OWN), **changes}.items() if value is not None}
    file = tmp_path / "my_api.yaml"
    file.write_text(yaml.safe_dump(data))
    with pytest.raises(ConnectorError) as caught:
        own_connector(file)
    assert str(file) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"method": "POST"}, "resource 'products': method POST; only GET is sent, unless reads_by_post says why"),
        ({"method": "DELETE"}, "method: 'DELETE' is not valid; expected one of GET, POST"),
        ({"write_disposition": "append"}, "append would double records; use merge or replace"),
        ({"write_disposition": "merge", "primary_key": []}, "write_disposition merge needs primary_key"),
        ({"since": {"param": "since"}}, "since needs cursor"),
        ({"body": {"query": "x"}}, "body needs method POST"),
        ({"path": "{resources.shops.id}/products"}, "path names resource 'shops'; there are: products"),
        ({"path": "{region}/products"}, "{region} is neither in secrets nor in variables"),
        ({"path": "products/{STRIPE_API_KEY}"}, "{STRIPE_API_KEY} is a secret; secrets stand in auth and headers only"),
        ({"pth": "products"}, "pth"),
        ({"paginator": {"type": "cursor"}}, "paginator: type cursor needs cursor_path"),
        ({"paginator": {"type": "header_link", "cursor_path": "x"}}, "paginator: type header_link has no cursor_path"),
        ({"paginator": {"type": "pages"}}, "type: 'pages' is not valid; expected one of single_page"),
        ({"cursor": "at", "write_disposition": "merge", "since": {"param": "s", "format": "ISO"}}, "format: 'ISO'"),
    ],
)
def test_a_mistake_in_a_resource_is_named(tmp_path, change, expected):
    assert expected in own(tmp_path, resources=[{**RESOURCE, **change}])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"title": None}, "title"),
        ({"paginator": None}, "resource 'products': no paginator; if there is one page only, say type: single_page"),
        ({"auth": {"type": "bearer"}}, "auth: type bearer needs token"),
        ({"auth": {"type": "oauth2", "token_url": "https://x.example"}}, "auth: type oauth2 needs grant"),
        ({"base_url": "http://api.example.com"}, "base_url: 'http://api.example.com' does not match"),
        (
            {"secrets": {"stripe_key": "x"}, "auth": None},
            "secrets: 'stripe_key' is not valid; names are written LIKE_THIS",
        ),
        ({"resources": [RESOURCE, RESOURCE]}, "resources: name 'products' is there more than once"),
        ({"limit": 100}, "limit"),
    ],
)
def test_a_mistake_in_a_connector_is_named(tmp_path, change, expected):
    assert expected in own(tmp_path, **change)


@pytest.mark.parametrize("text", ["title: [", "\0"])
def test_a_file_that_is_no_yaml_is_named(tmp_path, text):
    file = tmp_path / "my_api.yaml"
    file.write_text(text)
    with pytest.raises(ConnectorError, match=r"my_api\.yaml"):
        own_connector(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConnectorError, match=r"there is no file .*my_api\.yaml"):
        own_connector(tmp_path / "my_api.yaml")


def test_a_connector_that_is_not_in_the_catalogue_is_named_with_its_neighbour():
    with pytest.raises(
        ConnectorError, match=r"'strip' is not in the catalogue; did you mean 'stripe'\? there are: airtable"
    ):
        packaged_connector("strip")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"resources": ["customer"]}, "resources: 'customer' is not valid; Stripe has: charges, customers"),
        ({"resources": ["customers", "customers"]}, "resources: 'customers' is there more than once"),
        ({"secrets": {"STRIPE_KEY": "X"}}, "secrets: 'STRIPE_KEY' is not valid; Stripe has: STRIPE_API_KEY"),
        ({"variables": {"shop": "acme"}}, "variables: 'shop' is not valid; Stripe has: none"),
        ({"start_date": "2024-02-30"}, "start_date: '2024-02-30' is not valid"),
    ],
)
def test_a_mistake_in_the_attributes_is_named(loads, change, expected):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        loads(**{**STRIPE, **change})
    assert expected in str(caught.value)


def test_a_connector_of_ones_own_stands_in_one_place():
    with pytest.raises(ValueError, match="connector: expected file or inline, one of the two"):
        OwnConnector(file="my_api.yaml", inline=OWN)
