"""The command ``policy``: check a project, explain the rules, write the schema, read the audit trail."""

import argparse
import json
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

FINE, VIOLATIONS, UNCHECKED = 0, 1, 2
_COLUMNS = ("time", "asset", "partition", "owners", "launched_by", "policy_version", "config_hash", "run_id")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0 where all is well, 1 for violations, 2 where nothing could be checked.

    Args:
        arguments: What stands after the command's name; those of the process by default.
    """
    options = _parser().parse_args(arguments)
    run: Any = options.run
    try:
        return int(run(options))
    except BrokenPipeError:  # the reader of a pipe has seen enough
        sys.stderr.close()
        return FINE


def _check(options: argparse.Namespace) -> int:
    import dagster as dg

    from .formats import FORMATS
    from .project import UncheckableError, check_project, project_root

    try:
        found = check_project(project_root(options.project))
    except (UncheckableError, dg.DagsterInvalidDefinitionError) as error:
        return _unchecked(str(error))
    code = _write(FORMATS[options.format](found), options.output)
    return code or (VIOLATIONS if found.violations else FINE)


def _schema(options: argparse.Namespace) -> int:
    from .policy import policy_json_schema

    return _write(json.dumps(policy_json_schema(), indent=2, sort_keys=True) + "\n", options.output)


def _explain(options: argparse.Namespace) -> int:
    from .rule_book import RULE_BOOK

    if options.rule is None:
        return _write("".join(f"{rule.name}: {rule.summary}\n" for rule in RULE_BOOK.values()), None)
    if options.rule not in RULE_BOOK:
        near = get_close_matches(options.rule, RULE_BOOK, n=1)
        hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(RULE_BOOK)}"
        return _unchecked(f"{options.rule!r} is no rule; {hint}")
    return _write(RULE_BOOK[options.rule].text() + "\n", None)


def _audit(options: argparse.Namespace) -> int:
    from .audit_trail import AuditError, AuditTrail
    from .policy import PolicyError, policy_for
    from .project import UncheckableError, project_root

    try:
        root = project_root(options.project)
        file = policy_for(root).audit.file
    except (UncheckableError, PolicyError) as error:
        return _unchecked(str(error))
    if file is None:
        return _unchecked("policy.yaml names no audit.file; the audit is metadata of each materialisation only")
    trail = AuditTrail(root / file)
    try:
        if options.verify:
            return _write(f"{trail.verify()} lines, each of which follows from the one before\n", None)
        rows = [row for row in trail.entries() if options.asset in (None, row.get("asset"))]
    except AuditError as error:
        print(error, file=sys.stderr)
        return VIOLATIONS
    if options.format == "json":
        return _write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), options.output)
    return _write(_table(rows), options.output)


def _table(rows: list[dict[str, Any]]) -> str:
    cells = [_COLUMNS, *(tuple(str(row.get(name) or "") for name in _COLUMNS) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in cells
    )


def _write(text: str, output: Path | None) -> int:
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return FINE
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        return _unchecked(f"--output: {output} cannot be written: {error.strerror}")
    return FINE


def _unchecked(message: str) -> int:
    print(message, file=sys.stderr)
    return UNCHECKED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="policy", description="The policy of a Dagster project.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="hold every asset of a project against its policy.yaml")
    check.add_argument("--format", choices=("human", "json", "sarif", "junit"), default="human")
    check.set_defaults(run=_check)
    schema = commands.add_parser("schema", help="write the JSON schema of policy.yaml")
    schema.set_defaults(run=_schema)
    explain = commands.add_parser("explain", help="say what a rule asks for, and how to follow it")
    explain.add_argument("rule", nargs="?", help="its name; all rules when left out")
    explain.set_defaults(run=_explain)
    audit = commands.add_parser("audit", help="read the audit trail")
    audit.add_argument("--asset", help="only this asset key")
    audit.add_argument("--format", choices=("table", "json"), default="table")
    audit.add_argument("--verify", action="store_true", help="say whether a line was changed, added or taken out")
    audit.set_defaults(run=_audit)
    for command in (check, audit):
        command.add_argument("--project", type=Path, default=Path(), help="folder of policy.yaml; here by default")
    for command in (check, schema, audit):
        command.add_argument("--output", type=Path, help="file to write instead of the terminal")
    return parser
