"""Write the lists of component modules in questions/components.yml from the folders of components/.

Run it after adding or removing a module; a test compares the two.
"""

import ast
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "components"
LISTS = ROOT / "questions" / "components.yml"
CONNECTORS = LIBRARY / "ingestion" / "connectors"
SOURCES = ROOT / "questions" / "2-data.yml"

# Which families a kind takes; what they import comes along. A component package chooses its own.
FAMILIES = {
    "modern-data": ["governance", "warehouse", "ingestion", "bi", "activation", "orchestration"],
    "databricks": ["governance", "warehouse", "databricks", "spark", "ml", "notebooks", "orchestration"],
    "ai": ["governance", "warehouse", "llm", "retrieval", "bi", "orchestration"],
}
# Components that a kind takes of a family without the rest of it.
PARTS = {"databricks": ["DatabricksAssetBundleComponent", "DatabricksWorkspaceComponent"]}
# Components that a project has only where one of these asks for them: its kind, or its answers to warehouse,
# dbt_project (sample, cloud, folder, git), sources or tools; in modern-data their family comes along. The others of
# FAMILIES are always there, save those of stock.
ASKED_FOR = {
    "BigQueryTableComponent": ["bigquery"],
    "GovernedDbtProjectComponent": ["sample", "folder", "git"],
    "DbtCloudComponent": ["cloud"],
    "SlingReplicationComponent": ["sling"],
    "FivetranAccountComponent": ["fivetran"],
    "AirbyteWorkspaceComponent": ["airbyte"],
    "PowerBIWorkspaceComponent": ["powerbi"],
    "TableauComponent": ["tableau"],
    "LookerComponent": ["looker"],
    "HightouchSyncComponent": ["hightouch"],
    "CensusComponent": ["census"],
    **{name: [f"kind {kind}"] for kind, names in PARTS.items() for name in names},
    "OpenLineageComponent": ["openlineage"],
}
# Families that come with a choice of the question `families`, beside the one of the same name.
COME_ALONG = {"ml": "composition", "llm": "warehouse"}

HEADER = """\
# What each family of components/ holds, and what takes it along; written by tools/component_lists.py.
library:
  type: yaml
  when: false
  default: |
"""
CHOICE = f"""
# What a project's kind and its answers ask for.
asked_components:
  type: yaml
  when: false
  default: |
    [%- set answers = ["kind " ~ kind, warehouse, dbt_source] + sources + tools %]
    [% for name, wanted in {json.dumps(ASKED_FOR)}.items() %]
    [= name =]: [= (wanted | select("in", answers) | list | length > 0) | to_json =]
    [% endfor %]

# The chosen connectors of the REST catalogue: each brings its own files and a folder below defs/ingestion/.
rest_connectors:
  type: str
  when: false
  default: |
    [% for name in sources if "ingestion/connectors/" ~ name ~ ".yaml" in library.ingestion.modules %]
    [= name =]
    [% endfor %]

# The families of this project, and the modules that it takes from components/.
library_families:
  type: yaml
  when: false
  default: |
    [%- set package = ["governance"] + families
    {" ".join(f'+ (["{extra}"] if "{choice}" in families else [])' for choice, extra in COME_ALONG.items())} -%]
    [%- set data = namespace(families={FAMILIES["modern-data"]}) -%]
    [%- set asked = asked_components.items() | selectattr(1) | map(attribute=0) | list -%]
    [%- for name, family in library.items() if family.components | select("in", asked) | list -%]
    [%- set data.families = data.families + [name] -%]
    [%- endfor -%]
    [%- set kinds = {{"modern-data": data.families, "component-package": package}} -%]
    [%- set fixed = {json.dumps({name: list for name, list in FAMILIES.items() if name != "modern-data"})} -%]
    [%- set whole = kinds[kind] | default(fixed[kind]) | default([]) -%]
    [%- set chosen = whole + library.items() | selectattr("1.parts." ~ kind, "defined") | map(attribute=0) | list -%]
    [% for name, family in library.items() if name in chosen or family.needed_by | select("in", whole) | list %]
    - {{name: [= name =], chosen: [= (name in chosen) | to_json =]}}
    [% endfor %]

component_modules:
  type: str
  when: false
  default: |
    [% for name, family in library.items() if name in library_families | map(attribute="name") %]
    [% for module in family.parts[kind] | default(family.modules)
       if kind != "modern-data" or not module.startswith("ingestion/connectors/")
       or module.split("/")[2].split(".")[0] in rest_connectors.split() %]
    [= module =]
    [% endfor %]
    [% endfor %]
    [% if library_families %]
    [= library_root | join("\\n") =]
    [% endif %]
"""


def families() -> list[str]:
    """The folders of components/ that are packages."""
    return sorted(path.parent.name for path in LIBRARY.glob("*/__init__.py"))


def modules(family: str) -> list[str]:
    """The files of a family, relative to components/."""
    found = [path for path in (LIBRARY / family).rglob("*") if path.is_file()]
    kept = [path for path in found if "__pycache__" not in path.parts and path.suffix != ".pyc"]
    return sorted(path.relative_to(LIBRARY).as_posix() for path in kept)


def root_modules() -> list[str]:
    """The files that every family shares, relative to components/."""
    return sorted(path.name for path in LIBRARY.glob("*.py") if path.name != "__init__.py")


def components(family: str) -> list[str]:
    """The component classes that a family exports, read from its ``__all__`` without importing it."""
    tree = ast.parse((LIBRARY / family / "__init__.py").read_text())
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return sorted({name for name in strings if name.endswith("Component") and name.isidentifier()})


def about(family: str) -> str:
    """What a family is for: its docstring, less the name before the colon."""
    line = (ast.get_docstring(ast.parse((LIBRARY / family / "__init__.py").read_text())) or family).splitlines()[0]
    return line.split(": ", 1)[-1].rstrip(".")


def imports(family: str) -> set[str]:
    """The other families that a family imports, also inside functions."""
    known, found = set(families()), set()
    for name in modules(family):
        if not name.endswith(".py"):
            continue
        depth = name.count("/") + 1  # dots that lead from the module to components/
        for node in ast.walk(ast.parse((LIBRARY / name).read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == depth:
                found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
    return (found & known) - {family}


def parts(family: str) -> dict[str, list[str]]:
    """For each kind that takes only some components of a family, the modules of these."""
    found: dict[str, list[str]] = {}
    for kind, names in PARTS.items():
        own = set(modules(family))
        reached = {name for name in own if any(f"class {each}(" in (LIBRARY / name).read_text() for each in names)}
        waiting = sorted(reached)
        while waiting:
            for node in ast.walk(ast.parse((LIBRARY / waiting.pop()).read_text())):
                if isinstance(node, ast.ImportFrom) and node.level == 1:
                    new = {f"{family}/{node.module}.py"} & own - reached
                    reached |= new
                    waiting += new
        if reached:
            found[kind] = sorted({f"{family}/__init__.py", *reached})
    return found


def needed_by() -> dict[str, list[str]]:
    """For each family, those that import it, directly or through others."""
    direct = {family: imports(family) for family in families()}

    def reached(family: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        for other in direct[family] - seen:
            seen = reached(other, seen | {other})
        return seen

    needs = {family: reached(family) - {family} for family in direct}
    return {family: sorted(name for name in needs if family in needs[name]) for family in needs}


def text() -> str:
    """The whole file as it should be."""
    users, lines = needed_by(), []
    for family in families():
        lines.append(f"    {family}:")
        lines.append(f"      needed_by: [{', '.join(users[family])}]")
        lines.append(f"      components: [{', '.join(components(family))}]")
        lines.append(f"      about: {json.dumps(about(family))}")
        lines.append(f"      parts: {json.dumps(parts(family))}")
        lines += ["      modules:", *(f"        - {module}" for module in modules(family))]
    root = ["", "library_root:", "  type: yaml", "  when: false", "  default: |"]
    root += [f"    - {module}" for module in root_modules()]
    return HEADER + "\n".join([*lines, *root]) + "\n" + CHOICE


def source_choices() -> str:
    """The question file of the sources, with a choice for each REST connector of the catalogue."""
    titles = {path.stem: re.search(r"^title: *(.+?) *$", path.read_text(), re.M) for path in CONNECTORS.glob("*.yaml")}
    if unnamed := sorted(name for name, title in titles.items() if not title):
        sys.exit(f"components/ingestion/connectors: no `title: …` in {', '.join(unnamed)}")
    named = sorted((title[1].strip("\"'"), name) for name, title in titles.items() if title)
    lines = "".join(f"    {json.dumps(title)}: {name}\n" for title, name in named)
    marks = r"(?ms)(^    # The REST connectors [^\n]*\n).*?(^    # Here they end)"
    return re.sub(marks, lambda found: found[1] + lines + found[2], SOURCES.read_text())


if __name__ == "__main__":
    written = {LISTS: text(), SOURCES: source_choices()}
    for path, wanted in written.items():
        if "--check" in sys.argv and path.read_text() != wanted:
            sys.exit(f"{path.relative_to(ROOT)} is out of date: run python3 tools/component_lists.py")
        if "--check" not in sys.argv:
            path.write_text(wanted)
