"""Code, work and documents."""

from tests.components.ingestion.rest.paging import Cursor, Link, Number, Offset, Single
from tests.components.ingestion.rest.vendor import Endpoint, Since, Vendor, basic, bearer, header

_GITHUB = Link(size_param="per_page", param="page")
_GITLAB = Link(size_param="per_page", param="page")
_GITLAB_SORT = {"order_by": "updated_at", "sort": "asc"}
_ASANA = Cursor(size_param="limit", param="offset", path="next_page.offset")
_CONFLUENCE = Link(250, "limit", path="_links.next", relative=True, param="cursor")
_HARVEST = Link(500, "per_page", path="links.next", end=None, param="cursor")

VENDORS = {
    "github": Vendor(
        host="api.github.com",
        auth=lambda request: (
            bearer("github_pat_of_the_fake")(request)
            and header(Accept="application/vnd.github+json", X_GitHub_Api_Version="2022-11-28")(request)
        ),
        secrets={"GITHUB_TOKEN": "github_pat_of_the_fake"},
        variables={"owner": "octocat", "repository": "Hello-World"},
        endpoints={
            "issues": Endpoint(
                "/repos/octocat/Hello-World/issues",
                _GITHUB,
                since=Since("since"),
                params={"state": "all", "sort": "updated", "direction": "asc"},
            ),
            "issue_comments": Endpoint(
                "/repos/octocat/Hello-World/issues/comments",
                _GITHUB,
                since=Since("since"),
                params={"sort": "updated", "direction": "asc"},
            ),
            "pull_requests": Endpoint(
                "/repos/octocat/Hello-World/pulls",
                _GITHUB,
                params={"state": "all", "sort": "updated", "direction": "desc"},
            ),
        },
    ),
    "gitlab": Vendor(
        host="gitlab.com",
        auth=header(PRIVATE_TOKEN="glpat-of-the-fake"),
        secrets={"GITLAB_TOKEN": "glpat-of-the-fake"},
        variables={"project": "278964"},
        endpoints={
            "issues": Endpoint(
                "/api/v4/projects/278964/issues",
                _GITLAB,
                since=Since("updated_after"),
                params={"scope": "all", **_GITLAB_SORT},
            ),
            "merge_requests": Endpoint(
                "/api/v4/projects/278964/merge_requests",
                _GITLAB,
                since=Since("updated_after"),
                params={"scope": "all", **_GITLAB_SORT},
            ),
            "pipelines": Endpoint(
                "/api/v4/projects/278964/pipelines", _GITLAB, since=Since("updated_after"), params=dict(_GITLAB_SORT)
            ),
        },
    ),
    "bitbucket": Vendor(
        host="api.bitbucket.org",
        auth=bearer("ATCTT3-of-the-fake"),
        secrets={"BITBUCKET_ACCESS_TOKEN": "ATCTT3-of-the-fake"},
        variables={"workspace": "acme", "repository": "website"},
        endpoints={
            "pull_requests": Endpoint(
                "/2.0/repositories/acme/website/pullrequests",
                Link(50, "pagelen", path="next", param="page"),
                "values",
                Since("q", "iso", r"^updated_on >= (\S+)$"),
                {"sort": "updated_on", "state": "SUPERSEDED"},
            ),
            "commits": Endpoint(
                "/2.0/repositories/acme/website/commits", Link(100, "pagelen", path="next", param="page"), "values"
            ),
            "pipelines": Endpoint(
                "/2.0/repositories/acme/website/pipelines",
                Number(100, "pagelen"),
                "values",
                params={"sort": "created_on"},
            ),
        },
    ),
    "jira": Vendor(
        host="acme.atlassian.net",
        auth=basic("me@example.com", "ATATT3-of-the-fake"),
        secrets={"JIRA_API_TOKEN": "ATATT3-of-the-fake"},
        variables={"site": "acme", "email": "me@example.com"},
        endpoints={
            "issues": Endpoint(
                "/rest/api/3/search/jql",
                Cursor(size_param="maxResults", param="nextPageToken", path="nextPageToken", last="isLast"),
                "issues",
                Since("jql", "%Y-%m-%d %H:%M", r'^updated >= "([^"]+)" ORDER BY updated ASC$'),
                {"jql": None, "fields": "*navigable"},
            ),
            "projects": Endpoint(
                "/rest/api/3/project/search", Offset(50, "maxResults", param="startAt", total="total"), "values"
            ),
            "users": Endpoint("/rest/api/3/users/search", Offset(50, "maxResults", param="startAt")),
        },
    ),
    "confluence": Vendor(
        host="acme.atlassian.net",
        auth=basic("me@example.com", "ATATT4-of-the-fake"),
        secrets={"CONFLUENCE_API_TOKEN": "ATATT4-of-the-fake"},
        variables={"site": "acme", "email": "me@example.com"},
        endpoints={
            "pages": Endpoint("/wiki/api/v2/pages", _CONFLUENCE, "results", params={"sort": "-modified-date"}),
            "spaces": Endpoint("/wiki/api/v2/spaces", _CONFLUENCE, "results"),
        },
    ),
    "asana": Vendor(
        host="app.asana.com",
        auth=bearer("2/1234/of-the-fake"),
        secrets={"ASANA_ACCESS_TOKEN": "2/1234/of-the-fake"},
        variables={"workspace": "1331", "project": "4242"},
        endpoints={
            "tasks": Endpoint(
                "/api/1.0/tasks", _ASANA, "data", Since("modified_since"), {"project": "4242", "opt_fields": None}
            ),
            "projects": Endpoint("/api/1.0/projects", _ASANA, "data", params={"workspace": "1331", "opt_fields": None}),
            "users": Endpoint("/api/1.0/users", _ASANA, "data", params={"workspace": "1331", "opt_fields": None}),
        },
    ),
    "clickup": Vendor(
        host="api.clickup.com",
        auth=header(Authorization="pk_1234_of_the_fake"),
        secrets={"CLICKUP_API_TOKEN": "pk_1234_of_the_fake"},
        variables={"workspace": "9012345678"},
        endpoints={
            "tasks": Endpoint(
                "/api/v2/team/9012345678/task",
                Number(first=0, last="last_page"),
                "tasks",
                Since("date_updated_gt", "unix_millis"),
                {"order_by": "updated", "reverse": "true", "include_closed": "true", "subtasks": "true"},
            ),
            "spaces": Endpoint("/api/v2/team/9012345678/space", Single(), "spaces", params={"archived": "false"}),
        },
    ),
    "airtable": Vendor(
        host="api.airtable.com",
        auth=bearer("patOfTheFake.1234"),
        secrets={"AIRTABLE_ACCESS_TOKEN": "patOfTheFake.1234"},
        variables={"base": "appLkNDICXNqxSDhG", "table": "tblltpWOyoVXnZ8Wj"},
        endpoints={
            "records": Endpoint(
                "/v0/appLkNDICXNqxSDhG/tblltpWOyoVXnZ8Wj",
                Cursor(size_param="pageSize", param="offset", path="offset"),
                "records",
            ),
            "bases": Endpoint("/v0/meta/bases", Cursor(param="offset", path="offset"), "bases"),
        },
    ),
    "harvest": Vendor(
        host="api.harvestapp.com",
        auth=lambda request: bearer("1234.pt.of-the-fake")(request) and header(Harvest_Account_Id="1234567")(request),
        secrets={"HARVEST_ACCESS_TOKEN": "1234.pt.of-the-fake"},
        variables={"account_id": "1234567"},
        endpoints={
            name: Endpoint(f"/v2/{name}", _HARVEST, name, Since("updated_since"))
            for name in ("time_entries", "projects", "clients")
        },
    ),
}
