"""Looker, Sigma, Tableau and Omni load from recorded state, with no network and no secret, and meet the policy."""

import json
import socket
from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest


def looker() -> tuple[dict[str, Any], Any]:
    import dagster_looker

    explore = {
        "id": "shop::orders",
        "view_name": "orders",
        "sql_table_name": "analytics.orders",
        "joins": [{"name": "customers", "sql_table_name": "PUBLIC.CUSTOMERS"}],
    }
    dashboard = {
        "id": "7",
        "title": "Sales: Weekly",
        "url": "/dashboards/7",
        "dashboard_filters": [{"model": "shop", "explore": "orders"}],
    }
    state = {
        "explores_by_id": {"shop::orders": json.dumps(explore)},
        "dashboards_by_id": {"7": json.dumps(dashboard)},
        "users_by_id": {},
    }
    attributes = {"base_url": "https://acme.example.com", "upstream": {"PUBLIC/CUSTOMERS": "marts/customers"}}
    assert dagster_looker.LookerComponent
    return attributes, state


def sigma() -> tuple[dict[str, Any], Any]:
    from dagster_sigma.translator import SigmaDataset, SigmaOrganizationData, SigmaWorkbook

    dataset = SigmaDataset(
        properties={"name": "Orders", "url": "https://app.example.com/d/abc", "createdAt": "2026-01-01T00:00:00Z"},
        columns={"id"},
        inputs={"ANALYTICS.ORDERS"},
    )
    workbook = SigmaWorkbook(
        properties={
            "name": "Sales (weekly)",
            "url": "https://app.example.com/w/1",
            "latestVersion": 3,
            "createdAt": "2026-01-01T00:00:00Z",
            "workbookId": "w1",
        },
        lineage=[],
        datasets={"inode-abc"},
        direct_table_deps=set(),
        owner_email="ana@example.com",
        materialization_schedules=None,
    )
    attributes = {"base_url": "https://aws-api.example.com", "upstream": {"analytics/orders": "marts/orders"}}
    return attributes, SigmaOrganizationData(workbooks=[workbook], datasets=[dataset], tables=[])


def tableau() -> tuple[dict[str, Any], Any]:
    from dagster_tableau.translator import TableauContentData, TableauContentType, TableauWorkspaceData

    def content(kind: TableauContentType, **properties: Any) -> TableauContentData:
        return TableauContentData(content_type=kind, properties=properties)

    book = content(TableauContentType.WORKBOOK, luid="w", name="Sales", projectName="Shop", projectLuid="p")
    source = content(
        TableauContentType.DATA_SOURCE, luid="d", name="Orders", hasExtracts=False, isPublished=True, isEmbedded=False
    )
    sheet = content(
        TableauContentType.SHEET,
        luid="s",
        id="s",
        name="By day",
        path="sales/by-day",
        createdAt="2026-01-01",
        updatedAt="2026-01-01",
        workbook={"luid": "w"},
        parentEmbeddedDatasources=[{"parentPublishedDatasources": [{"luid": "d"}]}],
    )
    board = content(
        TableauContentType.DASHBOARD,
        luid="b",
        name="Overview",
        path="sales/overview",
        createdAt="2026-01-01",
        updatedAt="2026-01-01",
        workbook={"luid": "w"},
        sheets=[{"luid": "s", "id": "s"}],
    )
    state = TableauWorkspaceData(
        site_name="acme",
        workbooks_by_id={"w": book},
        sheets_by_id={"s": sheet},
        dashboards_by_id={"b": board},
        data_sources_by_id={"d": source},
    )
    return {"site": "acme", "username": "dagster@example.com", "pod": "10ax"}, state


def omni() -> tuple[dict[str, Any], Any]:
    from dagster_omni.objects import OmniDocument, OmniOwner, OmniQuery, OmniQueryConfig, OmniWorkspaceData

    query = OmniQuery(id="q", name="orders", query_config=OmniQueryConfig(table="analytics__orders", fields=["id"]))
    document = OmniDocument(
        identifier="doc",
        name="Sales / Weekly",
        scope="organization",
        connection_id="c",
        deleted=False,
        has_dashboard=True,
        type="document",
        updated_at="2026-01-01T00:00:00Z",
        owner=OmniOwner(id="u", name="Ana"),
        folder=None,
        labels=[],
        queries=[query],
    )
    attributes = {"base_url": "https://acme.example.com", "upstream": {"analytics__orders": "marts/orders"}}
    return attributes, OmniWorkspaceData(documents=[document], users=[])


# The component, its recorded state, and the assets with what they depend on.
CASES = {
    "LookerComponent": (
        looker,
        {
            "looker/shop_orders": ["analytics/orders", "marts/customers"],
            "looker/sales_weekly_7": ["looker/shop_orders"],
        },
    ),
    "SigmaComponent": (
        sigma,
        {"sigma/orders": ["marts/orders"], "sigma/sales_weekly": ["sigma/orders"]},
    ),
    "TableauComponent": (
        tableau,
        {
            "tableau/orders": [],
            "tableau/sales_sheet_by_day": ["tableau/orders"],
            "tableau/sales_dashboard_overview": ["tableau/sales_sheet_by_day"],
        },
    ),
    "OmniComponent": (omni, {"omni/sales_weekly": ["marts/orders"]}),
}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError(f"asked the network for {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", CASES)
def test_recorded_state_becomes_assets_that_meet_the_policy(stock_project: Callable, name: str):
    record, expected = CASES[name]
    attributes, state = record()
    project = stock_project(name, **attributes)
    project.keep(dg.serialize_value(state))

    specs = project.specs()

    assert {key: sorted(dep.asset_key.to_user_string() for dep in specs[key].deps) for key in expected} == expected
    for spec in (specs[key] for key in expected):
        assert spec.owners == ["team:bi"]
        assert spec.tags["domain"] == "sales"
        assert spec.group_name == project.component.vendor
        assert project.component.vendor in spec.kinds
        assert spec.description


def test_two_things_of_one_name_are_refused_with_both_names(stock_project: Callable):
    attributes, state = looker()
    state["dashboards_by_id"]["8"] = state["dashboards_by_id"]["7"].replace("Sales: Weekly", "Sales; Weekly")
    project = stock_project("LookerComponent", **attributes)
    project.keep(dg.serialize_value(state))
    with pytest.raises(Exception, match="stock") as raised:
        project.definitions()
    assert "'Sales: Weekly_7' and 'Sales; Weekly_7'" in str(raised.value.__cause__)
    assert "looker/sales_weekly_7" in str(raised.value.__cause__)


def test_tableau_needs_a_pod_or_a_server(stock_project: Callable):
    project = stock_project("TableauComponent", site="acme", username="a")
    with pytest.raises(Exception, match="stock") as raised:
        project.definitions()
    assert "either pod" in str(raised.value.__cause__ or raised.value)
