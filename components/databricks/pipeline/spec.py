"""What a declarative pipeline is, whichever engine runs it, and what a run of it reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Action = Literal["warn", "drop", "fail"]
Kind = Literal["streaming_table", "materialized_view", "temporary_view"]

SUFFIXES = (".py", ".sql")


class PipelineError(Exception):
    """A pipeline that cannot be read or run, told with its file and line.

    ``transient`` says whether the same again, later, may succeed.
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


@dataclass(frozen=True)
class Expectation:
    """A condition that every row of a data set should hold, and what happens to rows that do not."""

    name: str
    condition: str
    action: Action


@dataclass(frozen=True)
class DataSet:
    """A table or view that a pipeline declares.

    Args:
        name: Name with its schema, ``schema.table``; for a temporary view its bare name.
        reads: Names of the same form of what it is made from, data sets of the pipeline or tables outside.
        origin: File and line of its declaration, for messages.
    """

    name: str
    kind: Kind
    reads: tuple[str, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    comment: str = ""
    origin: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "DataSet":
        """The data set whose ``asdict`` went through JSON."""
        expectations = tuple(Expectation(**one) for one in values["expectations"])
        return cls(**{**values, "reads": tuple(values["reads"]), "expectations": expectations})


@dataclass(frozen=True)
class PipelineSpec:
    """A pipeline as both engines take it.

    Args:
        name: Name of the pipeline in the workspace.
        files: Absolute paths of its Python and SQL files, in order.
        root: Folder that the files' names in the workspace start from.
        catalog: Catalog of tables that name none.
        schema: Schema of tables that name none.
        configuration: Parameters that the code reads with ``spark.conf.get``.
        serverless: Whether the workspace runs it on serverless compute.
        compute_size: Approved size of policy.yaml where it is not serverless.
        workspace_folder: Folder of the workspace that the files are written to; the user's own when None.
        owner: Who pays, for the tags of what is submitted; serverless compute takes none.
    """

    name: str
    files: tuple[Path, ...]
    root: Path
    catalog: str
    schema: str
    data_sets: tuple[DataSet, ...]
    configuration: Mapping[str, str] = field(default_factory=dict)
    serverless: bool = True
    compute_size: str | None = None
    workspace_folder: str | None = None
    max_runtime_minutes: float | None = None
    owner: str | None = None
    full_refresh: bool = False

    @property
    def stored(self) -> tuple[DataSet, ...]:
        """The data sets that are tables, and therefore assets."""
        return tuple(found for found in self.data_sets if found.kind != "temporary_view")

    def find(self, name: str) -> DataSet | None:
        """The data set of that name, or None for a table outside the pipeline."""
        return next((found for found in self.data_sets if found.name == name), None)


@dataclass(frozen=True)
class DatasetResult:
    """What one data set came to.

    Args:
        rows: Rows that the table has now, or None where the engine does not say.
        seconds: How long it took.
        expectations: Rows that passed and failed, by the expectation's name.
        error: Why it was not made; None where it was.
        details: Further facts for the asset's metadata.
    """

    rows: int | None = None
    seconds: float = 0.0
    expectations: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    error: str | None = None
    details: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class UpdateResult:
    """What an update of a pipeline came to; ``datasets`` has every data set that was tried, also those that failed."""

    datasets: Mapping[str, DatasetResult]
    cost_usd: float | None = None
    url: str | None = None


def selected(spec: PipelineSpec, refresh_selection: Sequence[str]) -> list[DataSet]:
    """The stored data sets that a run makes: those that are named, or all of them where none is."""
    return [found for found in spec.stored if not refresh_selection or found.name in refresh_selection]


def find_files(folder: Path, patterns: Sequence[str]) -> tuple[Path, ...]:
    """The Python and SQL files that patterns name, in order.

    Args:
        folder: Folder of the YAML.
        patterns: Files, or glob patterns such as ``transformations/**``.

    Raises:
        PipelineError: a pattern fits no file.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        ending = "/*" if pattern.endswith("**") else ""
        files = [path for path in sorted(folder.glob(pattern + ending)) if path.is_file() and path.suffix in SUFFIXES]
        if not files:
            raise PipelineError(f"{folder / 'defs.yaml'}: files: {pattern!r} fits no .py or .sql file below {folder}")
        found |= dict.fromkeys(files)
    return tuple(found)


def source_version(files: Sequence[Path]) -> str:
    """A code version that changes with the files."""
    from hashlib import sha256

    digest = sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
