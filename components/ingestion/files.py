"""Finding the files of a table, in a folder or inside an installed package."""

import shutil
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .attributes import FileTable


class SourceError(Exception):
    """A source that is missing or cannot be loaded as the YAML says; trying again does not help."""


class SourceUnreachableError(SourceError):
    """A source that did not answer, or stopped answering: trying again may help."""


@dataclass(frozen=True)
class SourceFile:
    """A file of this machine that rows are read from.

    Args:
        path: The file itself, or a copy of what stands elsewhere.
        name: What messages call it: its path, its URL, or the table that it was read from.
        key: Its path within the source, the same wherever the source stands.
        version: What changes when its content does.
    """

    path: Path
    name: str
    key: str = ""
    version: str = ""

    @property
    def short_name(self) -> str:
        """The name without what leads to it."""
        return self.name.replace("\\", "/").rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Folder:
    """A folder of this machine whose files are read where they are."""

    path: Path

    @classmethod
    def of(cls, folder: str, package: str | None, project_root: Path) -> "Folder":
        """A folder of the project, or one inside an installed package.

        Raises:
            SourceError: the package is not installed or has no such folder, or the project has none.
        """
        if package is None:
            roots, owner = [project_root], "the project"
        else:
            roots, owner = _package_folders(package), f"the package {package!r}"
        for root in roots:
            if (found := root / folder).is_dir():
                return cls(found)
        raise SourceError(f"source: folder {folder!r} does not exist in {owner} ({roots[0]}).")

    def find(self, table: FileTable) -> list[SourceFile]:
        """The files of a table in the order of their names; raises SourceError where there are none."""
        folder = self.path
        if (folder / table.file).is_file():
            files = [folder / table.file]
        else:
            files = sorted(path for path in folder.glob(table.file) if path.is_file())
        if not files:
            present = ", ".join(sorted(path.name for path in folder.iterdir())[:10]) or "nothing"
            raise SourceError(f"table {table.name!r}: no file {table.file!r} in {folder} (there is: {present}).")
        return [SourceFile(path, str(path), path.relative_to(folder).as_posix(), _version(path)) for path in files]

    def fetch_all(self, files: list[SourceFile], work: Path) -> list[SourceFile]:
        """The files as they are."""
        return files


def _version(path: Path) -> str:
    state = path.stat()
    return f"{state.st_mtime_ns}-{state.st_size}"


def _package_folders(package: str) -> list[Path]:
    # find_spec of a dotted name imports its parents: only the top level is looked up by it.
    top, *inner = package.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise SourceError(f"source: package {package!r} is not installed. Add it to the project's dependencies.")
    if not spec.submodule_search_locations:
        raise SourceError(f"source: {package!r} is a module, not a package, and so has no files.")
    return [Path(place, *inner) for place in spec.submodule_search_locations]


def readable_file(source: SourceFile, work: Path) -> Path:
    """The file itself, or what a zip archive holds, unpacked below ``work``.

    Raises:
        SourceError: the archive is broken, or has not exactly one file.
    """
    file = source.path
    if file.suffix.lower() != ".zip":
        return file
    try:
        with zipfile.ZipFile(file) as archive:
            members = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(members) != 1:
                names = ", ".join(entry.filename for entry in members[:10])
                raise SourceError(
                    f"{source.name}: a zip archive must have exactly one file; this has {len(members)}: {names}"
                )
            target = work / f"{len(list(work.iterdir()))}-{file.stem}"
            with archive.open(members[0]) as packed, target.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, length=1 << 20)
    except zipfile.BadZipFile as error:
        raise SourceError(f"{source.name}: not a zip archive ({error}).") from None
    return target
