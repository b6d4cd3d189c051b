"""Reproductions: secrets, alerts, telemetry, the installed package and the update of a project."""

import importlib
import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any

import jinja2
import pytest
from dagster.components.core.package_entry import discover_entry_point_package_objects
from dagster_dg_core.component import EnvRegistry
from dagster_dg_core.context import DgContext

import components.stock
from components.governance.policy_secrets import EnvironmentSecrets, VaultSecrets
from components.notebooks import NotebookRunnerComponent
from components.orchestration import AlertRoutesComponent, TelemetryComponent
from components.secrets import read_secret, reading
from components.warehouse import SqlTableComponent
from hooks.migrations.defs_yaml import main, rename_attribute
from tests.components.orchestration.shop import CHECKED, Sensor, Shop, run_all
from tests.components.warehouse.project import MARKS
from tests.docs.troubles import Fixture, Said, loads, raised, reproduces
from tests.docs.troubles_with_yaml import RUN, TABLE
from tests.rendering import ROOT
from tests.update.worlds import ANSWERS, Project, TemplateRepository, write

VAULT = VaultSecrets(store="vault", path="data/team")


@reproduces("A secret is not set")
def _(get: Fixture) -> Said:
    get("monkeypatch").delenv("CRM_TOKEN", raising=False)
    yield raised(lambda: read_secret(EnvironmentSecrets(), "CRM_TOKEN"))
    get("monkeypatch").setenv("CRM_TOKEN", "given")
    assert read_secret(EnvironmentSecrets(), "CRM_TOKEN") == "given"


@reproduces("A value stands where the name of a secret belongs")
def _(get: Fixture) -> Said:
    project = get("project")
    folder = project.add(NotebookRunnerComponent, "run", {**RUN, "secrets": ["a secret value"]})
    (folder / "study.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}')
    yield project.load_error()
    project.add(NotebookRunnerComponent, "run", {**RUN, "secrets": ["CRM_TOKEN"]})
    loads(project)


@reproduces("The store of secrets does not answer")
def _(get: Fixture) -> Said:
    environment = get("monkeypatch")
    environment.setattr(reading, "_stores", {})
    environment.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    environment.setenv("VAULT_TOKEN", "a-token")
    yield raised(lambda: read_secret(VAULT, "CRM_TOKEN"))


@reproduces("The store of secrets has no address")
def _(get: Fixture) -> Said:
    environment = get("monkeypatch")
    environment.setattr(reading, "_stores", {})
    environment.delenv("VAULT_ADDR", raising=False)
    yield raised(lambda: read_secret(VAULT, "CRM_TOKEN"))


def failed_run(get: Fixture, python: str, **attributes: str) -> str:
    """What the alerts' sensor logs about a run with a failed check."""
    printed, shop, instance = get("capsys"), get("shop"), get("instance")
    shop.python(python)
    shop.write(AlertRoutesComponent, attributes)
    with shop.definitions() as definitions:
        sensor = Sensor(definitions, instance, "alert_routes_runs")
        sensor.tick()
        run_all(definitions, instance)
        sensor.tick()
    return str(printed.readouterr().err)


@reproduces("A run failed, and its owner was not told: no address")
def _(get: Fixture) -> Said:
    get("monkeypatch").delenv("DATA_ALERTS_URL", raising=False)
    yield failed_run(get, CHECKED)
    get("monkeypatch").setenv("DATA_ALERTS_URL", f"{get('receiver').url}/data")
    failed_run(get, CHECKED)
    assert len(get("receiver").at("data")) == 1


@reproduces("A run failed, and its owner was not told: no route")
def _(get: Fixture) -> Said:
    nobodys = CHECKED.replace("team:data", "team:nobody")
    get("monkeypatch").setenv("DATA_ALERTS_URL", f"{get('receiver').url}/data")
    yield failed_run(get, nobodys)
    assert get("receiver").received == []
    failed_run(get, nobodys, default_route="data")
    assert len(get("receiver").at("data")) == 1


@reproduces("The default route of the alerts is not known")
def _(get: Fixture) -> Said:
    shop: Shop = get("shop")
    shop.write(AlertRoutesComponent, {"default_route": "dta"})
    yield shop.load_error()
    shop.write(AlertRoutesComponent, {"default_route": "data"})
    loads(shop)


@reproduces("The telemetry sensor fails")
def _(get: Fixture) -> Said:
    shop, instance, environment = get("shop"), get("instance"), get("monkeypatch")
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        environment.delenv(name)
    environment.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.5")
    environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    shop.write(TelemetryComponent, {})
    with shop.definitions() as definitions:
        sensor = Sensor(definitions, instance, "telemetry_metrics")
        sensor.tick()
        run_all(definitions, instance)
        yield raised(sensor.tick)


def installed(folder: Path, code: str, entry_point: str = "") -> None:
    """A package in a folder, as an installer leaves it."""
    (folder / "tools_of_ours").mkdir()
    (folder / "tools_of_ours" / "__init__.py").write_text(code)
    info = folder / "tools_of_ours-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tools-of-ours\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_point)


GROUP = "[dagster_dg_cli.registry_modules]\n"
EXPORTS = "from components.warehouse import SqlTableComponent\n"


def registered() -> set[str]:
    """The components that dg finds by the entry points of the environment."""
    return {key.to_typename() for key in discover_entry_point_package_objects()}


@reproduces("No component of a package is listed, as it does not load")
def _(get: Fixture) -> Said:
    folder, environment = get("tmp_path"), get("monkeypatch")
    environment.syspath_prepend(folder)
    installed(folder, "import a_library_that_is_not_there\n", f"{GROUP}tools_of_ours = tools_of_ours\n")
    yield raised(registered)
    (folder / "tools_of_ours" / "__init__.py").write_text(EXPORTS)
    sys.modules.pop("tools_of_ours", None)
    assert "tools_of_ours.SqlTableComponent" in registered()
    sys.modules.pop("tools_of_ours", None)


@reproduces("The project's own components are not listed")
def _(get: Fixture) -> Said:
    folder, environment, printed = get("tmp_path"), get("monkeypatch"), get("capsys")
    environment.syspath_prepend(folder / "src")
    (folder / "src").mkdir()
    installed(folder / "src", EXPORTS)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "tools-of-ours"\nversion = "1.0"\n[project.entry-points."dagster_dg_cli.registry_modules"]\n'
        'tools_of_ours = "tools_of_ours"\n[tool.dg]\ndirectory_type = "project"\n'
        '[tool.dg.project]\nroot_module = "tools_of_ours"\n'
    )
    yield listing(folder, printed)
    (folder / "src" / "tools_of_ours-1.0.dist-info" / "entry_points.txt").write_text(
        f"{GROUP}tools_of_ours = tools_of_ours\n"
    )
    assert "was not" not in listing(folder, printed)
    sys.modules.pop("tools_of_ours", None)


def listing(folder: Path, printed: Any) -> str:
    """What dg warns of when it collects the components that a project can use."""
    EnvRegistry.from_dg_context(DgContext.for_project_environment(folder, {}))
    captured = printed.readouterr()
    return str(captured.out + captured.err)


def own_component(get: Fixture, broken: str) -> Said:
    """A component package with one component of its own, broken first."""
    folder: Path = get("tmp_path")
    get("monkeypatch").syspath_prepend(folder)
    source = ROOT / "templates" / "component-package" / "src" / "[= package =]"
    families = {"warehouse": {"components": ["SqlTableComponent"]}}
    names = {"library_families": [{"name": "warehouse", "chosen": True}], "library": families}
    names |= {"families": list(families), "project_name": "Acme"}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, **MARKS)
    code = environment.from_string((source / "__init__.py.jinja").read_text()).render(names)
    installed(folder, code, f"{GROUP}tools_of_ours = tools_of_ours\n")
    (folder / "tools_of_ours" / "own").mkdir()
    shutil.copy2(ROOT / "components" / "importing.py", folder / "tools_of_ours")
    (folder / "tools_of_ours" / "warehouse.py").write_text(EXPORTS)
    shutil.copy2(source / "own" / "__init__.py", folder / "tools_of_ours" / "own")
    file = folder / "tools_of_ours" / "own" / "broken_component.py"
    file.write_text(broken)
    with pytest.raises((ImportError, AttributeError)) as caught:
        registered()
    yield "".join(traceback.format_exception(caught.value))
    file.write_text(f"{EXPORTS}\n\nclass BrokenComponent(SqlTableComponent): ...\n")
    for name in [name for name in sys.modules if name.split(".")[0] == "tools_of_ours"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    assert "tools_of_ours.BrokenComponent" in registered()
    for name in [name for name in sys.modules if name.split(".")[0] == "tools_of_ours"]:
        del sys.modules[name]


@reproduces("Listing fails, as one component of the package cannot be imported")
def _(get: Fixture) -> Said:
    yield from own_component(get, "import a_library_that_is_not_there\n")


@reproduces("Listing fails, as a file under own/ holds no class of its name")
def _(get: Fixture) -> Said:
    yield from own_component(get, "class Broken: ...\n")


@reproduces("A file uses a package that is not installed")
def _(get: Fixture) -> Said:
    project = get("project")
    folder = project.add(SqlTableComponent, "table", TABLE)
    text = (folder / "defs.yaml").read_text()
    (folder / "defs.yaml").write_text(text.replace("components.warehouse.sql_table", "acme_components"))
    yield project.load_error()
    (get("tmp_path") / "acme_components.py").write_text(EXPORTS)
    get("monkeypatch").syspath_prepend(get("tmp_path"))
    try:
        loads(project)
    finally:
        sys.modules.pop("acme_components", None)


@reproduces("A stock component knows nothing yet")
def _(get: Fixture) -> Said:
    project = get("stock_project")("CensusComponent", workspace="sales")
    yield raised(project.definitions)


@reproduces("A stock component is not listed")
def _(get: Fixture) -> Said:
    there = components.stock.find_spec
    get("monkeypatch").setattr(components.stock, "find_spec", lambda name: name != "dagster_looker" and there(name))
    assert "LookerComponent" not in dir(components.stock)
    yield ", ".join(dir(components.stock))
    get("monkeypatch").undo()
    assert "LookerComponent" in dir(components.stock)


def outdated(get: Fixture) -> Project:
    """A project for which there is an update."""
    folder, environment = get("tmp_path"), get("monkeypatch")
    settings = folder / "gitconfig"
    settings.write_text("[user]\n  name = Ada\n  email = ada@example.com\n[init]\n  defaultBranch = main\n")
    environment.setenv("GIT_CONFIG_GLOBAL", str(settings))
    template = TemplateRepository.create(folder / "template")
    template.release("v1.0.0", {"a.txt": "one\n"})
    project = template.project(folder / "project", "v1.0.0")
    template.release("v1.1.0", {"a.txt": "two\n"})
    return project


@reproduces("The update refuses because files are changed")
def _(get: Fixture) -> Said:
    project = outdated(get)
    write(project.path, {"b.txt": "mine\n"})
    yield project.update().stderr
    project.edit({})
    assert project.update().returncode == 0
    assert project.read("a.txt") == b"two\n"


@reproduces("The update refuses because of an old conflict")
def _(get: Fixture) -> Said:
    project = outdated(get)
    project.edit({"a.txt": "<<<<<<< yours\na\n=======\nb\n>>>>>>> theirs\n"})
    yield project.update().stderr


@reproduces("The update cannot find the template")
def _(get: Fixture) -> Said:
    project = outdated(get)
    project.edit({ANSWERS: "_commit: v1.0.0\n_src_path: /srv/templates/moved\n"})
    yield project.update().stderr


@reproduces("A migration leaves a file to a person")
def _(get: Fixture) -> Said:
    folder, printed = get("tmp_path"), get("capsys")
    file = folder / "defs.yaml"
    text = "type: acme_components.FileExportComponent\nattributes:\n  file: a.csv\n"
    file.write_text(f"{text}  output: b.csv\n")
    migration = rename_attribute("FileExportComponent", "file", "output")
    assert main(migration, arguments=[str(folder)]) == 2
    yield printed.readouterr().err
    file.write_text(text)
    assert main(migration, arguments=[str(folder)]) == 0
    assert file.read_text() == text.replace("file:", "output:")
