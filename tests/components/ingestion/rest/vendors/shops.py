"""Shops, and reports about advertising and visits."""

import datetime as dt
from typing import Any

from tests.components.ingestion.rest.paging import Cursor, Link, Number, Offset, Page, Wrong
from tests.components.ingestion.rest.vendor import Endpoint, Request, Since, Token, Vendor, basic, bearer, header

_SHOPIFY = Link(250, "limit", keeps=False)
_WOOCOMMERCE = Number(size_param="per_page")
_BY_ID = {"orderby": "id", "order": "asc"}
_GOOGLE = "https://oauth2.googleapis.com/token"


class _InBody(Offset):
    """Offset and limit in the body of a report."""

    def names(self) -> set[str]:
        return {"offset", "limit"}

    def page(self, query: dict[str, str], records: list[dict[str, Any]], url: str) -> Page:
        if query.get("limit") != str(self.size):
            raise Wrong(f"limit is {query.get('limit')!r}")
        found = super().page({"offset": query.get("offset", "0")}, records, url)
        return found if found.records else Page([], {})


def _refresh(client: str, secret: str, refresh: str) -> Token:
    form = {"grant_type": "refresh_token", "client_id": client, "client_secret": secret, "refresh_token": refresh}
    return Token(_GOOGLE, form, token="ya29.of-the-fake")


def _ads(request: Request) -> bool:
    return bearer("ya29.of-the-fake")(request) and header(
        developer_token="dev-token-of-the-fake", login_customer_id="1234567890"
    )(request)


def _asks_for(table: str) -> Any:
    return lambda request: f" FROM {table}" in str((request.body or {}).get("query"))


VENDORS = {
    "shopify": Vendor(
        host="acme-store.myshopify.com",
        auth=header(X_Shopify_Access_Token="shpat_of_the_fake"),
        secrets={"SHOPIFY_ACCESS_TOKEN": "shpat_of_the_fake"},
        variables={"shop": "acme-store"},
        endpoints={
            "orders": Endpoint(
                "/admin/api/2026-01/orders.json", _SHOPIFY, "orders", Since("updated_at_min"), {"status": "any"}
            ),
            "customers": Endpoint("/admin/api/2026-01/customers.json", _SHOPIFY, "customers", Since("updated_at_min")),
            "products": Endpoint("/admin/api/2026-01/products.json", _SHOPIFY, "products", Since("updated_at_min")),
        },
    ),
    "woocommerce": Vendor(
        host="shop.example.com",
        auth=basic("ck_of_the_fake", "cs_of_the_fake"),
        secrets={"WOOCOMMERCE_CONSUMER_KEY": "ck_of_the_fake", "WOOCOMMERCE_CONSUMER_SECRET": "cs_of_the_fake"},
        variables={"store": "shop.example.com"},
        endpoints={
            name: Endpoint(
                f"/wp-json/wc/v3/{name}",
                _WOOCOMMERCE,
                since=Since("modified_after", "%Y-%m-%dT%H:%M:%S"),
                params={**_BY_ID, "dates_are_gmt": "true"},
            )
            for name in ("orders", "products")
        }
        | {"customers": Endpoint("/wp-json/wc/v3/customers", _WOOCOMMERCE, params={**_BY_ID, "role": "all"})},
    ),
    "bigcommerce": Vendor(
        host="api.bigcommerce.com",
        auth=lambda request: header(X_Auth_Token="bc-of-the-fake", Accept="application/json")(request),
        secrets={"BIGCOMMERCE_ACCESS_TOKEN": "bc-of-the-fake"},
        variables={"store_hash": "abc123xyz"},
        endpoints={
            "orders": Endpoint(
                "/stores/abc123xyz/v2/orders",
                Number(250, "limit", empty_status=204),
                since=Since("min_date_modified"),
                params={"sort": "date_modified:asc"},
            ),
            "products": Endpoint(
                "/stores/abc123xyz/v3/catalog/products",
                Number(250, "limit", pages="meta.pagination.total_pages"),
                "data",
                Since("date_modified:min"),
                {"sort": "id"},
            ),
            "customers": Endpoint(
                "/stores/abc123xyz/v3/customers",
                Number(250, "limit", pages="meta.pagination.total_pages"),
                "data",
                Since("date_modified:min"),
                {"sort": "date_modified:asc"},
            ),
        },
    ),
    "google_ads": Vendor(
        host="googleads.googleapis.com",
        auth=_ads,
        secrets={
            "GOOGLE_ADS_DEVELOPER_TOKEN": "dev-token-of-the-fake",
            "GOOGLE_ADS_CLIENT_ID": "1.apps.googleusercontent.com",
            "GOOGLE_ADS_CLIENT_SECRET": "GOCSPX-of-the-fake",
            "GOOGLE_ADS_REFRESH_TOKEN": "1//of-the-fake",
        },
        variables={"customer_id": "1234567890", "login_customer_id": "1234567890"},
        token=_refresh("1.apps.googleusercontent.com", "GOCSPX-of-the-fake", "1//of-the-fake"),
        endpoints={
            "campaign_days": Endpoint(
                "/v22/customers/1234567890/googleAds:search",
                Cursor(param="pageToken", path="nextPageToken"),
                "results",
                Since("query", "date", rf"BETWEEN '(\S+)' AND '{dt.date.today():%Y-%m-}\d\d'$"),
                {"query": None},
                method="POST",
                takes=_asks_for("campaign WHERE segments.date"),
            ),
            "ad_groups": Endpoint(
                "/v22/customers/1234567890/googleAds:search",
                Cursor(param="pageToken", path="nextPageToken"),
                "results",
                params={"query": None},
                method="POST",
                takes=_asks_for("ad_group"),
            ),
        },
    ),
    "ga4": Vendor(
        host="analyticsdata.googleapis.com",
        auth=bearer("ya29.of-the-fake"),
        secrets={
            "GA4_CLIENT_ID": "2.apps.googleusercontent.com",
            "GA4_CLIENT_SECRET": "GOCSPX-2-of-the-fake",
            "GA4_REFRESH_TOKEN": "1//2-of-the-fake",
        },
        variables={"property_id": "123456789"},
        token=_refresh("2.apps.googleusercontent.com", "GOCSPX-2-of-the-fake", "1//2-of-the-fake"),
        endpoints={
            name: Endpoint(
                "/v1beta/properties/123456789:runReport",
                _InBody(2500, total="rowCount"),
                "rows",
                Since("dateRanges.0.startDate", "date", r"^(\d{4}-\d\d-\d\d)$|^30daysAgo$"),
                {"dimensions.0.name": "date", "dimensions.1.name": dimension, "dateRanges.0.endDate": "today"},
                method="POST",
                takes=lambda request, dimension=dimension: request.body["dimensions"][1]["name"] == dimension,
            )
            for name, dimension in {"traffic_days": "sessionDefaultChannelGroup", "page_days": "pagePath"}.items()
        },
    ),
}
