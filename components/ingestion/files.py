"""Finding the files of a table, in a folder or inside an installed package."""

import shutil
import zipfile
from importlib.util import find_spec
from pathlib import Path

from .attributes import FileLocation, FileTable


class SourceError(Exception):
    """Files that are missing or cannot be loaded as the YAML says; trying again does not help."""


def source_folder(location: FileLocation, project_root: Path) -> Path:
    """The folder of a source.

    Raises:
        SourceError: the package is not installed or has no such folder, or the project has none.
    """
    if location.package is None:
        roots, owner = [project_root], "the project"
    else:
        roots, owner = _package_folders(location.package), f"the package {location.package!r}"
    for root in roots:
        if (folder := root / location.folder).is_dir():
            return folder
    raise SourceError(f"source: folder {location.folder!r} does not exist in {owner} ({roots[0]}).")


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


def table_files(table: FileTable, folder: Path) -> list[Path]:
    """The files of a table in the order of their names; raises SourceError where there are none."""
    if (folder / table.file).is_file():
        return [folder / table.file]
    files = sorted(path for path in folder.glob(table.file) if path.is_file())
    if not files:
        present = ", ".join(sorted(path.name for path in folder.iterdir())[:10]) or "nothing"
        raise SourceError(f"table {table.name!r}: no file {table.file!r} in {folder} (there is: {present}).")
    return files


def readable_file(file: Path, work: Path) -> Path:
    """The file itself, or what a zip archive holds, unpacked below ``work``.

    Raises:
        SourceError: the archive is broken, or has not exactly one file.
    """
    if file.suffix.lower() != ".zip":
        return file
    try:
        with zipfile.ZipFile(file) as archive:
            members = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(members) != 1:
                names = ", ".join(entry.filename for entry in members[:10])
                raise SourceError(f"{file}: a zip archive must have exactly one file; this has {len(members)}: {names}")
            target = work / f"{len(list(work.iterdir()))}-{file.stem}"
            with archive.open(members[0]) as packed, target.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, length=1 << 20)
    except zipfile.BadZipFile as error:
        raise SourceError(f"{file}: not a zip archive ({error}).") from None
    return target
