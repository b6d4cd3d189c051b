"""Payments and subscriptions."""

from tests.components.ingestion.rest.paging import AfterId, Cursor, Link
from tests.components.ingestion.rest.vendor import Endpoint, Since, Vendor, basic, bearer, header

_STRIPE_CREATED = Since("created[gte]", "unix")
_STRIPE = AfterId(size_param="limit")
_CHARGEBEE = Cursor(size_param="limit", param="offset", path="next_offset")
_RECURLY = Link(200, "limit", path="next", end=None, relative=True, more="has_more", param="cursor")
_MOLLIE = Link(250, "limit", path="_links.next.href", param="from")
_GOCARDLESS = Cursor(500, "limit", param="after", path="meta.cursors.after", end=None)


def _chargebee(name: str) -> Endpoint:
    since = Since("updated_at[after]", "unix")
    kind = name.removesuffix("s")
    sort = {"sort_by[asc]": "updated_at"}
    return Endpoint(f"/api/v2/{name}", _CHARGEBEE, "list", since, sort, wrap=lambda record: {kind: record})


VENDORS = {
    "stripe": Vendor(
        host="api.stripe.com",
        auth=bearer("rk_live_51HstripeOfTheFake"),
        secrets={"STRIPE_API_KEY": "rk_live_51HstripeOfTheFake"},
        endpoints={
            "customers": Endpoint("/v1/customers", _STRIPE, "data", _STRIPE_CREATED),
            "invoices": Endpoint("/v1/invoices", _STRIPE, "data", _STRIPE_CREATED),
            "charges": Endpoint("/v1/charges", _STRIPE, "data", _STRIPE_CREATED),
            "products": Endpoint("/v1/products", _STRIPE, "data"),
        },
    ),
    "chargebee": Vendor(
        host="acme.chargebee.com",
        auth=basic("live_of_the_fake"),
        secrets={"CHARGEBEE_API_KEY": "live_of_the_fake"},
        variables={"site": "acme"},
        endpoints={name: _chargebee(name) for name in ("subscriptions", "customers", "invoices")},
    ),
    "recurly": Vendor(
        host="v3.recurly.com",
        auth=lambda request: (
            basic("recurly0of0the0fake")(request) and header(Accept="application/vnd.recurly.v2021-02-25")(request)
        ),
        secrets={"RECURLY_API_KEY": "recurly0of0the0fake"},
        endpoints={
            name: Endpoint(f"/{name}", _RECURLY, "data", Since("begin_time"), {"sort": "updated_at", "order": "asc"})
            for name in ("accounts", "subscriptions", "invoices")
        },
    ),
    "square": Vendor(
        host="connect.squareup.com",
        auth=lambda request: bearer("EAAA-of-the-fake")(request) and "square-version" in request.headers,
        secrets={"SQUARE_ACCESS_TOKEN": "EAAA-of-the-fake"},
        endpoints={
            "payments": Endpoint(
                "/v2/payments",
                Cursor(size_param="limit", path="cursor"),
                "payments",
                Since("updated_at_begin_time"),
                {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
            ),
            "customers": Endpoint(
                "/v2/customers",
                Cursor(size_param="limit", path="cursor"),
                "customers",
                params={"sort_field": "CREATED_AT", "sort_order": "ASC"},
            ),
        },
    ),
    "mollie": Vendor(
        host="api.mollie.com",
        auth=bearer("live_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM"),
        secrets={"MOLLIE_API_KEY": "live_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM"},
        endpoints={
            name: Endpoint(f"/v2/{name}", _MOLLIE, f"_embedded.{name}") for name in ("payments", "refunds", "customers")
        },
    ),
    "gocardless": Vendor(
        host="api.gocardless.com",
        auth=lambda request: bearer("live_gocardless")(request) and header(GoCardless_Version="2015-07-06")(request),
        secrets={"GOCARDLESS_ACCESS_TOKEN": "live_gocardless"},
        endpoints={
            name: Endpoint(f"/{name}", _GOCARDLESS, name, Since("created_at[gte]"))
            for name in ("payments", "mandates", "customers")
        },
    ),
}
