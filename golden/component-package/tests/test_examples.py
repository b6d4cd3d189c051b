"""Every example does what it says: it is loaded under the company's policy, and everything in it is materialised."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTree

from acme_components.governance import governed

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = sorted({path.relative_to(EXAMPLES).parts[0] for path in EXAMPLES.rglob("defs.yaml")})
PYPROJECT = '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "example"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A project of its own that holds one example; its data is thrown away."""
    monkeypatch.setenv("WAREHOUSE_TARGET", "local")
    monkeypatch.setenv("DAGSTER_IS_DEV_CLI", "1")  # state, such as a dbt project's manifest, is made while loading
    monkeypatch.syspath_prepend(tmp_path / "src")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    shutil.copytree(EXAMPLES / request.param, tmp_path / "src" / "example" / "defs")
    for folder in (tmp_path / "src" / "example", tmp_path / "src" / "example" / "defs"):
        (folder / "__init__.py").touch()
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "example"]:
        del sys.modules[name]


@pytest.mark.parametrize("project", NAMES, indirect=True)
def test_an_example_is_loaded_and_materialised(project: Path, tmp_path_factory: pytest.TempPathFactory):
    loaded = ComponentTree.for_project(project).build_defs()
    definitions = governed(dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor)), project)

    instance = dg.DagsterInstance.ephemeral(str(tmp_path_factory.mktemp("instance")))
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)

    assert result.success
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    failed = [check.check_name for check in result.get_asset_check_evaluations() if not check.passed]
    assert made
    assert {spec.key for spec in definitions.resolve_all_asset_specs() if is_made_here(spec)} - made == set()
    assert failed == []


def is_made_here(spec: dg.AssetSpec) -> bool:
    """Whether a run makes this asset; others are only known to Dagster."""
    return spec.metadata.get("dagster/asset_execution_type") is None
