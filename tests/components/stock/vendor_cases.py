"""The vendors whose assets run: what each needs, what a refresh finds there, and how what runs there may end."""

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.vendors import Vendor
from tests.fakes.vendors.airbyte import WORKSPACE, Airbyte
from tests.fakes.vendors.census import Census
from tests.fakes.vendors.fivetran import Fivetran
from tests.fakes.vendors.hightouch import Hightouch
from tests.fakes.vendors.power_bi import WORKSPACE as POWER_BI_WORKSPACE
from tests.fakes.vendors.power_bi import PowerBI
from tests.fakes.vendors.tableau import Tableau


@dataclass(frozen=True)
class Case:
    """A component against its fake.

    Args:
        fake: The vendor.
        attributes: The component's.
        found: Asset keys of a refresh, with what each depends on.
        runs: The key that a test runs.
        says: Metadata of its run.
        asks: Part of the request that polls.
        failed: The vendor's word for what fails.
        cancelled: The vendor's word for what somebody cancels there.
        cancels: Whether a run that takes too long is cancelled there.
        down: A status that passes.
        refused: What a run says about a revoked key.
        patience: Attributes that make a test short.
    """

    fake: type[Vendor]
    attributes: dict[str, Any]
    found: dict[str, list[str]]
    runs: str
    says: dict[str, Any]
    asks: str
    failed: str = "failed"
    cancelled: str = "cancelled"
    cancels: bool = False
    down: int = 500
    refused: str = "refuses the credentials (401)"
    patience: dict[str, Any] = field(default_factory=lambda: {"poll_seconds": 0.01})


CASES = {
    "FivetranAccountComponent": Case(
        Fivetran,
        {"account_id": "acme"},
        {"fivetran_stripe/charge": [], "fivetran_stripe/customer": []},
        "fivetran_stripe/charge",
        {"fivetran/connector": "https://fivetran.com/dashboard/connections/speak_menial"},
        "GET /v1/connectors/speak_menial",
        cancelled="",  # Fivetran knows no cancelled sync
    ),
    "AirbyteWorkspaceComponent": Case(
        Airbyte,
        {"workspace_id": WORKSPACE},
        {"airbyte_hubspot/companies": [], "airbyte_hubspot/contacts": []},
        "airbyte_hubspot/contacts",
        {"airbyte/job": 100, "airbyte/rows": 42},
        "GET /v1/jobs/100",
        cancels=True,
    ),
    "PowerBIWorkspaceComponent": Case(
        PowerBI,
        {"workspace_id": POWER_BI_WORKSPACE, "enable_semantic_model_refresh": True},
        {
            "powerbi/semantic_model_flight_performance": ["marts/carrier_performance", "marts/route_performance"],
            "powerbi/report_delays_by_carrier": ["powerbi/semantic_model_flight_performance"],
            "powerbi/dashboard_operations": ["powerbi/report_delays_by_carrier"],
        },
        "powerbi/semantic_model_flight_performance",
        {"powerbi/requestId": "refresh-1"},
        "/refreshes",
        failed="Failed",
        cancelled="Cancelled",
    ),
    "TableauComponent": Case(
        Tableau,
        {
            "site": "acme",
            "username": "dagster@example.com",
            "pod": "10ax",
            "enable_published_datasource_refresh": True,
        },
        {
            "tableau/carriers": ["marts/carrier_performance"],
            "tableau/flights_sheet_delays_by_carrier": ["tableau/carriers"],
            "tableau/flights_dashboard_punctuality": ["tableau/flights_sheet_delays_by_carrier"],
        },
        "tableau/carriers",
        {"tableau/job": "job-1"},
        "/jobs/job-1",
        cancels=True,
        down=503,
        refused="401002: Unauthorized",
    ),
    "HightouchSyncComponent": Case(
        Hightouch,
        {
            "sync_id": "77",
            "name": "carriers_to_crm",
            "source": "marts/carrier_performance",
            "description": "Carriers, as the CRM has them.",
            "group": "activation",
        },
        {"hightouch/carriers_to_crm": ["marts/carrier_performance"]},
        "hightouch/carriers_to_crm",
        {"hightouch/successfulRows": 16, "hightouch/failedRows": 0, "hightouch/query_size": 16},
        "/runs",
    ),
    "CensusComponent": Case(
        Census,
        {"workspace": "sales", "reads": {"carriers_to_crm": ["marts/carrier_performance"]}, "group": "activation"},
        {
            "census/carriers_to_crm": ["marts/carrier_performance"],
            "census/leads_weekly": [],
            "census/broken_sync": [],
        },
        "census/carriers_to_crm",
        {"census/records_processed": 7, "census/records_updated": 6},
        "GET /api/v1/sync_runs/100",
    ),
}
