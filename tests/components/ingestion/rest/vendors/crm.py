"""Customers and support."""

from tests.components.ingestion.rest.paging import Cursor, Link, Offset
from tests.components.ingestion.rest.vendor import Check, Endpoint, Since, Token, Vendor, basic, bearer, header

_HUBSPOT = Cursor(size_param="limit", param="after", path="paging.next.after")
_ZENDESK_EXPORT = Link(
    size=1000, size_param="per_page", path="after_url", forever=True, last="end_of_stream", param="cursor"
)
_FRESHDESK = Link(size_param="per_page", param="page")
_PIPEDRIVE = Cursor(size_param="limit", path="additional_data.next_cursor", end=None)
_SORTED = {"sort_by": "update_time", "sort_direction": "asc"}
_INTERCOM = Cursor(size=150, size_param="per_page", param="starting_after", path="pages.next.starting_after")


def _soql(table: str) -> tuple[Since, dict[str, str | None], Check]:
    since = Since("q", "iso", rf"^SELECT [A-Za-z, ]+ FROM {table} WHERE SystemModstamp >= (\S+)$")
    return since, {"q": None}, lambda request: f" FROM {table}" in request.query.get("q", f" FROM {table}")


def _salesforce(table: str) -> Endpoint:
    since, params, takes = _soql(table)
    style = Link(path="nextRecordsUrl", relative=True, in_path=True, last="done", keeps=False, param="in_path")
    return Endpoint(r"/services/data/v62\.0/query", style, "records", since, params, takes=takes)


VENDORS = {
    "hubspot": Vendor(
        host="api.hubapi.com",
        auth=bearer("pat-eu1-of-the-fake"),
        secrets={"HUBSPOT_ACCESS_TOKEN": "pat-eu1-of-the-fake"},
        endpoints={
            name: Endpoint(f"/crm/v3/objects/{name}", _HUBSPOT, "results", params={"properties": None})
            for name in ("contacts", "companies", "deals")
        }
        | {"owners": Endpoint("/crm/v3/owners", _HUBSPOT, "results")},
    ),
    "salesforce": Vendor(
        host="acme.my.salesforce.com",
        auth=bearer("00Dx0000000BV7z"),
        secrets={"SALESFORCE_CLIENT_ID": "3MVG9lKcPoNINVB", "SALESFORCE_CLIENT_SECRET": "1955279925675241571"},
        variables={"instance": "acme.my.salesforce.com"},
        token=Token(
            "https://acme.my.salesforce.com/services/oauth2/token",
            {
                "grant_type": "client_credentials",
                "client_id": "3MVG9lKcPoNINVB",
                "client_secret": "1955279925675241571",
            },
            token="00Dx0000000BV7z",
        ),
        endpoints={
            "accounts": _salesforce("Account"),
            "contacts": _salesforce("Contact"),
            "opportunities": _salesforce("Opportunity"),
        },
    ),
    "zendesk": Vendor(
        host="acme.zendesk.com",
        auth=basic("agent@example.com/token", "6wiIBWbGkBMo1mRDMuVwkw1EPsNkeUj95PIz2akv"),
        secrets={"ZENDESK_API_TOKEN": "6wiIBWbGkBMo1mRDMuVwkw1EPsNkeUj95PIz2akv"},
        variables={"subdomain": "acme", "email": "agent@example.com"},
        endpoints={
            "tickets": Endpoint(
                "/api/v2/incremental/tickets/cursor.json", _ZENDESK_EXPORT, "tickets", Since("start_time", "unix")
            ),
            "users": Endpoint(
                "/api/v2/incremental/users/cursor.json", _ZENDESK_EXPORT, "users", Since("start_time", "unix")
            ),
            "organizations": Endpoint(
                "/api/v2/organizations.json",
                Cursor(
                    size_param="page[size]",
                    param="page[after]",
                    path="meta.after_cursor",
                    more="meta.has_more",
                    always=True,
                ),
                "organizations",
            ),
        },
    ),
    "freshdesk": Vendor(
        host="acme.freshdesk.com",
        auth=basic("AbC1dEfGhIjKlMnOpQr", "X"),
        secrets={"FRESHDESK_API_KEY": "AbC1dEfGhIjKlMnOpQr"},
        variables={"domain": "acme"},
        endpoints={
            "tickets": Endpoint(
                "/api/v2/tickets",
                _FRESHDESK,
                since=Since("updated_since"),
                params={"order_by": "updated_at", "order_type": "asc"},
            ),
            "contacts": Endpoint("/api/v2/contacts", _FRESHDESK, since=Since("_updated_since")),
            "agents": Endpoint("/api/v2/agents", _FRESHDESK),
        },
    ),
    "intercom": Vendor(
        host="api.intercom.io",
        auth=lambda request: bearer("dG9rOmZha2U=")(request) and header(Intercom_Version="2.11")(request),
        secrets={"INTERCOM_ACCESS_TOKEN": "dG9rOmZha2U="},
        endpoints={
            "contacts": Endpoint("/contacts", _INTERCOM, "data"),
            "conversations": Endpoint("/conversations", _INTERCOM, "conversations"),
        },
    ),
    "pipedrive": Vendor(
        host="acme.pipedrive.com",
        auth=header(x_api_token="3c5d9f4e1b2a"),
        secrets={"PIPEDRIVE_API_TOKEN": "3c5d9f4e1b2a"},
        variables={"company": "acme"},
        endpoints={
            name: Endpoint(f"/api/v2/{name}", _PIPEDRIVE, "data", Since("updated_since"), _SORTED)
            for name in ("deals", "persons", "organizations")
        },
    ),
    "klaviyo": Vendor(
        host="a.klaviyo.com",
        auth=lambda request: (
            bearer("pk_ofthefake", "Klaviyo-API-Key")(request) and header(revision="2024-10-15")(request)
        ),
        secrets={"KLAVIYO_API_KEY": "pk_ofthefake"},
        endpoints={
            "profiles": Endpoint(
                "/api/profiles",
                Link(size_param="page[size]", path="links.next", end=None, param="page[cursor]"),
                "data",
                Since("filter", "iso", r"^greater-than\(updated,([^()]+)\)$"),
                {"sort": "updated"},
            ),
            "events": Endpoint(
                "/api/events",
                Link(size=200, size_param="page[size]", path="links.next", end=None, param="page[cursor]"),
                "data",
                Since("filter", "iso", r"^greater-or-equal\(datetime,([^()]+)\)$"),
                {"sort": "datetime"},
            ),
            "lists": Endpoint(
                "/api/lists",
                Link(size=10, path="links.next", end=None, param="page[cursor]"),
                "data",
                Since("filter", "iso", r"^greater-than\(updated,([^()]+)\)$"),
                {"sort": "updated"},
            ),
        },
    ),
    "mailchimp": Vendor(
        host="us6.api.mailchimp.com",
        auth=basic("dagster", "0123456789abcdef-us6"),
        secrets={"MAILCHIMP_API_KEY": "0123456789abcdef-us6"},
        variables={"data_center": "us6"},
        endpoints={
            "campaigns": Endpoint(
                "/3.0/campaigns",
                Offset(500, "count", total="total_items"),
                "campaigns",
                Since("since_create_time"),
                {"sort_field": "create_time", "sort_dir": "ASC"},
            ),
            "lists": Endpoint("/3.0/lists", Offset(500, "count", total="total_items"), "lists"),
            "members": Endpoint(
                r"/3\.0/lists/57aaa5717[0-9]+/members",
                Offset(500, "count", total="total_items"),
                "members",
                Since("since_last_changed"),
            ),
        },
    ),
}
