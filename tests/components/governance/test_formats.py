"""Findings as JSON, SARIF and JUnit."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from components.governance.command import VIOLATIONS, main
from components.governance.rule_book import RULE_BOOK
from tests.components.governance.projects import place, project


def test_json_has_all_violations_with_their_waivers(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = project(tmp_path)

    assert main(["check", "--project", str(root), "--format", "json"]) == VIOLATIONS

    said = json.loads(capsys.readouterr().out)
    assert (said["assets"], said["passed"], said["mode"]) == (3, False, "error")
    file = place(root, 9).removesuffix(":9")
    bad, old = said["violations"]
    assert (bad["asset"], bad["rule"], bad["file"], bad["line"], bad["waived"]) == ("raw/bad", "owner", file, 9, None)
    assert old["waived"] == {"until": "2999-01-01", "owner": "team:data", "reason": "Goes <soon>."}


SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "minItems": 1,
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name", "rules"],
                                "properties": {
                                    "rules": {
                                        "uniqueItems": True,
                                        "items": {
                                            "required": ["id", "shortDescription", "help"],
                                            "properties": {
                                                "shortDescription": {"required": ["text"]},
                                                "help": {"required": ["text"]},
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "items": {
                            "required": ["message", "ruleId", "ruleIndex", "level", "locations"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                                "suppressions": {
                                    "items": {
                                        "required": ["kind"],
                                        "properties": {
                                            "kind": {"enum": ["inSource", "external"]},
                                            "status": {"enum": ["accepted", "underReview", "rejected"]},
                                        },
                                    }
                                },
                                "locations": {
                                    "minItems": 1,
                                    "items": {
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "required": ["uri"],
                                                        "properties": {"uri": {"pattern": "^[^/:]+[^:]*$"}},
                                                    },
                                                    "region": {
                                                        "required": ["startLine"],
                                                        "properties": {"startLine": {"type": "integer", "minimum": 1}},
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        }
                    },
                },
            },
        },
    },
}


def test_sarif_has_relative_files_rules_with_help_and_suppressed_waivers(tmp_path: Path):
    root = project(tmp_path)
    file = root / "out" / "policy.sarif"

    assert main(["check", "--project", str(root), "--format", "sarif", "--output", str(file)]) == VIOLATIONS

    said = json.loads(file.read_text())
    Draft202012Validator(SARIF).validate(said)
    (run,) = said["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["owner", "description"]
    assert [rule["id"] for rule in rules] == list(RULE_BOOK)
    bad, old = run["results"]
    physical = bad["locations"][0]["physicalLocation"]
    assert f"{physical['artifactLocation']['uri']}:{physical['region']['startLine']}" == place(root, 9)
    assert "suppressions" not in bad
    assert old["suppressions"][0]["justification"] == "Goes <soon>. (team:data, until 2999-01-01)"


def test_junit_has_a_case_for_each_asset_that_is_fine_and_each_violation(tmp_path: Path):
    root = project(tmp_path)
    file = root / "policy.xml"

    assert main(["check", "--project", str(root), "--format", "junit", "--output", str(file)]) == VIOLATIONS

    suites = ElementTree.parse(file).getroot()
    assert {name: suites.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }
    cases = {(case.get("classname"), case.get("name")): case for case in suites.iter("testcase")}
    assert set(cases) == {("raw/bad", "owner"), ("raw/old", "description"), ("raw/good", "policy")}
    failure = cases["raw/bad", "owner"].find("failure")
    assert failure is not None
    assert "owners are missing" in (failure.get("message") or "")
    assert cases["raw/old", "description"].find("skipped") is not None
