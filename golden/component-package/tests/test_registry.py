"""What dg finds in this package: names, summaries and schemas, without importing a family's libraries."""

import json
import subprocess
import sys

import pytest
from dagster.components import Component
from dagster.components.list import list_plugins

import acme_components as package

NAMES = dir(package)

# Libraries that only a run may import; a module that imports one at its top slows every dg command of every project.
HEAVY = """
    alembic apprise boto3 databricks dbt dlt duckdb google hvac kubernetes looker_sdk mlflow nbconvert numpy
    opentelemetry pandas papermill pyarrow pyspark sklearn skops snowflake sqlalchemy tableauserverclient xgboost
"""
LISTING = """
import sys
from importlib.util import find_spec
if find_spec("dagster_dbt"):
    import dagster_dbt  # registers components of its own, so dg imports it anyway
before = set(sys.modules)
import json, acme_components as package
found = [getattr(package, name) for name in dir(package)]
schemas = [one.get_model_cls().model_json_schema() for one in found]
print(json.dumps(sorted({name.split(".")[0] for name in set(sys.modules) - before})))
"""


def test_there_are_components():
    assert len(NAMES) > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_registered_name_is_a_component_with_a_summary_and_a_schema(name: str):
    component = getattr(package, name)
    assert issubclass(component, Component)
    assert (component.__doc__ or "").strip().splitlines()[0].endswith(".")
    assert component.get_model_cls().model_json_schema()["properties"]


def test_dg_finds_every_component_through_the_entry_point():
    found = list_plugins(entry_points=True, extra_modules=[])
    assert hasattr(found, "objects"), found.message
    listed = {snap.key.name for snap in found.objects if snap.key.namespace == package.__name__}
    assert listed == set(NAMES)


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(AttributeError, match=NAMES[0]):
        package.NoSuchComponent  # noqa: B018 asking is the test


def test_listing_imports_no_library_that_only_a_run_needs():
    done = subprocess.run([sys.executable, "-c", LISTING], capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) & set(HEAVY.split()) == set()
