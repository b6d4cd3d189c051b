"""The site: pages put together in one folder, and Sphinx run over it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from .llms import full_text, index_text
from .pages import Catalogue, changes_page, component_page, family_title, index_page, usage_page
from .project import CatalogueError, Project
from .schemas import write_schemas


def hand_written(project: Project) -> dict[str, str]:
    """The pages that people wrote, by path; those of single components are notes for the generated pages."""
    found = {
        file.relative_to(project.docs): file
        for file in sorted(project.docs.rglob("*.md"))
        if not file.relative_to(project.docs).parts[0].startswith("_")
    }
    return {path.as_posix(): file.read_text(encoding="utf-8") for path, file in found.items()}


def notes_for(names: list[str], written: dict[str, str]) -> dict[str, str]:
    """Hand-written text by component: ``components/SalesReportComponent.md`` or ``components/sales_report.md``.

    Args:
        names: The components.
        written: The hand-written pages by path.
    """
    by_key = {_key(Path(path).stem): text for path, text in written.items() if path.startswith("components/")}
    return {name: _below(by_key[_key(name)]) for name in names if _key(name) in by_key}


def pages_of(catalogue: Catalogue, written: dict[str, str]) -> dict[str, str]:
    """Every page by its path, hand-written ones first."""
    changelog = catalogue.project.root / "CHANGELOG.md"
    kept = {path: text for path, text in written.items() if not path.startswith("components/")}
    pages = {
        "components/index.md": index_page(catalogue),
        **{f"components/{entry.name}.md": component_page(entry, catalogue) for entry in catalogue.library.entries},
        "changes.md": changes_page(catalogue, changelog.read_text(encoding="utf-8") if changelog.exists() else ""),
    }
    if catalogue.policy:
        pages["policy.md"] = catalogue.policy.page()
    if catalogue.usage.repositories:
        pages["usage.md"] = usage_page(catalogue)
    found = kept | pages
    return found | {"index.md": f"{kept.get('index.md', '# Components').rstrip()}\n\n{_toctrees(catalogue, found)}"}


def write_pages(catalogue: Catalogue, written: dict[str, str]) -> list[Path]:
    """Put the pages, the schemas and the texts for language models together.

    A file whose text has not changed is left alone, so that Sphinx reads only what is new.
    """
    folder = catalogue.project.generated
    pages = pages_of(catalogue, written)
    guides = [path for path in written if path in pages and path != "index.md"]
    index = index_text(catalogue, guides)
    texts = {**pages, "llms.txt": index, "llms-full.txt": full_text(index, pages)}
    for path, text in texts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8", newline="\n")
    for old in [*folder.glob("*.md"), *folder.glob("components/*.md")]:
        if old.relative_to(folder).as_posix() not in texts:
            old.unlink()
    shutil.rmtree(folder / "schemas", ignore_errors=True)
    write_schemas(catalogue.library.entries, folder / "schemas")
    return [folder / path for path in texts]


def build_site(project: Project) -> Path:
    """The folder of the finished site, with the Markdown of each page beside its HTML; warnings are printed.

    Raises:
        CatalogueError: Sphinx is not installed, or fails; its messages come along.
    """
    source, target = project.generated, project.docs / "_build" / "html"
    command = [sys.executable, "-m", "sphinx", "-q", "-c", str(project.docs), str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        hint = " is not installed; start with uv run --group docs" if "No module named sphinx" in done.stderr else ""
        raise CatalogueError(f"Sphinx{hint}:\n{done.stderr.strip()}")
    if done.stderr.strip():
        print(done.stderr.strip(), file=sys.stderr)
    for file in [*source.rglob("*.md"), *source.glob("llms*.txt"), *source.glob("schemas/*.json")]:
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    return target


def _toctrees(catalogue: Catalogue, pages: dict[str, str]) -> str:
    """What the sidebar shows: the hand-written pages and the generated ones, then each family with its components."""
    last = ["components/index.md", "policy.md", "usage.md", "changes.md"]
    names = [path for path in pages if path not in (*last, "index.md") and not path.startswith("components/")]
    names += [path for path in last if path in pages]
    trees = [_toctree("", [path.removesuffix(".md") for path in names])]
    for family in catalogue.library.families:
        entries = [entry.name for entry in catalogue.library.entries if entry.family == family]
        listed = [f"{name.removesuffix('Component')} <components/{name}>" for name in entries]
        trees.append(_toctree(f":caption: {family_title(family)}\n", listed))
    return "\n".join(trees)


def _toctree(options: str, listed: list[str]) -> str:
    return f"```{{toctree}}\n:hidden:\n{options}\n" + "\n".join(listed) + "\n```\n"


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower()).removesuffix("component")


def _below(text: str) -> str:
    """A page's text for use under a heading: without its title, its own headings one level deeper."""
    return re.sub(r"^##", "###", re.sub(r"\A\s*# .*\n", "", text), flags=re.MULTILINE).strip()
