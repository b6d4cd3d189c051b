"""A copy of the project in a throw-away folder, loaded once for all tests: your index and tables stay as they are."""

import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest

ROOT = Path(__file__).parent.parent
COPIED = ("src", "pyproject.toml", "policy.yaml")
# With one of these set, a model or a store would be asked that costs money or is shared.
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "AWS_REGION", "MODEL_URL", "PGHOST", "DATABRICKS_HOST")
KEYS += ("CHROMA_URL", "QDRANT_URL", "MILVUS_URL", "PINECONE_API_KEY", "WEAVIATE_URL", "WAREHOUSE_DUCKDB_FILE")

Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture(scope="session")
def package() -> str:
    """The name of the project's package."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(settings["tool"]["dg"]["project"]["root_module"])


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The copy; its own package is what tests import."""
    copy = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source = ROOT / name
        shutil.copytree(source, copy / name) if source.is_dir() else shutil.copy2(source, copy / name)
    with pytest.MonkeyPatch.context() as environment:
        for key in KEYS:
            environment.delenv(key, raising=False)
        environment.setenv("WAREHOUSE_TARGET", "local")
        environment.syspath_prepend(str(copy / "src"))
        yield copy


@pytest.fixture(scope="session")
def definitions(project: Path, package: str) -> dg.Definitions:
    """What Dagster loads."""
    loaded = import_module(f"{package}.definitions")
    assert Path(sys.modules[package].__file__ or "").is_relative_to(project)
    definitions: dg.Definitions = loaded.defs()
    return definitions


@pytest.fixture(scope="session")
def run(definitions: dg.Definitions) -> Run:
    """Materialises everything, or the assets whose keys are given."""

    def materialise(*keys: str) -> dg.ExecuteInProcessResult:
        with dg.DagsterInstance.ephemeral() as instance:
            return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey.from_user_string(key) for key in keys] or None,
                raise_on_error=False,
            )

    return materialise


@pytest.fixture(scope="session")
def first_run(run: Run) -> dg.ExecuteInProcessResult:
    """Everything, for the first time."""
    return run()


def metadata(result: dg.ExecuteInProcessResult, key: str) -> dict[str, object]:
    """What a run says of an asset that it made."""
    wanted = dg.AssetKey.from_user_string(key)
    [event] = [event for event in result.get_asset_materialization_events() if event.asset_key == wanted]
    return {name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()}
