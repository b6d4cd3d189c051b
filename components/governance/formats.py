"""Findings as text for people, and as JSON, SARIF and JUnit for machines."""

import json
import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from .enforcement import Findings, report
from .policy import POLICY_FILE
from .policy_parts import Waiver
from .rule_book import RULE_BOOK
from .rules import Violation

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_PLACE = re.compile(r"^(?P<file>.+?)(?::(?P<line>\d+))?$")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def human(found: Findings) -> str:
    """What is to be mended, what is waived until when, and how much was looked at."""
    lines = [report(found.violations), ""] if found.violations else []
    if found.waived:
        lines += ["Waived:"]
        lines += [
            f"  {violation.asset}: {violation.rule} until {waiver.expires} ({waiver.owner}: {waiver.reason})"
            for violation, waiver in found.waived
        ]
        lines += [""]
    number = len(found.assets)
    assets = "1 asset" if number == 1 else f"{number} assets"
    outcome = "broken" if found.violations else "followed"
    lines.append(f"{assets} checked; {POLICY_FILE} {found.policy.fingerprint} is {outcome}.")
    return "\n".join(lines) + "\n"


def as_json(found: Findings) -> str:
    """All violations, also waived ones, as one JSON object."""
    rows = [_row(violation, None) for violation in found.violations]
    rows += [_row(violation, waiver) for violation, waiver in found.waived]
    content = {
        "policy_version": found.policy.fingerprint,
        "mode": found.policy.mode,
        "assets": len(found.assets),
        "passed": not found.violations,
        "violations": sorted(rows, key=lambda row: (row["asset"], row["rule"], row["message"])),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def sarif(found: Findings) -> str:
    """A SARIF 2.1.0 log, for the code scanning pages of GitHub and GitLab; waived violations are suppressed there."""
    rules = list(RULE_BOOK.values())
    index = {rule.name: number for number, rule in enumerate(rules)}
    level = "error" if found.policy.mode == "error" else "warning"
    pairs: list[tuple[Violation, Waiver | None]] = [(violation, None) for violation in found.violations]
    pairs += found.waived
    results = []
    for violation, waiver in sorted(pairs, key=lambda pair: pair[0]):
        file, line = _file_and_line(violation.place)
        physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(file), "uriBaseId": "PROJECTROOT"}}
        if line:
            physical["region"] = {"startLine": line}
        result: dict[str, Any] = {
            "ruleId": violation.rule,
            "ruleIndex": index[violation.rule],
            "level": level,
            "message": {"text": f"{violation.asset}: {violation.message}"},
            "locations": [
                {
                    "physicalLocation": physical,
                    "logicalLocations": [{"fullyQualifiedName": violation.asset, "kind": "resource"}],
                }
            ],
            "partialFingerprints": {"assetAndRule/v1": f"{violation.asset}:{violation.rule}"},
        }
        if waiver:
            why = f"{waiver.reason} ({waiver.owner}, until {waiver.expires})"
            result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
        results.append(result)
    driver = {
        "name": "policy",
        "rules": [
            {
                "id": rule.name,
                "name": "".join(part.capitalize() for part in rule.name.split("_")),
                "shortDescription": {"text": rule.summary},
                "fullDescription": {"text": rule.text()},
                "help": {"text": rule.fix, "markdown": rule.fix},
                "defaultConfiguration": {"level": level},
            }
            for rule in rules
        ],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    content = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def junit(found: Findings) -> str:
    """JUnit XML: a passing case for each asset in order, a failing or skipped one for each violation."""
    broken = {violation.asset for violation in found.violations} | {violation.asset for violation, _ in found.waived}
    fine = [asset for asset in found.assets if asset not in broken]
    counts = {
        "tests": str(len(fine) + len(found.violations) + len(found.waived)),
        "failures": str(len(found.violations)),
        "errors": "0",
        "skipped": str(len(found.waived)),
    }
    suites = ElementTree.Element("testsuites", {"name": "policy", **counts})
    suite = ElementTree.SubElement(suites, "testsuite", {"name": POLICY_FILE, **counts})
    for violation in found.violations:
        case = _case(suite, violation.asset, violation.rule, violation.place)
        failure = ElementTree.SubElement(case, "failure", {"message": _xml(violation.message), "type": violation.rule})
        failure.text = _xml(f"{violation.place}\n{violation.message}\n{RULE_BOOK[violation.rule].fix}")
    for violation, waiver in found.waived:
        case = _case(suite, violation.asset, violation.rule, violation.place)
        why = f"waived until {waiver.expires}: {waiver.reason} ({waiver.owner})"
        ElementTree.SubElement(case, "skipped", {"message": _xml(why)})
    for asset in fine:
        _case(suite, asset, "policy", "")
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


FORMATS: dict[str, Callable[[Findings], str]] = {"human": human, "json": as_json, "sarif": sarif, "junit": junit}


def _row(violation: Violation, waiver: Waiver | None) -> dict[str, Any]:
    file, line = _file_and_line(violation.place)
    until = {"until": str(waiver.expires), "owner": waiver.owner, "reason": waiver.reason} if waiver else None
    return {
        "asset": violation.asset,
        "rule": violation.rule,
        "message": violation.message,
        "file": file or None,
        "line": line,
        "waived": until,
    }


def _file_and_line(place: str) -> tuple[str, int | None]:
    matched = _PLACE.match(place)
    if matched is None:
        return "", None
    return matched["file"], int(matched["line"]) if matched["line"] else None


def _uri(file: str) -> str:
    """A relative URI; what stands outside of the project, or nowhere, is shown at the policy."""
    return quote(file) if file and not PurePath(file).is_absolute() else POLICY_FILE


def _case(suite: ElementTree.Element, asset: str, rule: str, place: str) -> ElementTree.Element:
    file, line = _file_and_line(place)
    where = {**({"file": file} if file else {}), **({"line": str(line)} if line else {})}
    return ElementTree.SubElement(suite, "testcase", {"classname": _xml(asset), "name": rule, **where})


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
