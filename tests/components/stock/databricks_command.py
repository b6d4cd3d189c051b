"""Stands for the ``databricks`` command: resolves the bundle in its folder as ``bundle validate --output json`` does.

Includes are read, variables filled in, and relative files become their places in the workspace.
"""

import json
import os
import re
import sys
from pathlib import Path

import yaml

LOGINS = {
    "pat": {"DATABRICKS_TOKEN": "made-up"},
    "oauth-m2m": {"DATABRICKS_CLIENT_ID": "dagster", "DATABRICKS_CLIENT_SECRET": "s3cret-of-dagster"},
}


def refuse(message: str) -> None:
    sys.exit(f"Error: {message}")


def merged(one: dict, other: dict) -> dict:
    both = dict(one)
    for key, value in other.items():
        both[key] = merged(both[key], value) if isinstance(value, dict) and isinstance(both.get(key), dict) else value
    return both


def main() -> None:
    if sys.argv[1:] != ["bundle", "validate", "--output", "json"]:
        refuse(f"unknown command {sys.argv[1:]}")
    given = {name: value for name, value in os.environ.items() if name.startswith("DATABRICKS_")}
    host, way = given.pop("DATABRICKS_HOST"), given.pop("DATABRICKS_AUTH_TYPE")
    if given != LOGINS[way]:
        refuse(f"401: the token {given.get('DATABRICKS_TOKEN')} is not valid for {host}")
    bundle = yaml.safe_load(Path("databricks.yml").read_text())
    for pattern in bundle.get("include", []):
        for file in sorted(Path().glob(pattern)):
            bundle = merged(bundle, yaml.safe_load(file.read_text()))
    root = f"/Workspace/Users/ann@example.com/.bundle/{bundle['bundle']['name']}/dev"
    values = {"bundle.name": bundle["bundle"]["name"], "workspace.root_path": root, "bundle.target": "dev"}
    values |= {f"var.{name}": variable["default"] for name, variable in bundle.get("variables", {}).items()}

    def resolved(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {name: resolved(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [resolved(inner) for inner in value]
        if not isinstance(value, str):
            return value
        for name in re.findall(r"\$\{([a-z._]+)\}", value):
            if name not in values:
                refuse(f"reference does not exist: ${{{name}}}")
            value = value.replace(f"${{{name}}}", str(values[name]))
        if key in ("notebook_path", "python_file") and value.startswith("."):
            value = f"{root}/files/{os.path.normpath(Path('resources', value))}"
        return value

    print(json.dumps(resolved({**bundle, "workspace": {"current_user": {"userName": "ann@example.com"}}})))


main()
