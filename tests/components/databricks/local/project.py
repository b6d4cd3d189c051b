"""A project with a lakehouse on this machine, in a temporary folder, materialised for real."""

from pathlib import Path
from typing import Any

import dagster as dg

from components.warehouse.component import WarehouseComponent
from components.warehouse.resource import WarehouseResource
from tests.components.warehouse.project import Project

POLICY = """\
version: 1
compute_sizes:
  small: {threads: 2, memory_gb: 2, hourly_cost_usd: 0.1}
"""


class LakehouseProject(Project):
    """A sandbox whose warehouse is the Delta tables of its own folder."""

    def __init__(self, sandbox: Any) -> None:
        super().__init__(sandbox)
        self.add(WarehouseComponent, "warehouse", {"engine": "databricks", "local_engine": "lakehouse"})
        self.file("policy.yaml", POLICY)

    @property
    def warehouse(self) -> WarehouseResource:
        return WarehouseResource(production_engine="databricks", project_root=str(self.root), local_engine="lakehouse")

    @property
    def lakehouse(self) -> Path:
        return self.root / "data" / "lakehouse"

    def add(self, component: type, path: str, attributes: dict[str, Any], **files: str) -> Path:
        """A component, and files beside its defs.yaml; ``__`` in a file's name stands for a dot."""
        folder = super().add(component, path, attributes)
        for name, content in files.items():
            (folder / name.replace("__", ".")).write_text(content)
        return folder

    def land(self, name: str, content: str, volume: str = "main/landing/orders") -> Path:
        """A file in a volume."""
        file = self.lakehouse / "volumes" / volume / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file

    def run(self, *keys: str, **config: Any) -> dg.ExecuteInProcessResult:
        """Materialise assets, all of them by default; a run that failed is a result too."""
        with self.definitions() as definitions:
            return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
                asset_selection=[dg.AssetKey.from_user_string(key) for key in keys] or None,
                raise_on_error=False,
                instance=dg.DagsterInstance.ephemeral(),
                run_config={"ops": {name: {"config": value} for name, value in config.items()}},
            )

    def table(self, table: str, *columns: str, version: int | None = None) -> list[tuple]:
        """The rows of a Delta table, sorted, read by delta-rs."""
        from deltalake import DeltaTable

        folder = self.lakehouse / "tables" / "main" / table.replace(".", "/")
        data = DeltaTable(folder, version=version).to_pyarrow_table(columns=list(columns) or None)
        return sorted(zip(*data.to_pydict().values(), strict=True), key=repr)


def metadata(result: dg.ExecuteInProcessResult, key: str) -> dict[str, Any]:
    wanted = dg.AssetKey.from_user_string(key)
    [made] = [event for event in result.get_asset_materialization_events() if event.asset_key == wanted]
    return {name: value.value for name, value in made.materialization.metadata.items()}


def checks(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, int, int]]:
    """Passed, rows that passed and rows that failed, by asset and check."""
    return {
        f"{one.asset_key.to_user_string()}:{one.check_name}": (
            one.passed,
            one.metadata["passed"].value,
            one.metadata["failed"].value,
        )
        for one in result.get_asset_check_evaluations()
    }


def failure(result: dg.ExecuteInProcessResult) -> str:
    assert not result.success
    [event] = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    error = event.step_failure_data.error
    data = event.step_failure_data.user_failure_data
    return (data.description if data else None) or str(error)


def made(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
