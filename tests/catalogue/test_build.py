"""The whole command: pages, schemas, llms.txt, and what it says about bad input."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.catalogue.package import NAME, Package

POLICY = """\
version: 1
require: [owner, description]
required_tags: [domain]
classifications: [public, internal]
compute_sizes:
  small: {threads: 2, memory_gb: 2, hourly_cost_usd: 0.1}
  large: {threads: 8, memory_gb: 32, hourly_cost_usd: 1.6, workers: 4}
budgets:
  team:data: {monthly_usd: 500}
alert_routes:
  data: {url_env: DATA_ALERTS_URL, owners: [team:data]}
"""
ATTRIBUTES = """
mode: Annotated[Literal["append", "replace"], dg.Resolver.default(description="How rows are written.")]
compute_size: Annotated[str, dg.Resolver.default(description="A name of compute_sizes.")] = "small"
columns: list[Column] = field(default_factory=list)
owners: Owners = field(default_factory=list)
tags: Tags = field(default_factory=dict)
"""
COLUMN = '''
class Column(StrictModel):
    """A column."""

    name: Annotated[str, dg.Resolver.default(description="Its name.", json_schema_extra={"pattern": "^[a-z]+$"})]
'''
EXAMPLE = """\
type: components.TableComponent
attributes:
  mode: append
  columns:
    - {name: a}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """A package with two components, a policy and a repository that uses one of them; read it, do not change it."""
    package = Package(tmp_path_factory.mktemp("finished") / "package")
    package.write(f"src/{NAME}/policy.yaml", POLICY)
    package.component(
        "TableComponent", ATTRIBUTES, summary="A table of rows.", groups=COLUMN, example=EXAMPLE, prose="For marts."
    )
    package.component("ViewComponent", "pass", family="views", summary="A view.")
    package.write("../sales/defs/a/defs.yaml", f"type: {NAME}.TableComponent\n---\ntype: {NAME}.TableComponent\n")
    package.write("docs/components/table.md", "# Tables at Acme\n\nAsk the data team first.\n\n## Costs\n\nSome.\n")
    package.write("docs/guides/naming.md", "# How to name things\n\nWith care.\n")
    package.write("CHANGELOG.md", "# Changelog\n\n## 1.0.0\n\n- tables are quicker\n")
    done = package.catalogue("--no-site", "--repositories", package.root.parent / "sales")
    assert done.returncode == 0, done.stderr
    return package


@pytest.fixture
def built(finished: Package, tmp_path: Path) -> Package:
    """The same, to be changed."""
    shutil.copytree(finished.root.parent, tmp_path / "copy")
    return Package.at(tmp_path / "copy" / "package", finished.components)


def test_a_page_says_all_about_its_component(finished: Package):
    page = finished.page("components/TableComponent.md")

    for part in (
        "# TableComponent\n\nA table of rows.\n",
        "For marts.",
        f"uv run dg scaffold defs {NAME}.TableComponent my_table",
        f"type: {NAME}.TableComponent",
        "| `mode` | `append`, `replace` | required |  | How rows are written. |",
        "| In `Column` |",
        "| `name` | string | required | matches `^[a-z]+$` | Its name. |",
        "not released yet",
        "| sales | 2 |",
        "used 2 times in 1 repository",
        "## Notes\n\nAsk the data team first.\n\n### Costs",
    ):
        assert part in page


def test_the_policy_that_applies_stands_on_the_page(finished: Package):
    page = finished.page("components/TableComponent.md")

    assert "Every asset has: `owner`, `description`." in page
    assert "Tags that every asset has: `domain`." in page
    assert "`classification` is one of `public`, `internal`" in page
    assert "| `small` | 2 | 2 | 0.1 | 0 |" in page
    assert "| `large` | 8 | 32 | 1.6 | 4 |" in page
    assert "No attribute of this component is ruled by the [policy]" in finished.page("components/ViewComponent.md")


def test_the_policy_page_has_every_part_and_never_an_address(finished: Package):
    page = finished.page("policy.md")

    assert "| `team:data` | 500 |" in page
    assert "`DATA_ALERTS_URL`" in page
    assert "## Compute sizes" in page


def test_the_list_is_by_family_with_what_each_is_for(finished: Package):
    page = finished.page("components/index.md")

    assert page.index("## Views") < page.index("## Warehouse")  # by name, not by order of writing
    assert "| [TableComponent](TableComponent.md) | A table of rows. | Unreleased | 2 |" in page


def test_the_changelog_of_people_comes_first(finished: Package):
    page = finished.page("changes.md")

    assert page.index("tables are quicker") < page.index("Attributes by release")
    assert "[TableComponent](components/TableComponent.md) added" in page


def test_the_schemas_check_what_dg_checks(finished: Package):
    schema = json.loads(finished.page("schemas/defs.schema.json"))
    alone = json.loads(finished.page("schemas/TableComponent.json"))
    Draft202012Validator.check_schema(schema)
    right = {"type": f"{NAME}.TableComponent", "attributes": {"mode": "append", "columns": [{"name": "a"}]}}

    def problems(document: dict[str, object]) -> list[str]:
        return [error.message for error in Draft202012Validator(schema).iter_errors(document)]

    assert problems(right) == []
    assert problems(yaml.safe_load(EXAMPLE.replace("components.", f"{NAME}."))) == []
    assert "'apend' is not one of ['append', 'replace']" in problems({**right, "attributes": {"mode": "apend"}})
    assert any(
        "does not match" in m for m in problems({**right, "attributes": {"mode": "append", "columns": [{"name": "B"}]}})
    )
    assert problems({"type": f"{NAME}.TabelComponent"}) != []
    assert problems({"type": "dagster_sling.SlingReplicationCollectionComponent", "attributes": {}}) == []
    assert Draft202012Validator(alone).is_valid(right["attributes"])


def test_language_models_get_an_index_and_everything(finished: Package):
    index, full = finished.page("llms.txt"), finished.page("llms-full.txt")

    assert index.startswith("# acme-components\n\n> ")
    assert "- [TableComponent](components/TableComponent.md): A table of rows." in index
    assert "(guides/naming.md)" in index
    for text in ("With care.", "How rows are written.", "| `team:data` | 500 |", "tables are quicker"):
        assert text in full


def test_a_page_of_a_component_that_is_gone_goes_too(built: Package):
    built.remove("ViewComponent")

    built.catalogue("--no-site")

    assert not (built.generated / "components/ViewComponent.md").exists()
    assert "ViewComponent" not in built.page("llms.txt")


def test_a_component_that_does_not_import_is_named_and_the_rest_is_built(built: Package):
    built.component("BrokenComponent", "rows: int = missing_name", family="views")

    done = built.catalogue("--no-site")

    assert done.returncode == 1
    assert f"{NAME}.BrokenComponent does not load: NameError: name 'missing_name' is not defined" in done.stderr
    assert (built.generated / "components/TableComponent.md").exists()
    assert "- `BrokenComponent`: NameError" in built.page("components/index.md")


def test_a_component_without_an_example_is_named_and_built(built: Package):
    built.component("BareComponent", "pass", family="views", example="")

    done = built.catalogue("--no-site")

    assert done.returncode == 1
    assert f"{NAME}.BareComponent has no example: put one after '.. code-block:: yaml'" in done.stderr
    assert "## Attributes" in built.page("components/BareComponent.md")


def test_a_broken_policy_stops_with_its_own_message(built: Package):
    file = built.write(f"src/{NAME}/policy.yaml", POLICY.replace("hourly_cost_usd: 0.1", "hourly_cost_usd: cheap"))
    before = built.page("llms.txt")

    done = built.catalogue("--no-site")

    assert done.returncode == 1
    assert f"{file}:6: compute_sizes.small.hourly_cost_usd: 'cheap': expected a valid number" in done.stderr
    assert "Traceback" not in done.stderr
    assert built.page("llms.txt") == before


def test_a_repository_that_is_not_there_and_a_file_that_is_no_yaml_are_named(built: Package, tmp_path: Path):
    built.write("../sales/defs/b/defs.yaml", "type: @acme\n")

    broken = built.catalogue("--no-site", "--repositories", tmp_path / "copy" / "sales")
    missing = built.catalogue("--no-site", "--repositories", tmp_path / "none")

    assert (broken.returncode, missing.returncode) == (0, 1)
    assert "no YAML: sales/defs/b/defs.yaml: line 1" in broken.stderr
    assert "- sales/defs/b/defs.yaml: line 1" in built.page("usage.md")
    assert f"{tmp_path / 'none'} is no folder" in missing.stderr


def test_a_package_that_does_not_import_is_one_message(package: Package):
    package.component("TableComponent", "pass")
    package.write(f"src/{NAME}/__init__.py", "import nothing_of_that_name\n")

    done = package.catalogue("--no-site")

    assert done.returncode == 1
    assert done.stderr.startswith(f"{NAME} does not import: ModuleNotFoundError")


def test_outside_a_package_it_says_where_it_belongs(package: Package):
    (package.root / "pyproject.toml").unlink()

    assert "the catalogue is built in the folder of a component package" in package.catalogue().stderr


def test_the_site_is_built_without_a_warning_and_carries_the_markdown(built: Package):
    built.tag("v1.0.0")
    assert built.catalogue("--no-site").returncode == 0

    done = built.catalogue("--repositories", built.root.parent / "sales")

    assert (done.returncode, done.stderr) == (0, "")
    site = built.docs / "_build" / "html"
    assert "docs/_build/html/index.html" in done.stdout
    for file in ("components/TableComponent.html", "components/TableComponent.md", "llms.txt", "usage.html"):
        assert (site / file).exists()
    assert (site / "schemas/defs.schema.json").exists()
    assert "How to name things" in (site / "guides/naming.html").read_text()


def test_without_sphinx_it_says_how_to_start(built: Package):
    built.write("no-sphinx/sphinx.py", "raise ModuleNotFoundError('No module named sphinx')\n")
    done = built.catalogue(path=built.root / "no-sphinx")

    assert done.returncode == 1
    assert "Sphinx is not installed; start with uv run --group docs" in done.stderr
