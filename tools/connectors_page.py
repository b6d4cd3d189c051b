"""The catalogue of REST connectors as a page, from their own files and the names of the tests that each passes."""

import ast
from pathlib import Path

from components.ingestion.rest.access import RestAuth
from components.ingestion.rest.catalogue import connector_names, packaged_connector
from components.ingestion.rest.format import Connector, RestResource

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "tests" / "components" / "ingestion" / "rest" / "test_contract.py"
_AUTH = {"bearer": "Bearer token", "api_key": "API key", "http_basic": "Basic", "oauth2": "OAuth 2.0"}
_PAGING = {
    "single_page": "one page",
    "json_link": "link in the answer",
    "header_link": "Link header",
    "cursor": "cursor",
    "offset": "offset",
    "page_number": "page number",
}
INTRODUCTION = """\
# REST connectors

What `RestSourceComponent` loads by name. A connector is one YAML file of `components/ingestion/connectors/` and one of
sample records; [use, change or write one](../how-to/rest-sources.md).

*Declarative* means that the file says everything. *Code* names the few that need some: it is in
`components/ingestion/rest/records.py`. Requests are GET, but where it says *POST that reads*.

## What is proven

Every connector passes these tests against a server on this machine that is written from the vendor's public
documentation and refuses whatever the vendor would refuse: a wrong key, path, header, parameter or page.

"""
UNPROVEN = """
No test here calls a vendor. Where its key is in the environment, `pytest -m live tests/components/ingestion/rest` reads
one page of each resource from the vendor itself.
"""


def connectors_page(note: str) -> str:
    """The whole page.

    Args:
        note: What stands above every generated page.
    """
    every = {name: packaged_connector(name) for name in connector_names()}
    proven = [f"- {sentence}\n" for sentence in contract_sentences()]
    table = [
        "\n## The catalogue\n\n",
        "| Connector | Auth | Paging | Resources | How |\n",
        "| --- | --- | --- | --- | --- |\n",
    ]
    for name, connector in every.items():
        tables = len(connector.resources)
        anchor = f"[{connector.title}](#{name})"
        table.append(f"| {anchor} | {auth(connector.auth)} | {paging(connector)} | {tables} | {how(connector)} |\n")
    parts = [part(name, connector) for name, connector in every.items()]
    return "".join([note, INTRODUCTION, *proven, UNPROVEN, *table, *parts])


def contract_sentences() -> list[str]:
    """The tests that run for every connector, as the sentences that their names are."""
    tree = ast.parse(CONTRACT.read_text())
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return [test.name.removeprefix("test_").replace("_", " ").replace("vendors own", "vendor's own") for test in tests]


def part(name: str, connector: Connector) -> str:
    """One connector."""
    lines = [f"\n## `{name}`\n", f"[{connector.title}]({connector.docs}). {auth(connector.auth)}; {how(connector)}."]
    lines += [f"- secret `{secret}`: {about.strip('()')}" for secret, about in connector.secrets.items()]
    lines += [f"- variable `{variable}`: {about}" for variable, about in connector.variables.items()]
    lines += [f"- variable `{variable}`: `{value}` by default" for variable, value in connector.defaults.items()]
    lines += [f"- rate limit: {connector.rate_limit}"] if connector.rate_limit else []
    lines += [f"- POST that reads: {connector.reads_by_post}"] if connector.reads_by_post else []
    lines += [f"- proven: {proven(connector)}"]
    lines += ["", "| Table | Key | Incremental | Paging | What a row is |", "| --- | --- | --- | --- | --- |"]
    lines += [row(connector, resource) for resource in connector.resources]
    return "\n".join(lines) + "\n"


def proven(connector: Connector) -> str:
    """What the contract tests have shown of it: they read every table, and try trouble on the first."""
    first, count = connector.resources[0], len(connector.resources)
    second = (
        "asks for what is new only" if first.since else "reads all again" if not first.cursor else "keeps what is new"
    )
    tables = f"every page of all {count} tables" if count > 1 else "every page of its table"
    return f"{tables}; throttling, 500, expired and wrong key on `{first.name}`, whose second run {second}; never live"


def row(connector: Connector, resource: RestResource) -> str:
    """One resource."""
    keys = ", ".join(f"`{key}`" for key in resource.primary_key)
    about = resource.description.replace("|", "\\|")
    kind = _PAGING[connector.paging(resource).type]
    return f"| `{resource.name}` | {keys} | {incremental(resource)} | {kind} | {about} |"


def incremental(resource: RestResource) -> str:
    """How a table goes on."""
    if not resource.cursor:
        return "no: read as a whole"
    if resource.since:
        return f"`{resource.cursor}`, asked for by `{resource.since.param}`"
    return f"`{resource.cursor}`; every record is read, old ones are passed over"


def auth(found: RestAuth | None) -> str:
    """How requests are authenticated."""
    if found is None:
        return "API keys in headers"
    if found.type == "oauth2":
        return f"{_AUTH['oauth2']}, {found.grant['grant_type'].replace('_', ' ')}"
    return _AUTH[found.type]


def paging(connector: Connector) -> str:
    """The kinds of paging, the most frequent first."""
    used = [connector.paging(resource) for resource in connector.resources]
    kinds = [_PAGING[found.type] for found in used]
    return ", ".join(sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind)))


def how(connector: Connector) -> str:
    """Whether the file says everything."""
    coded = sorted({resource.reshape for resource in connector.resources if resource.reshape})
    return f"code: `{'`, `'.join(coded)}`" if coded else "declarative"
