"""Write docs/reference/ from the questions and the components themselves.

uv run python tools/reference.py            # write
uv run python tools/reference.py --check    # say what is out of date
"""

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "templates" / "component-package" / "tools")]

from catalogue.docstrings import read_doc  # noqa: E402 the path comes first
from catalogue.pages import family_title  # noqa: E402
from catalogue.tables import attribute_table  # noqa: E402
from component_lists import about, components, families  # noqa: E402
from connectors_page import connectors_page  # noqa: E402

from tests.mutations.library import strict_examples  # noqa: E402
from tests.mutations.measure import measure  # noqa: E402
from tests.rendering import asked_questions  # noqa: E402

REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by tools/reference.py; change the source instead. -->\n\n"


def questions_page() -> str:
    """Every question that is asked: help, choices, default, when."""
    parts = [
        NOTE,
        "# Questions\n\nIn the order asked. Each has a default: `copier copy --defaults` makes something that runs.\n",
    ]
    for name, question in asked_questions().items():
        if question.get("when") is False:
            continue
        parts.append(f"\n## `{name}`\n\n{question['help']}\n\n")
        if choices := question.get("choices"):
            parts += [f"- `{value}`: {label}\n" for label, value in choices.items()]
        parts.append(f"\nDefault: `{question['default']}`\n" if choices else f"Default: `{question['default']}`\n")
        if condition := re.search(r"\[= kind == '[a-z-]+' and (.+) =\]", str(question.get("when", ""))):
            parts.append(f"\nAsked only when `{condition[1]}`.\n")
    return "".join(parts)


def components_page() -> str:
    """Every component: purpose, example, and tables of attributes from its JSON schema, as the catalogue has them."""
    parts = [
        NOTE,
        "# Components\n\nTheir type in a starter is `<package>.components.NAME`, in a component package "
        "`<package>.NAME`; `dg list components` lists them.\n",
    ]
    for family in families():
        names = components(family)
        if names and family != "stock":  # which is its vendors' to document
            parts.append(f"\n## {family_title(family)}\n\n{about(family)}.\n")
            parts += [component_part(getattr(import_module(f"components.{family}"), name)) for name in names]
    return "".join(parts)


def component_part(component: Any) -> str:
    """What the page says about one component."""
    doc = read_doc(component.__doc__)
    parts = [f"### `{component.__name__}`", doc.summary, doc.prose, doc.example and f"```yaml\n{doc.example}```"]
    table = attribute_table(component.get_model_cls().model_json_schema())
    return "\n" + "\n\n".join([part for part in parts if part] + [table])


def mistakes_page() -> str:
    """What `dg check yaml` finds, counted by planting mistakes into every component's example."""
    found = measure()
    lines = [f"| {kind} | {found.planted[kind]} | {found.caught[kind]} |" for kind in sorted(found.planted)]
    missed = ["\nNot reported:\n", *(f"- {text}" for text in found.missed)] if found.missed else []
    told = (
        f"{found.planted.total()} typical mistakes, planted one at a time into the examples of "
        f"{len(strict_examples())} components; {found.caught.total()} ({found.share:.1%}) are reported by "
        "`dg check yaml` with file, line, key and what is valid.\n"
    )
    table = ["| Mistake | planted | reported |", "| --- | --- | --- |", *lines, *missed]
    return NOTE + "# Mistakes that are found\n\n" + told + "\n" + "\n".join(table) + "\n"


def main() -> None:
    """Write the pages, or with --check compare them."""
    pages = {
        "questions.md": questions_page(),
        "components.md": components_page(),
        "connectors.md": connectors_page(NOTE),
        "mistakes.md": mistakes_page(),
    }
    if "--check" in sys.argv:
        stale = [
            name
            for name, text in pages.items()
            if not (REFERENCE / name).exists() or (REFERENCE / name).read_text() != text
        ]
        if stale:
            sys.exit(f"docs/reference is out of date ({', '.join(stale)}): run tools/reference.py")
        return
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (REFERENCE / name).write_text(text)


if __name__ == "__main__":
    main()
