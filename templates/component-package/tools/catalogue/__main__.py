"""Build the catalogue of this package's components.

uv run --group docs python tools/catalogue                       # the site, in docs/_build/html
uv run --group docs python tools/catalogue --repositories PATH…  # with counts of who uses what
uv run python tools/catalogue --no-site                          # only Markdown, JSON schemas and llms.txt
uv run python tools/catalogue release 1.4.0                      # record a release before it is tagged
"""

import argparse
import json
import sys
from pathlib import Path

if not __package__:  # run as a folder, as above
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    __package__ = "catalogue"

from .history import UNRELEASED, Release, changes, snapshot
from .library import Library, load_library, missing_examples
from .pages import Catalogue
from .policy import read_policy
from .project import CatalogueError, Project, read_project
from .site import build_site, hand_written, notes_for, write_pages
from .tags import record_release, update_history
from .usage import find_usage

ROOT = Path(__file__).resolve().parents[2]


def build(project: Project, repositories: list[Path], *, site: bool, again: bool) -> int:
    """Write everything; 1 if a component does not load or has no example, after the rest was written."""
    library = load_library(project)
    policy = read_policy(project)
    usage = find_usage(repositories, project.package, [entry.name for entry in library.entries])
    for text in usage.unreadable:
        _say(f"no YAML: {text}")
    releases, told = update_history(project, again=again)
    for text in told:
        _say(text)
    written = hand_written(project)
    catalogue = Catalogue(
        project,
        library,
        policy,
        releases,
        changes(releases, Release.of(UNRELEASED, "", library.entries)),
        usage,
        notes_for([entry.name for entry in library.entries], written),
    )
    write_pages(catalogue, written)
    print(f"{project.generated.relative_to(project.root)}: {len(library.entries)} components")
    if site:
        print(f"{build_site(project).relative_to(project.root)}/index.html")
    return _problems(project, library)


def _problems(project: Project, library: Library) -> int:
    missing = missing_examples(library)
    for name, reason in library.failures.items():
        _say(f"{project.package}.{name} does not load: {reason}")
    for name in missing:
        _say(f"{name} has no example: put one after '.. code-block:: yaml' into its docstring")
    return 1 if library.failures or missing else 0


def release(project: Project, version: str) -> int:
    """Record what the components have now as a release; 1 if one does not load."""
    library = load_library(project)
    if library.failures:
        return _problems(project, library)
    record_release(project, version, Release.of(version, "", library.entries))
    print(f"{project.history.relative_to(project.root)}: {version}, {len(library.entries)} components; commit it")
    return 0


def dump(root: Path) -> int:
    """Print what the components of another checkout have; ``update_history`` reads it."""
    library = load_library(read_project(root))
    if library.failures:
        name, reason = next(iter(library.failures.items()))
        raise CatalogueError(f"{name}: {reason}")
    print(json.dumps({entry.name: snapshot(entry.attributes) for entry in library.entries}))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 if all went well."""
    parser = argparse.ArgumentParser(
        prog="catalogue", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--project", type=Path, default=ROOT, metavar="FOLDER", help="the package's folder")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    builder = commands.add_parser("build", help="write everything; the same without a command")
    for target in (parser, builder):
        target.add_argument("--repositories", type=Path, nargs="+", default=[], metavar="PATH", help="who uses what")
        target.add_argument("--no-site", action="store_true", help="do not run Sphinx")
        target.add_argument("--again", action="store_true", help="load tags again that did not load before")
    commands.add_parser("release", help="record a release").add_argument("version")
    commands.add_parser("snapshot", help="print the attributes of a checkout").add_argument("folder", type=Path)
    given = parser.parse_args(arguments)
    try:
        if given.command == "snapshot":
            return dump(given.folder.resolve())
        project = read_project(given.project.resolve())
        if given.command == "release":
            return release(project, given.version)
        return build(project, given.repositories, site=not given.no_site, again=given.again)
    except (CatalogueError, FileNotFoundError) as error:
        _say(str(error))
        return 1


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
