"""What keeps a version from being released."""

from pathlib import Path

import pytest
import release

from tests.rendering import ROOT

KINDS = {"modern-data", "ai"}
GOOD = "# Changelog\n\n## 1.2.0\n\n### ai\n\n- **adds** x.\n\n## 1.1.0\n\n### moderne\n\n- y\n"


def test_a_changelog_that_speaks_to_known_kinds_can_be_released():
    assert release.changelog_problems(GOOD, "1.2.0", KINDS) == []


@pytest.mark.parametrize(
    ("text", "version", "said"),
    [
        (GOOD, "1.3.0", "the newest release is 1.2.0; expected ## 1.3.0 on top"),
        ("# Changelog\n", "1.0.0", "the newest release is missing"),
        (GOOD.replace("### ai", "### aai"), "1.2.0", "### aai is no kind; expected one of Every kind, ai, modern-data"),
        (GOOD.replace("### ai\n\n", ""), "1.2.0", "says nothing to any kind"),
    ],
)
def test_what_a_changelog_lacks_is_named(text: str, version: str, said: str):
    [problem] = release.changelog_problems(text, version, KINDS)
    assert said in problem


def test_a_migration_of_a_later_release_is_named():
    names = ["v1_2_0_x.py", "v1_10_0_y.py", "v0_9_0_z.py"]
    [problem] = release.migration_problems(names, "1.9.0")
    assert "v1_10_0_y.py" in problem


def test_the_kinds_are_those_that_the_first_question_offers():
    assert "modern-data" in release.kinds(Path(ROOT / "questions" / "1-project.yml"))


def test_this_repositorys_changelog_speaks_to_known_kinds_in_every_release():
    text = (ROOT / "CHANGELOG.md").read_text()
    while match := release.re.search(rf"^## ({release.VERSION})", text, release.re.MULTILINE):
        assert (
            release.changelog_problems(text[match.start() :], match[1], release.kinds(ROOT / "questions/1-project.yml"))
            == []
        )
        text = text[match.end() :]
