"""The component in a real project, by the commands a person types."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.components.dbt.harness import PROJECT, RAW, SAMPLE, TYPE
from tests.components.dbt.test_git import git

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[3]


class Project:
    """A dg project, and an environment whose dbt keeps a record of its starts."""

    def __init__(self, root: Path) -> None:
        self.root = root / "project"
        self.defs = self.root / "src/shop/defs/transform/defs.yaml"
        self.record = root / "dbt-starts"
        self.bin = self._environment(root / "environment")
        shutil.copytree(SAMPLE, self.root)
        self.defs.parent.mkdir(parents=True)
        for folder in (self.root / "src/shop", self.root / "src/shop/defs"):
            (folder / "__init__.py").touch()
        (self.root / "pyproject.toml").write_text(
            '[project]\nname = "shop"\nversion = "0"\n\n[tool.dg]\ndirectory_type = "project"\n\n'
            '[tool.dg.project]\nroot_module = "shop"\nregistry_modules = ["components.dbt"]\n'
        )
        (self.root / "src/shop/definitions.py").write_text(
            "from pathlib import Path\n\nimport dagster as dg\n\n\n@dg.definitions\ndef defs():\n"
            "    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)\n"
            "    return dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor))\n"
        )
        (self.root / "src/shop/defs/raw.py").write_text(
            "import dagster as dg\nimport duckdb\n\n\n"
            '@dg.multi_asset(specs=[dg.AssetSpec(["raw", "customers"]), dg.AssetSpec(["raw", "orders"])])\n'
            "def raw():\n"
            "    from pathlib import Path\n\n"
            '    Path("data").mkdir(exist_ok=True)\n'
            '    with duckdb.connect("data/warehouse.duckdb") as connection:\n'
            f"        connection.execute({RAW!r}.replace('create schema', 'create schema if not exists')"
            ".replace('create table', 'create or replace table'))\n"
            '    yield dg.MaterializeResult(asset_key=["raw", "customers"])\n'
            '    yield dg.MaterializeResult(asset_key=["raw", "orders"])\n'
        )
        self.write({"project": PROJECT})

    def write(self, attributes: dict[str, object]) -> None:
        self.defs.write_text(yaml.safe_dump({"type": TYPE, "attributes": attributes}))

    def dg(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER", "DBT_"))}
        home = self.root.parent / "home"
        home.mkdir(exist_ok=True)
        environment |= {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(self.root / "src")]),
            "PATH": os.pathsep.join([str(self.bin), environment["PATH"]]),
            "DAGSTER_HOME": str(home),
            "COLUMNS": "200",
        }
        environment.pop("VIRTUAL_ENV", None)
        return subprocess.run(
            [str(self.bin / "dg"), *arguments], cwd=self.root, env=environment, capture_output=True, text=True
        )

    @property
    def starts(self) -> list[str]:
        return [line.split()[0] for line in self.record.read_text().splitlines()] if self.record.exists() else []

    def _environment(self, folder: Path) -> Path:
        """The environment of these tests with another ``dbt`` in it; its packages are linked, not copied."""
        real = Path(sys.prefix)
        commands = folder / "bin"
        commands.mkdir(parents=True)
        shutil.copy2(real / "pyvenv.cfg", folder / "pyvenv.cfg")
        (folder / "lib").symlink_to(real / "lib")
        for name in ("python", "python3"):
            (commands / name).symlink_to((real / "bin" / name).resolve())
        for name in ("dg", "dagster"):
            script = (real / "bin" / name).read_text().replace(str(real / "bin"), str(commands))
            (commands / name).write_text(script)
        (commands / "dbt").write_text(f'#!/bin/sh\necho "$*" >> "{self.record}"\nexec "{real / "bin/dbt"}" "$@"\n')
        for command in ("dg", "dagster", "dbt"):
            (commands / command).chmod(0o755)
        return commands


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("dg"))


@pytest.fixture
def since(project: Project) -> Callable[[], list[str]]:
    """The dbt commands started since the test began."""
    before = len(project.starts)
    return lambda: project.starts[before:]


def test_the_first_check_parses_and_the_second_does_not_start_dbt(
    project: Project, since: Callable[[], list[str]]
) -> None:
    first = project.dg("check", "defs")
    assert first.returncode == 0, first.stdout + first.stderr
    assert since() == ["parse"]
    assert project.dg("check", "defs").returncode == 0
    assert since() == ["parse"]


def test_the_yaml_is_valid_for_dg(project: Project, since: Callable[[], list[str]]) -> None:
    checked = project.dg("check", "yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert since() == []


def test_a_mistake_is_shown_by_dg_check_yaml_with_what_is_valid(project: Project) -> None:
    project.write({"project": PROJECT, "dbt": {"test_severity": "none"}})
    checked = project.dg("check", "yaml")
    project.write({"project": PROJECT})
    assert checked.returncode != 0
    assert "warn" in checked.stdout + checked.stderr
    assert "defs.yaml:" in checked.stdout + checked.stderr


def test_launching_everything_builds_models_and_judges_freshness(
    project: Project, since: Callable[[], list[str]]
) -> None:
    launched = project.dg("launch", "--assets", "*")
    told = launched.stdout + launched.stderr
    assert launched.returncode == 0, told
    assert sorted(since()) == ["build", "source"]
    assert "marts customers" in told or "marts/customers" in told
    assert "freshness" in told


def test_scaffolding_by_dg_writes_a_project_that_loads(project: Project, since: Callable[[], list[str]]) -> None:
    done = project.dg("scaffold", "defs", TYPE, "my_dbt", "--project-path", "transform")
    written = project.root / "src/shop/defs/my_dbt/defs.yaml"
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'project: "{{ context.project_root }}/transform"' in written.read_text()
    shutil.rmtree(written.parent)


def test_refresh_defs_state_clones_what_loading_asks_for(project: Project, tmp_path: Path) -> None:
    repository = tmp_path / "analytics"
    shutil.copytree(SAMPLE / "transform", repository)
    git(repository, "init", "--quiet")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "one")
    project.write({"project": {"git": repository.as_uri()}})
    try:
        before = project.dg("check", "defs")
        assert before.returncode != 0
        assert "has not been cloned yet; run: dg utils refresh-defs-state" in before.stdout + before.stderr
        refreshed = project.dg("utils", "refresh-defs-state")
        assert refreshed.returncode == 0, refreshed.stdout + refreshed.stderr
        after = project.dg("check", "defs")
        assert after.returncode == 0, after.stdout + after.stderr
    finally:
        project.write({"project": PROJECT})
