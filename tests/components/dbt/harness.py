"""A small platform with a real dbt project on DuckDB, for the tests of the dbt component."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox

from components.dbt import GovernedDbtProjectComponent
from components.dbt.faults import DbtProjectError

SAMPLE = Path(__file__).parent / "sample"
TYPE = "components.dbt.GovernedDbtProjectComponent"
PROJECT = "{{ context.project_root }}/transform"
RAW = """
create schema raw;
create table raw.customers as select * from (values (1, 'Ada', 'N'), (2, 'Bob', 'S')) as t(id, name, region);
create table raw.orders as
    select *, now()::timestamp - interval 2 day as loaded_at
    from (values (1, 1, date '2024-01-01', 10.0), (2, 1, date '2024-01-02', 5.0), (3, 2, date '2024-01-03', 7.5))
        as t(id, customer_id, ordered_on, amount);
"""


@dg.multi_asset(specs=[dg.AssetSpec(["raw", "customers"]), dg.AssetSpec(["raw", "orders"])], can_subset=True)
def raw_tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """What an ingestion would be; the tests load the tables themselves."""
    for key in context.selected_asset_keys:
        yield dg.MaterializeResult(asset_key=key)


class Platform:
    """A Dagster project whose component ``transform`` stands in ``defs/transform/defs.yaml``."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.root: Path = sandbox.project_root
        self.dbt: Path = self.root / "transform"
        self.file: Path = sandbox.defs_folder_path / "transform" / "defs.yaml"

    def write(self, attributes: dict[str, Any]) -> None:
        """Write ``defs.yaml``; without a project in it, the sample's."""
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(yaml.safe_dump({"type": TYPE, "attributes": {"project": PROJECT, **attributes}}))

    def component(self, **attributes: Any) -> tuple[GovernedDbtProjectComponent, dg.Definitions]:
        """Write and load."""
        self.write(attributes)
        with self.sandbox.load_component_and_build_defs(self.file.parent) as loaded:
            return loaded

    def load(self, **attributes: Any) -> dg.Definitions:
        """Write and load; the definitions."""
        return self.component(**attributes)[1]

    def refusal(self, **attributes: Any) -> str:
        """The message that loading ends with."""
        with pytest.raises(Exception) as caught:  # noqa: PT011
            self.load(**attributes)
        cause: BaseException | None = caught.value
        while cause is not None and not isinstance(cause, DbtProjectError):
            cause = cause.__cause__ or cause.__context__
        assert cause is not None, f"not one clear message, but {caught.value!r}"
        return str(cause)

    def run(self, defs: dg.Definitions, *names: str, **options: Any) -> dg.ExecuteInProcessResult:
        """Materialise everything, or the assets named ``schema/name``, with their checks."""
        chosen = dg.AssetSelection.keys(*names) if names else dg.AssetSelection.all()
        job = dg.define_asset_job("run", chosen)
        rest = dg.Definitions(assets=[raw_tables], jobs=[job], executor=dg.in_process_executor)
        merged = dg.Definitions.merge(defs, rest)
        return merged.resolve_job_def("run").execute_in_process(raise_on_error=False, **options)

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.root / "data" / "warehouse.duckdb"

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run SQL in the warehouse."""
        self.warehouse.parent.mkdir(exist_ok=True)
        with duckdb.connect(str(self.warehouse)) as connection:
            return connection.execute(statement).fetchall()


@contextmanager
def new_platform(template: Path = SAMPLE) -> Iterator[Platform]:
    """A platform of its own; from a parsed one as template, dbt need not parse again."""
    with create_defs_folder_sandbox() as sandbox:
        for name in ("profiles.yml", "transform"):
            if (template / name).is_dir():
                shutil.copytree(template / name, sandbox.project_root / name)
            elif (template / name).exists():
                shutil.copy2(template / name, sandbox.project_root / name)
        yield Platform(sandbox)


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """Check results by ``schema/name:check``."""
    return {
        f"{found.asset_key.to_user_string()}:{found.check_name}": found
        for found in result.get_asset_check_evaluations()
    }


def built(result: dg.ExecuteInProcessResult) -> set[str]:
    """Keys of what dbt materialised."""
    keys = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    return {key for key in keys if not key.startswith("raw/")}


def failure(result: dg.ExecuteInProcessResult) -> str:
    """The message of the step that failed."""
    return next(
        event.step_failure_data.user_failure_data.description for event in result.all_events if event.is_step_failure
    )
