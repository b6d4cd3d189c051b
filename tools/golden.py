"""Render every answer set into golden/: the first of a kind as files, the others as the diff against it.

    uv run python tools/golden.py            # write
    uv run python tools/golden.py --check    # say what differs

Files that a project takes verbatim are only listed: the template itself shows them.
"""

import difflib
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.rendering import answer_sets, copy_template, render  # noqa: E402 the path comes first

GOLDEN = ROOT / "golden"
TEMPLATE_COMMIT = "_commit:"


def rendered_tree(template: Path, answers: dict[str, str]) -> dict[str, str]:
    """The files of a render by path; the package folder is called ``package`` so that trees compare."""
    with tempfile.TemporaryDirectory() as folder:
        project = render(template, Path(folder) / "project", answers)
        [package] = [path.name for path in (project / "src").iterdir()]
        return {
            golden_name(path.relative_to(project).as_posix(), package): without_source(path)
            for path in sorted(project.rglob("*"))
            if path.is_file()
        }


def golden_name(path: str, package: str) -> str:
    """Where a rendered file stands in golden/: a live .gitignore there would hide its neighbours from git."""
    return path.replace(f"src/{package}/", "src/package/").replace(".gitignore", "gitignore")


def without_source(path: Path) -> str:
    """A file's text less the lines that name where the template was."""
    lines = path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("_src_path:", TEMPLATE_COMMIT)))


def is_verbatim(kind: str, path: str, text: str) -> bool:
    """Whether the template holds this file as it is."""
    sources = (
        ROOT / "templates" / kind / path.replace("src/package/", "src/[= package =]/"),
        ROOT / "components" / path.removeprefix("src/package/").removeprefix("components/"),
        ROOT / "hooks" / path.removeprefix("src/package/").removeprefix("tools/"),
        ROOT / "CHANGELOG.md",
    )
    return any(source.is_file() and source.read_text() == text for source in sources)


def golden_files(template: Path) -> dict[str, str]:
    """Everything that golden/ should hold, by path."""
    sets = answer_sets()
    trees = {name: rendered_tree(template, answers) for name, answers in sets.items()}
    for name, answers in sets.items():
        if answers["kind"] == "component":  # it joins the default package, which has its own tree
            trees[name] = {path: text for path, text in trees[name].items() if path not in trees["component-package"]}
    made = {}
    for name, tree in trees.items():
        kind = sets[name]["kind"]
        if name == kind:
            made[f"{kind}/files.txt"] = "".join(f"{path}\n" for path in tree)
            made |= {f"{kind}/{path}": text for path, text in tree.items() if not is_verbatim(kind, path, text)}
        else:
            made[f"{name}.diff"] = difference(trees[kind], tree)
    return made


def difference(base: dict[str, str], other: dict[str, str]) -> str:
    """Files gone, files new, and the changed lines of the rest."""
    parts = [f"only in the default: {path}\n" for path in sorted(set(base) - set(other))]
    for path in sorted(other):
        if path not in base:
            parts.append(f"only here: {path}\n{other[path]}")
        elif base[path] != other[path]:
            old, new = base[path].splitlines(keepends=True), other[path].splitlines(keepends=True)
            parts += difflib.unified_diff(old, new, path, path, n=1)
    return "".join(parts)


def main() -> None:
    """Write golden/, or with --check compare it."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = golden_files(copy_template(Path(folder)))
    present = {path.relative_to(GOLDEN).as_posix(): path for path in GOLDEN.rglob("*") if path.is_file()}
    if "--check" in sys.argv:
        changed = [name for name in wanted if name not in present or present[name].read_text() != wanted[name]]
        changed += sorted(set(present) - set(wanted))
        if changed:
            sys.exit("golden/ differs from the templates; look, then run tools/golden.py: " + ", ".join(changed))
        return
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for name, text in wanted.items():
        (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
        (GOLDEN / name).write_text(text)


if __name__ == "__main__":
    main()
