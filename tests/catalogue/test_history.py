"""Version history: what changed from release to release."""

import pytest

from tests.catalogue.package import Package
from tests.catalogue.tools import Release, changes, difference, first_release, version_of

ONE = {"mode": {"type": "`a`, `b`"}, "rows": {"type": "integer"}}
TWO = {"mode": {"type": "`a`, `b`, `c`"}, "rows": {"type": "integer", "rules": "at least 1"}, "key": {}}


def test_what_was_added_removed_and_changed_is_a_sentence_each():
    new = {**TWO, "key": {"default": "required"}}
    del new["rows"]

    assert difference(ONE, new) == [
        "added `key`, required",
        "removed `rows`",
        "`mode`: type `a`, `b` → `a`, `b`, `c`",
    ]


def test_a_new_limit_and_a_deprecation_are_told():
    assert difference({"rows": {}}, {"rows": {"rules": "at least 1"}}) == ["`rows`: rules none → at least 1"]
    assert difference({"rows": {}}, {"rows": {"deprecated": True}}) == ["`rows`: deprecated"]
    assert difference(ONE, ONE) == []


def test_each_component_has_its_own_history_newest_first():
    releases = [
        Release("1.0.0", "2026-01-01", {"Table": ONE}),
        Release("1.1.0", "2026-02-01", {"Table": ONE, "View": ONE}),
        Release("2.0.0", "2026-03-01", {"Table": TWO}),
    ]
    found = changes(releases, Release("Unreleased", "", {"Table": TWO}))

    assert [(change.version, change.what) for change in found["Table"]] == [("2.0.0", "changed"), ("1.0.0", "added")]
    assert [(change.version, change.what) for change in found["View"]] == [("2.0.0", "removed"), ("1.1.0", "added")]
    assert first_release(found["View"]) == "1.1.0"


def test_a_release_that_does_not_load_is_passed_over():
    releases = [Release("1.0.0", "", {"Table": ONE}), Release("1.1.0", "", {}, "ImportError: x")]

    found = changes(releases, Release("Unreleased", "", {"Table": ONE}))

    assert [change.version for change in found["Table"]] == ["1.0.0"]


@pytest.mark.parametrize(
    ("tag", "version"), [("v1.2.0", "1.2.0"), ("1.2", "1.2"), ("v2.0.0rc1", "2.0.0rc1"), ("latest", None), ("v", None)]
)
def test_a_tag_is_a_release_if_it_names_a_version(tag: str, version: str | None):
    found = version_of(tag)

    assert (str(found) if found else None) == version


class TestFromTags:
    """The record is made from the tags, and read where there are none."""

    @pytest.fixture
    def package(self, package: Package) -> Package:
        package.component("TableComponent", "rows: int = 1")
        package.tag("v0.9.0")
        package.component("TableComponent", "rows: int = 1\nmode: Literal['a', 'b'] = 'a'")
        package.tag("v0.10.0")
        return package

    def test_every_tag_is_loaded_once_and_recorded(self, package: Package):
        first, second = package.catalogue("--no-site"), package.catalogue("--no-site")

        assert "v0.9.0: recorded" in first.stderr
        assert "docs/history.json has changed: commit it" in first.stderr
        assert (second.returncode, second.stderr) == (0, "")
        page = package.page("components/TableComponent.md")
        assert page.index("**0.10.0**") < page.index("**0.9.0**")
        assert "- added `mode`" in page

    def test_a_clone_without_tags_and_without_git_reads_the_record(self, package: Package):
        package.catalogue("--no-site")
        before = package.page("components/TableComponent.md")
        package.git("tag", "-d", "v0.9.0", "v0.10.0")
        package.catalogue("--no-site")
        assert package.page("components/TableComponent.md") == before

        (package.root / ".git").rename(package.root / "no-git")
        assert package.catalogue("--no-site").returncode == 0
        assert package.page("components/TableComponent.md") == before

    def test_what_is_not_released_yet_is_told_as_such(self, package: Package):
        package.component("TableComponent", "mode: Literal['a', 'b'] = 'a'")

        package.catalogue("--no-site")

        page = package.page("components/TableComponent.md")
        assert page.index("**Unreleased**") < page.index("- removed `rows`") < page.index("**0.10.0**")

    def test_a_tag_that_does_not_load_is_named_and_not_tried_again(self, package: Package):
        package.write("src/acme_components/base.py", "import nothing_of_that_name\n")
        package.tag("v0.11.0")
        package.git("checkout", "-q", "v0.10.0")

        first, second = package.catalogue("--no-site"), package.catalogue("--no-site")

        assert "v0.11.0: not recorded, as it does not load here: " in first.stderr
        assert "nothing_of_that_name" in first.stderr
        assert first.returncode == 0
        assert second.stderr == ""
        assert "does not load with the libraries of today" in package.page("changes.md")

    def test_a_release_is_recorded_before_its_tag_and_never_changes(self, package: Package):
        made = package.catalogue("release", "1.0.0")
        again = package.catalogue("release", "1.0.0")
        package.component("TableComponent", "mode: Literal['a'] = 'a'")
        changed = package.catalogue("release", "1.0.0")
        wrong = package.catalogue("release", "next")

        assert (made.returncode, again.returncode) == (0, 0)
        assert "docs/history.json: 1.0.0, 1 components" in made.stdout
        assert changed.returncode == 1
        assert "1.0.0 is recorded already, with other attributes" in changed.stderr
        assert "'next' is no version; expected one such as 1.4.0" in wrong.stderr

    def test_a_broken_record_is_named_with_what_to_do(self, package: Package):
        package.write("docs/history.json", '{"releases": [{"version": "1"}')

        done = package.catalogue("--no-site")

        assert done.returncode == 1
        assert "history.json" in done.stderr
        assert "restore it from git, or delete it" in done.stderr
