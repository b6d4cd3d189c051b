"""A project with a policy, and stock components in it that load from state."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import dagster as dg
import pytest
import yaml
from dagster.components.core.component_tree import ComponentTree
from dagster.components.utils.project_paths import get_local_state_path

import components.stock
import components.stock.asking
from components.governance import governed
from tests.fakes.vendors import Vendor, running_vendors

POLICY = """\
version: 1
mode: error
require: [owner, group, kinds, tags, description]
required_tags: [domain]
naming: {depth: 2, part: "^[A-Za-z0-9_]+$"}
external_assets: [analytics/*, marts/*]
"""
STANDARD = {"owners": ["team:bi"], "tags": {"domain": "sales"}}


class StockProject:
    """A dg project on disk that holds one stock component."""

    def __init__(self, root: Path, name: str, attributes: dict[str, Any]) -> None:
        self.root = root
        folder = root / "src" / "company" / "defs" / "stock"
        folder.mkdir(parents=True)
        for package in (folder.parent, folder.parent.parent):
            (package / "__init__.py").touch()
        (root / "policy.yaml").write_text(POLICY)
        (root / "pyproject.toml").write_text(
            '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "company"\n'
        )
        contents = {"type": f"components.stock.{name}", "attributes": STANDARD | attributes}
        (folder / "defs.yaml").write_text(yaml.safe_dump(contents))
        self.type: Any = getattr(components.stock, name)

    @property
    def component(self) -> Any:
        [found] = ComponentTree.for_project(self.root).get_all_components(of_type=self.type)
        return found

    def keep(self, state: str) -> None:
        """Put state where a refresh would."""
        path = get_local_state_path(self.component.defs_state_config.key, self.root)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(state)

    def refresh(self) -> None:
        """What ``dg utils refresh-defs-state`` does."""
        for component in ComponentTree.for_project(self.root).get_all_components(of_type=self.type):
            asyncio.run(component.refresh_state(self.root))

    def definitions(self) -> dg.Definitions:
        return governed(ComponentTree.for_project(self.root).build_defs(), self.root)

    def specs(self) -> dict[str, dg.AssetSpec]:
        return {spec.key.to_user_string(): spec for spec in self.definitions().resolve_all_asset_specs()}

    @property
    def state(self) -> Path:
        return get_local_state_path(self.component.defs_state_config.key, self.root)

    def run(self, *keys: str) -> "Ran":
        """Materialise assets in this process."""
        job = self.definitions().resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.ephemeral() as instance:
            result = job.execute_in_process(
                asset_selection=[dg.AssetKey.from_user_string(key) for key in keys],
                instance=instance,
                raise_on_error=False,
            )
            log = "\n".join(str(entry) for entry in instance.all_logs(result.run_id))
        made = {
            event.asset_key.to_user_string(): {
                name: value.value for name, value in event.materialization.metadata.items()
            }
            for event in result.get_asset_materialization_events()
        }
        checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
        return Ran(result.success, made, checks, log)


class Ran(NamedTuple):
    """How a run ended: metadata of what was made by key, checks by name, and the whole log."""

    success: bool
    made: dict[str, dict[str, Any]]
    checks: dict[str, bool]
    log: str


@pytest.fixture
def at_vendor(
    stock_project: Callable[..., StockProject], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., StockProject]]:
    """A function that makes a project whose component talks to a local fake of its vendor, with the right keys."""
    monkeypatch.setattr(components.stock.asking, "time", SimpleNamespace(sleep=lambda seconds: None))
    for name in ("NO_PROXY", "no_proxy", "WAREHOUSE_TARGET"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as stack:

        def make(fake: Vendor, name: str, /, **attributes: Any) -> StockProject:
            for variable, value in (stack.enter_context(running_vendors(tmp_path, fake)) | fake.secrets).items():
                monkeypatch.setenv(variable, value)
            return stock_project(name, **attributes)

        yield make


@pytest.fixture
def stock_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., StockProject]:
    """A function that makes the project around one component."""
    made: list[StockProject] = []

    def make(name: str, /, **attributes: Any) -> StockProject:
        made.append(StockProject(tmp_path / str(len(made)), name, attributes))
        monkeypatch.syspath_prepend(made[-1].root / "src")
        for module in [module for module in sys.modules if module.split(".")[0] == "company"]:
            del sys.modules[module]
        return made[-1]

    return make
