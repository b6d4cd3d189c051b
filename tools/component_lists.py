"""Write the lists of component modules in questions/components.yml from the folders of components/.

Run it after adding or removing a module; a test compares the two.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTS = ROOT / "questions" / "components.yml"

# Which families a kind takes, in the order a reader meets them.
FAMILIES = {
    "modern-data": ["governance", "warehouse", "ingestion", "dbt", "bi", "activation", "orchestration"],
}

HEADER = """\
# The modules that each kind takes from components/, written by tools/component_lists.py.
component_modules:
  type: str
  when: false
  default: |
"""


def modules(kind: str) -> list[str]:
    """The files of a kind's component families, relative to components/, sorted."""
    folder = ROOT / "components"
    found = [path for family in FAMILIES[kind] for path in (folder / family).rglob("*") if path.is_file()]
    kept = [path for path in found if "__pycache__" not in path.parts and path.suffix != ".pyc"]
    return ["base.py", *sorted(path.relative_to(folder).as_posix() for path in kept)]


def text() -> str:
    """The whole file as it should be."""
    lines = []
    for kind in FAMILIES:
        lines.append(f'    [% if kind == "{kind}" %]')
        lines += [f"    {module}" for module in modules(kind)]
        lines.append("    [% endif %]")
    return HEADER + "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv and LISTS.read_text() != text():
        sys.exit(f"{LISTS.relative_to(ROOT)} is out of date: run python3 tools/component_lists.py")
    if "--check" not in sys.argv:
        LISTS.write_text(text())
