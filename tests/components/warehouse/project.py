"""A project of components in a temporary folder, materialised for real."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import jinja2
import pytest
import yaml
from dagster.components.component_scaffolding import scaffold_object
from dagster.components.testing import create_defs_folder_sandbox

from components.warehouse.component import WarehouseComponent
from components.warehouse.resource import WarehouseResource
from tests.components.errors import everything_said

PAYLOAD = Path(__file__).parents[3] / "templates" / "modern-data"
MARKS = {
    "variable_start_string": "[=",
    "variable_end_string": "=]",
    "block_start_string": "[%",
    "block_end_string": "%]",
    "comment_start_string": "[" + "#",
    "comment_end_string": "#" + "]",
    "line_statement_prefix": "#" + "%",
}


def payload(path: str, **answers: str) -> str:
    """A file of the starter with answers filled in."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, **MARKS)
    return environment.from_string((PAYLOAD / path).read_text()).render(answers)


def starter_attributes(path: str, **answers: str) -> dict[str, Any]:
    """The attributes of one of the starter's defs.yaml files."""
    file = f"src/[= package =]/defs/{path}/defs.yaml.jinja"
    return yaml.safe_load(payload(file, package="flights", owner="team:analytics", **answers))["attributes"]


class Project:
    """A sandbox with a warehouse whose production engine is Postgres; tests add components and materialise them."""

    def __init__(self, sandbox: Any) -> None:
        self._sandbox = sandbox
        self.root: Path = sandbox.project_root
        self.add(WarehouseComponent, "warehouse", {"engine": "postgres"})

    @property
    def warehouse(self) -> WarehouseResource:
        return WarehouseResource(production_engine="postgres", project_root=str(self.root))

    def add(self, component: type, path: str, attributes: dict[str, Any]) -> Path:
        """Write a component's defs.yaml, over an older one too, and return its folder."""
        folder = self._sandbox.defs_folder_path / path
        folder.mkdir(parents=True, exist_ok=True)
        document = {"type": f"{component.__module__}.{component.__name__}", "attributes": attributes}
        (folder / "defs.yaml").write_text(yaml.safe_dump(document))
        return folder

    def file(self, path: str, content: str | bytes) -> Path:
        """Write a file below the project's root."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    @contextmanager
    def definitions(self) -> Iterator[dg.Definitions]:
        with self._sandbox.build_all_defs() as definitions:
            yield definitions

    def spec(self, key: str) -> dg.AssetSpec:
        with self.definitions() as definitions:
            specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
        return specs[key]

    def load_error(self) -> str:
        """All messages of the error that loading the project ends in."""
        with pytest.raises(Exception) as caught, self.definitions():  # noqa: PT011 - Dagster wraps it several times
            pass
        return everything_said(caught.value)

    def materialize(self, *keys: str, partition: str | None = None) -> dict[str, dict[str, Any]]:
        """Materialise assets, all of them by default; their metadata by key."""
        with self.definitions() as definitions:
            done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
                asset_selection=[dg.AssetKey.from_user_string(key) for key in keys] or None, partition_key=partition
            )
        return {
            event.asset_key.to_user_string(): {
                name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()
            }
            for event in done.get_asset_materialization_events()
        }

    def failed(self, *keys: str) -> dg.Failure:
        """The failure that materialising ends in."""
        with pytest.raises(dg.Failure) as caught:
            self.materialize(*keys)
        return caught.value

    def failure(self, *keys: str) -> str:
        """Its description."""
        return str(self.failed(*keys).description)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.warehouse.query(sql).rows


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """An empty project on the local target."""
    for name in ("WAREHOUSE_TARGET", "WAREHOUSE_DUCKDB_FILE", "WAREHOUSE_PRODUCTION_FILE"):
        monkeypatch.delenv(name, raising=False)
    with create_defs_folder_sandbox() as sandbox:
        yield Project(sandbox)


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_project(request: pytest.FixtureRequest, project: Project) -> Project:
    """A project on the local DuckDB file, and one on a Postgres server."""
    if request.param == "postgres":
        request.getfixturevalue("postgres_database")
    return project


def scaffolded(component: type, folder: Path, **params: Any) -> dict[str, Any]:
    """The attributes that a component's scaffolder writes."""
    kind = f"{component.__module__}.{component.__name__}"
    scaffold_object(folder, kind, json.dumps(params), "yaml", folder)
    return yaml.safe_load((folder / "defs.yaml").read_text())["attributes"]
