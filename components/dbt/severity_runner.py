"""Run dbt with every data test at one severity, without a change to the project; started as a script of its own.

dbt has no option for it: the manifest that dbt parses is altered in memory before dbt builds from it.
"""

import sys
from argparse import ArgumentParser
from typing import Any


def warn(config: Any) -> None:
    """Whatever would fail the test warns instead."""
    if config.severity.upper() == "ERROR" and config.error_if != config.warn_if:
        config.warn_if = f"{config.warn_if} or {config.fail_calc} {config.error_if}"
    config.severity = "warn"


def error(config: Any) -> None:
    """Whatever would warn fails instead."""
    if config.warn_if != config.error_if:
        either = f"{config.warn_if} or {config.fail_calc} {config.error_if}"
        config.error_if = config.warn_if if config.severity.upper() == "WARN" else either
    config.severity = "error"


def main(severity: str, command: list[str]) -> int:
    """Parse, alter the severities, run the command; return the exit code."""
    from dbt.cli.main import dbtRunner

    parser = ArgumentParser(allow_abbrev=False)
    for option in ("--profile", "--target", "--vars"):
        parser.add_argument(option)
    known = vars(parser.parse_known_args(command)[0])
    connection = [text for name, value in known.items() if value for text in (f"--{name}", value)]
    parsed = dbtRunner().invoke(["parse", "--quiet", *connection])
    manifest: Any = parsed.result
    if not parsed.success:
        return 2
    for node in manifest.nodes.values():
        if node.resource_type == "test":
            {"warn": warn, "error": error}[severity](node.config)
    done = dbtRunner(manifest=manifest).invoke(command)
    return 0 if done.success else 2 if done.exception else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
