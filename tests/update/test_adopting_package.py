"""A component package made by hand becomes one that dagwright updates, and its own component is listed as before."""

from pathlib import Path

import pytest

from tests.update.releases import template_of_releases
from tests.update.test_adopting import adopt, lines_of, run
from tests.update.worlds import Project, commit, figure, git, write

pytestmark = pytest.mark.e2e

ANSWERS = ("--data", "kind=component-package", "--data", "project_name=Acme Tools", "--data", "families=[activation]")
COMPONENT = '''\
"""Our greeting."""

from dataclasses import dataclass

import dagster as dg


@dataclass
class GreetingComponent(dg.Component, dg.Resolvable):
    """Greets whom you name."""

    whom: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One asset."""

        @dg.asset(key=["greetings", self.whom], owners=["team:ours"], kinds={"python"}, description="A greeting.")
        def greeting() -> str:
            return f"Hello, {self.whom}"

        return dg.Definitions(assets=[greeting])
'''
OUR_TEST = '''\
"""Our test."""

import dagster as dg
from acme_tools import GreetingComponent
from dagster.components.testing import create_defs_folder_sandbox


def test_it_greets():
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(GreetingComponent, defs_yaml_contents={
            "type": "acme_tools.GreetingComponent", "attributes": {"whom": "ana"}})
        with sandbox.load_component_and_build_defs(path) as (_, defs):
            asset = defs.get_assets_def(dg.AssetKey(["greetings", "ana"]))
            assert dg.materialize([asset]).output_for_node(asset.node_def.name) == "Hello, ana"
'''
SETTINGS = """\
[project]
name = "acme-tools"
version = "3.4.0"
requires-python = ">=3.11"
dependencies = [
    "dagster==1.13.27",
    "humanize>=4",  # ours
]

[project.entry-points."dagster_dg_cli.registry_modules"]
acme_tools = "acme_tools"

[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
"""
OURS = "# Ours: beside the components of the template.\nfrom .greeting import GreetingComponent as GreetingComponent\n"


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("made") / "acme-tools")
    write(
        project.path,
        {
            "pyproject.toml": SETTINGS,
            "README.md": "# Acme tools\n\nAsk Ana.\n",
            "src/acme_tools/__init__.py": '"""Our components."""\n\n' + OURS,
            "src/acme_tools/greeting.py": COMPONENT,
            "tests/test_greeting.py": OUR_TEST,
        },
    )
    git(project.path, "init", "--quiet")
    commit(project.path, "ours")
    return project


def test_a_package_made_by_hand_keeps_every_line_and_lists_its_component_beside_the_new_ones(
    by_hand: Project, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
):
    template = template_of_releases(tmp_path_factory.mktemp("releases") / "dagwright")
    project = by_hand.copied_to(tmp_path / "acme-tools")
    done = adopt(project, template, *ANSWERS)
    assert done.returncode == 1, done.stdout + done.stderr
    after = project.files()
    for name, content in by_hand.files().items():
        assert lines_of(content) <= lines_of(after[name]), name
    conflicts = git(project.path, "diff", "--name-only", "--diff-filter=U").split()
    assert conflicts == ["README.md", "pyproject.toml", "src/acme_tools/__init__.py"]

    git(project.path, "checkout", "--quiet", "--theirs", "pyproject.toml", "src/acme_tools/__init__.py")
    git(project.path, "checkout", "--quiet", "--ours", "README.md")
    settings = project.read("pyproject.toml").decode()
    registry = project.read("src/acme_tools/__init__.py").decode()
    with_ours = settings.replace("dependencies = [\n", 'dependencies = [\n    "humanize>=4",  # ours\n', 1)
    write(project.path, {"pyproject.toml": with_ours, "src/acme_tools/__init__.py": registry + "\n\n" + OURS})
    commit(project.path, "Adopt dagwright")
    git(project.path, "tag", "v3.4.0")

    synced = run(project, "uv", "sync", "--quiet")
    assert synced.returncode == 0, synced.stderr
    listed = run(project, "uv", "run", "dg", "list", "components")
    assert "acme_tools.GreetingComponent" in listed.stdout, listed.stdout + listed.stderr
    assert "acme_tools.FileExportComponent" in listed.stdout
    tested = run(project, "uv", "run", "pytest", "-q", "tests/test_greeting.py", "tests/test_registry.py")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    figure("packages made by hand and adopted")
