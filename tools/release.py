"""Release the templates: check everything, commit `chore: release v…`, and tag it.

uv run python tools/release.py 0.2.0            # checks, tests, commit and tag; nothing is pushed
uv run python tools/release.py 0.2.0 --check    # only the checks that take seconds
"""

import argparse
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from bootstrap import ROOT

VERSION = r"\d+\.\d+\.\d+"
GENERATED = ("component_lists", "golden", "reference")


def git(*words: str) -> str:
    """The output of git in the repository."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version or of a migration's file name, to compare by."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def kinds(questions: Path) -> set[str]:
    """The kinds that the first question offers."""
    import yaml

    return set(yaml.safe_load(questions.read_text())["kind"]["choices"].values())


def changelog_problems(text: str, version: str, valid: set[str]) -> list[str]:
    """What the changelog lacks to be released as a version."""
    match = re.search(rf"^## ({VERSION})(?: \((\S+)\))?$", text, re.MULTILINE)
    if not match or match[1] != version:
        return [f"CHANGELOG.md: the newest release is {match[1] if match else 'missing'}; expected ## {version} on top"]
    section = re.split(r"^## ", text[match.end() :], flags=re.MULTILINE)[0]
    headings = re.findall(r"^### (.+)$", section, re.MULTILINE)
    known = valid | {"Every kind"}
    problems = [
        f"CHANGELOG.md: ### {name} is no kind; expected one of {', '.join(sorted(known))}"
        for name in headings
        if name not in known
    ]
    if not headings:
        problems.append(f"CHANGELOG.md: {version} says nothing to any kind; expected ### headings with a list below")
    return problems


def migration_problems(names: list[str], version: str) -> list[str]:
    """Migrations that are newer than the release, so that they would run a release too early."""
    late = [name for name in names if numbers(name) > numbers(version)]
    return [f"hooks/migrations/{name}: is newer than {version}; rename it, or release it later" for name in late]


def problems(version: str) -> list[str]:
    """Everything that keeps a version from being released; takes seconds."""
    found = []
    if git("status", "--porcelain"):
        found.append("the work tree is not clean: commit first")
    if git("symbolic-ref", "--short", "HEAD") != "main":
        found.append(f"the branch is {git('symbolic-ref', '--short', 'HEAD')}; expected main")
    tags = [tag for tag in git("tag", "--list", "v*").splitlines() if re.fullmatch(f"v{VERSION}", tag)]
    newest = max(tags, key=numbers, default="v0.0.0")
    if numbers(version) <= numbers(newest):
        found.append(f"{version} is not newer than {newest}")
    found += changelog_problems((ROOT / "CHANGELOG.md").read_text(), version, kinds(ROOT / "questions/1-project.yml"))
    found += migration_problems([path.name for path in (ROOT / "hooks/migrations").glob("v*.py")], version)
    for tool in GENERATED:
        done = subprocess.run(
            [sys.executable, f"tools/{tool}.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            found.append((done.stderr or done.stdout).strip().splitlines()[-1][:300])
    return found


def main() -> None:
    """Check, test, commit and tag.

    Raises:
        SystemExit: something keeps the version from being released; every reason is listed.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", help="the version, as 1.2.3 (PEP 440: the highest tag is what projects get)")
    parser.add_argument("--check", action="store_true", help="only the checks that take seconds")
    chosen = parser.parse_args()
    if not re.fullmatch(VERSION, chosen.version):
        parser.error(f"{chosen.version}: expected three numbers, as 1.2.3")
    if found := problems(chosen.version):
        sys.exit("\n  - ".join([f"{chosen.version} cannot be released:", *found]))
    if chosen.check:
        print(f"{chosen.version} can be released, when the tests pass.")
        return
    if subprocess.run([sys.executable, "tools/test.py"], cwd=ROOT, check=False).returncode:
        sys.exit(f"{chosen.version} was not released: the tests fail.")
    path = ROOT / "CHANGELOG.md"
    dated = f"## {chosen.version} ({datetime.now(UTC).date()})"
    path.write_text(
        re.sub(rf"^## {re.escape(chosen.version)}\b.*$", dated, path.read_text(), count=1, flags=re.MULTILINE)
    )
    git("commit", "--quiet", "--allow-empty", "--message", f"chore: release v{chosen.version}", "CHANGELOG.md")
    git("tag", "--annotate", f"v{chosen.version}", "--message", f"v{chosen.version}")
    print(f"v{chosen.version} is tagged. Publish it: git push --follow-tags")


if __name__ == "__main__":
    main()
