"""What the releases between two versions say to one kind of project, read from the template's changelog."""

from __future__ import annotations

import re

EVERY_KIND = "Every kind"


def concerning(changelog: str, kind: str, old: str, new: str) -> list[str]:
    """The lines of the releases after `old` up to `new` that concern a kind, newest first, below their headings.

    A release is a heading `## 1.2.0 (date)`, a kind a heading `### modern-data` in it, `### Every kind` concerns all.
    """
    found: list[str] = []
    for release in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        title, _, body = release.partition("\n")
        parts = re.split(r"^### ", body, flags=re.MULTILINE)[1:]
        kept = [part.partition("\n")[2].strip() for part in parts if part.partition("\n")[0] in (EVERY_KIND, kind)]
        if kept and numbers(old) < numbers(title) <= numbers(new):
            found += [f"## {title}", "", *"\n".join(kept).splitlines(), ""]
    return found[:-1]


def numbers(version: str) -> list[int]:
    """The first three numbers of a version or of a migration's file name, to compare by."""
    return [int(part) for part in re.findall(r"\d+", version)[:3]]
