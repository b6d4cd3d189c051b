"""Operations, access, people and messages."""

from tests.components.ingestion.rest.paging import AfterId, Cursor, Link, Number, Offset
from tests.components.ingestion.rest.vendor import Endpoint, Since, Token, Vendor, basic, bearer, header

_PAGERDUTY = Offset(100, "limit", more="more")
_LEVER = Cursor(size_param="limit", param="offset", path="next", more="hasNext")
_SENDGRID = Offset(500, "limit")
_CALENDLY = Cursor(size_param="count", param="page_token", path="pagination.next_page_token", end=None)
_ORGANIZATION = "https://api.calendly.com/organizations/AAAAAAAAAAAAAAAA"
_ZOOM = Cursor(300, "page_size", param="next_page_token", path="next_page_token", end="")
_TWILIO = Link(500, "PageSize", path="next_page_uri", end=None, relative=True, param="PageToken")

VENDORS = {
    "pagerduty": Vendor(
        host="api.pagerduty.com",
        auth=header(
            Authorization="Token token=y_NbAkKc66ryYTWUXYEu", Accept="application/vnd.pagerduty+json;version=2"
        ),
        secrets={"PAGERDUTY_API_KEY": "y_NbAkKc66ryYTWUXYEu"},
        endpoints={
            "incidents": Endpoint("/incidents", _PAGERDUTY, "incidents", Since("since"), {"sort_by": "created_at:asc"}),
            "services": Endpoint("/services", _PAGERDUTY, "services"),
            "users": Endpoint("/users", _PAGERDUTY, "users"),
        },
    ),
    "datadog": Vendor(
        host="api.datadoghq.com",
        auth=header(DD_API_KEY="dd-api-of-the-fake", DD_APPLICATION_KEY="dd-app-of-the-fake"),
        secrets={"DATADOG_API_KEY": "dd-api-of-the-fake", "DATADOG_APP_KEY": "dd-app-of-the-fake"},
        endpoints={
            "events": Endpoint(
                "/api/v2/events",
                Cursor(1000, "page[limit]", param="page[cursor]", path="meta.page.after"),
                "data",
                Since("filter[from]", "unix_millis"),
                {"sort": "timestamp"},
            ),
            "monitors": Endpoint("/api/v1/monitor", Number(100, "page_size", first=0)),
            "users": Endpoint("/api/v2/users", Number(100, "page[size]", param="page[number]", first=0), "data"),
        },
    ),
    "sentry": Vendor(
        host="sentry.io",
        auth=bearer("sntrys_of_the_fake"),
        secrets={"SENTRY_AUTH_TOKEN": "sntrys_of_the_fake"},
        variables={"organization": "acme"},
        endpoints={
            "issues": Endpoint(
                "/api/0/organizations/acme/issues/",
                Link(size_param="limit", forever=True, param="cursor"),
                since=Since("query", "%Y-%m-%dT%H:%M:%S", r"^lastSeen:>=(\S+)$"),
                params={"sort": "date", "statsPeriod": "90d", "query": ""},
            ),
            "projects": Endpoint("/api/0/organizations/acme/projects/", Link(forever=True, param="cursor")),
        },
    ),
    "launchdarkly": Vendor(
        host="app.launchdarkly.com",
        auth=header(Authorization="api-of-the-fake"),
        secrets={"LAUNCHDARKLY_ACCESS_TOKEN": "api-of-the-fake"},
        variables={"project": "default"},
        endpoints={
            "audit_log": Endpoint(
                "/api/v2/auditlog",
                Link(20, "limit", path="_links.next.href", relative=True, param="before"),
                "items",
                Since("after", "unix_millis"),
            ),
            "flags": Endpoint(
                "/api/v2/flags/default", Offset(100, "limit", total="totalCount"), "items", params={"summary": "true"}
            ),
            "projects": Endpoint("/api/v2/projects", Offset(100, "limit", total="totalCount"), "items"),
        },
    ),
    "okta": Vendor(
        host="acme.okta.com",
        auth=header(Authorization="SSWS 00QCjAl4MlV-of-the-fake"),
        secrets={"OKTA_API_TOKEN": "00QCjAl4MlV-of-the-fake"},
        variables={"domain": "acme.okta.com"},
        endpoints={
            "users": Endpoint(
                "/api/v1/users",
                Link(200, "limit", param="after"),
                since=Since("search", "iso", r'^lastUpdated ge "([^"]+)"$'),
                params={"search": None},
            ),
            "groups": Endpoint("/api/v1/groups", Link(200, "limit", param="after")),
            "system_log": Endpoint(
                "/api/v1/logs",
                Link(1000, "limit", forever=True, param="after"),
                since=Since("since"),
                params={"sortOrder": "ASCENDING"},
            ),
        },
    ),
    "lever": Vendor(
        host="api.lever.co",
        auth=basic("lever-of-the-fake"),
        secrets={"LEVER_API_KEY": "lever-of-the-fake"},
        endpoints={
            "opportunities": Endpoint("/v1/opportunities", _LEVER, "data", Since("updated_at_start", "unix_millis")),
            "postings": Endpoint("/v1/postings", _LEVER, "data", Since("updated_at_start", "unix_millis")),
            "users": Endpoint("/v1/users", _LEVER, "data"),
        },
    ),
    "sendgrid": Vendor(
        host="api.sendgrid.com",
        auth=bearer("SG.of-the-fake"),
        secrets={"SENDGRID_API_KEY": "SG.of-the-fake"},
        endpoints={
            name: Endpoint(f"/v3/suppression/{name}", _SENDGRID, since=Since("start_time", "unix"))
            for name in ("bounces", "unsubscribes", "spam_reports")
        },
    ),
    "twilio": Vendor(
        host="api.twilio.com",
        auth=basic("AC0123456789abcdef", "twilio-of-the-fake"),
        secrets={"TWILIO_AUTH_TOKEN": "twilio-of-the-fake"},
        variables={"account_sid": "AC0123456789abcdef"},
        endpoints={
            "messages": Endpoint(
                r"/2010-04-01/Accounts/AC0123456789abcdef/Messages\.json",
                _TWILIO,
                "messages",
                Since("DateSent>", "date"),
            ),
            "calls": Endpoint(
                r"/2010-04-01/Accounts/AC0123456789abcdef/Calls\.json", _TWILIO, "calls", Since("StartTime>", "date")
            ),
        },
    ),
    "slack": Vendor(
        host="slack.com",
        auth=bearer("xoxb-of-the-fake"),
        secrets={"SLACK_BOT_TOKEN": "xoxb-of-the-fake"},
        endpoints={
            "users": Endpoint(
                "/api/users.list", Cursor(200, "limit", path="response_metadata.next_cursor", end=""), "members"
            ),
            "channels": Endpoint(
                "/api/conversations.list",
                Cursor(200, "limit", path="response_metadata.next_cursor", end=""),
                "channels",
                params={"types": "public_channel", "exclude_archived": "false"},
            ),
        },
    ),
    "calendly": Vendor(
        host="api.calendly.com",
        auth=bearer("eyJ-of-the-fake"),
        secrets={"CALENDLY_ACCESS_TOKEN": "eyJ-of-the-fake"},
        variables={"organization": _ORGANIZATION},
        endpoints={
            "scheduled_events": Endpoint(
                "/scheduled_events",
                _CALENDLY,
                "collection",
                params={"organization": _ORGANIZATION, "sort": "start_time:asc"},
            ),
            "event_types": Endpoint("/event_types", _CALENDLY, "collection", params={"organization": _ORGANIZATION}),
            "memberships": Endpoint(
                "/organization_memberships", _CALENDLY, "collection", params={"organization": _ORGANIZATION}
            ),
        },
    ),
    "zoom": Vendor(
        host="api.zoom.us",
        auth=bearer("eyJ-zoom-of-the-fake"),
        secrets={"ZOOM_CLIENT_ID": "zoom-id-of-the-fake", "ZOOM_CLIENT_SECRET": "zoom-secret-of-the-fake"},
        variables={"account_id": "abc123"},
        token=Token(
            "https://zoom.us/oauth/token",
            {"grant_type": "account_credentials", "account_id": "abc123"},
            ("zoom-id-of-the-fake", "zoom-secret-of-the-fake"),
            "eyJ-zoom-of-the-fake",
        ),
        endpoints={
            "users": Endpoint("/v2/users", _ZOOM, "users", params={"status": "active"}),
            "meetings": Endpoint(r"/v2/users/[^/]+/meetings", _ZOOM, "meetings", params={"type": "scheduled"}),
        },
    ),
    "typeform": Vendor(
        host="api.typeform.com",
        auth=bearer("tfp_of_the_fake"),
        secrets={"TYPEFORM_ACCESS_TOKEN": "tfp_of_the_fake"},
        endpoints={
            "forms": Endpoint("/forms", Number(200, "page_size", pages="page_count"), "items"),
            "responses": Endpoint(
                r"/forms/[^/]+/responses",
                AfterId(1000, "page_size", param="before", key="token", more=""),
                "items",
                Since("since"),
            ),
        },
    ),
    "surveymonkey": Vendor(
        host="api.surveymonkey.com",
        auth=bearer("surveymonkey-of-the-fake"),
        secrets={"SURVEYMONKEY_ACCESS_TOKEN": "surveymonkey-of-the-fake"},
        endpoints={
            "surveys": Endpoint(
                "/v3/surveys",
                Link(100, "per_page", path="links.next", param="page"),
                "data",
                Since("start_modified_at", "%Y-%m-%dT%H:%M:%S"),
                {"include": None, "sort_by": "date_modified", "sort_order": "ASC"},
            ),
            "responses": Endpoint(
                "/v3/surveys/[0-9]+/responses/bulk",
                Link(100, "per_page", path="links.next", param="page"),
                "data",
                Since("start_modified_at", "%Y-%m-%dT%H:%M:%S"),
            ),
        },
    ),
}
