"""The components of earlier releases, loaded from the git tags."""

import json
import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from .history import Release, read_history, version_of, write_history
from .project import CatalogueError, Project, git

HERE = Path(__file__).resolve().parent


def tagged(project: Project) -> dict[str, tuple[str, str]]:
    """The tags that name a version: tag and day by version. None in a folder without git or without tags."""
    listed = git(project.root, "for-each-ref", "--format=%(refname:short) %(creatordate:short)", "refs/tags") or ""
    found = [line.split() for line in listed.splitlines()]
    return {str(version): (tag, day) for tag, day in found if (version := version_of(tag))}


def update_history(project: Project, *, again: bool = False) -> tuple[list[Release], list[str]]:
    """The releases, oldest first, those of new tags written to the record; and what there is to say about it.

    Args:
        project: The package.
        again: Also load those tags again that could not be loaded.
    """
    releases, told = {release.version: release for release in read_history(project)}, []
    for version, (tag, day) in tagged(project).items():
        if version in releases and not (again and releases[version].problem):
            continue
        releases[version] = load_tag(project, tag, version, day)
        problem = releases[version].problem
        told.append(f"{tag}: {'not recorded, as it does not load here: ' + problem if problem else 'recorded'}")
    if told:
        write_history(project, releases.values())
        told.append(f"{project.history.relative_to(project.root).as_posix()} has changed: commit it")
    return read_history(project), told


def load_tag(project: Project, tag: str, version: str, day: str) -> Release:
    """A release as its own code says, run with the libraries that are installed now."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", tag, "--", "pyproject.toml", "src"], cwd=project.root, capture_output=True
    )
    if archive.returncode:
        return Release(version, day, {}, archive.stderr.decode(errors="replace").strip().splitlines()[-1])
    with TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
            files.extractall(folder, filter="data")
        path = os.pathsep.join(filter(None, [str(Path(folder) / "src"), os.environ.get("PYTHONPATH", "")]))
        done = subprocess.run(
            [sys.executable, str(HERE), "snapshot", folder],
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        return Release(version, day, {}, (done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return Release(version, day, json.loads(done.stdout))


def record_release(project: Project, version: str, release: Release) -> None:
    """Add a release to the record before it is tagged.

    Raises:
        CatalogueError: ``version`` is none, or is recorded already with other attributes.
    """
    if version_of(version) is None:
        raise CatalogueError(f"{version!r} is no version; expected one such as 1.4.0")
    releases = {known.version: known for known in read_history(project)}
    known = releases.get(version)
    if known and known.components != release.components:
        raise CatalogueError(f"{version} is recorded already, with other attributes: a release does not change")
    write_history(project, [*releases.values(), *([] if known else [release])])
