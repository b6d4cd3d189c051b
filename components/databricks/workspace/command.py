"""The command ``python -m <package>.databricks.workspace``: make the bundle, or plan tags and grants."""

import argparse
import sys
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Any

FINE, DIFFERENT, REFUSED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0 where all is well, 1 where something differs, 2 where it could not be done.

    Args:
        arguments: What stands after the command's name; those of the process by default.
    """
    import dagster as dg

    from .errors import WorkspaceError

    options = _parser().parse_args(arguments)
    run: Any = options.run
    try:
        return int(run(options))
    except (WorkspaceError, dg.DagsterInvalidDefinitionError) as error:
        print(error, file=sys.stderr)
        return REFUSED


def _bundle(options: argparse.Namespace) -> int:
    from .bundle import BUNDLE_FILE, project_bundle

    file = options.project.resolve() / BUNDLE_FILE
    made = project_bundle(options.project.resolve())
    there = file.read_text(encoding="utf-8") if file.is_file() else ""
    if not options.check:
        if made != there:
            file.write_text(made, encoding="utf-8", newline="\n")
        print(f"{BUNDLE_FILE}: {'unchanged' if made == there else 'written'}")
        return FINE
    if made == there:
        print(f"{BUNDLE_FILE} is that of the definitions")
        return FINE
    changes = unified_diff(there.splitlines(True), made.splitlines(True), BUNDLE_FILE, "the definitions")
    sys.stdout.writelines(changes)
    print(f"{BUNDLE_FILE} is not that of the definitions: run the command bundle without --check", file=sys.stderr)
    return DIFFERENT


def _access(options: argparse.Namespace) -> int:
    from dagster.components.utils.project_paths import get_local_state_path

    from .access import apply, planned
    from .bundle import component_tree
    from .catalog import UnityCatalogComponent
    from .catalog_state import CatalogState
    from .client import Workspace

    root = options.project.resolve()
    workspace, changes = Workspace(root), []
    for component in component_tree(root).get_all_components(of_type=UnityCatalogComponent):
        kept = get_local_state_path(component.defs_state_config.key, root)
        state = CatalogState.from_json(kept.read_text(encoding="utf-8")) if kept.is_file() else CatalogState()
        changes += planned(workspace, component.securables(state))
    for change in changes:
        print(change.words)
    if not changes:
        print("nothing to change: tags and grants are those of policy.yaml")
        return FINE
    if not options.apply:
        print(f"{len(changes)} changes; run it with --apply to make them")
        return DIFFERENT
    apply(workspace, changes)
    print(f"{len(changes)} changes made")
    return FINE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A project and its Databricks workspace.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    bundle = commands.add_parser("bundle", help="write databricks.yml from the definitions; asks no workspace")
    bundle.add_argument("--check", action="store_true", help="only say whether the file is what it should be")
    bundle.set_defaults(run=_bundle)
    access = commands.add_parser("access", help="plan the tags and grants of Unity Catalog that policy.yaml asks for")
    access.add_argument("--apply", action="store_true", help="make them")
    access.set_defaults(run=_access)
    for command in (bundle, access):
        command.add_argument("--project", type=Path, default=Path(), help="the project's folder; here by default")
    return parser
