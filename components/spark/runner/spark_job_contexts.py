"""What a researcher's function is given."""

import json
import shutil
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

METRICS = "metrics.jsonl"
METRIC_MARK = "::metric "
MODEL_FOLDER = "model"
MODEL_ARCHIVE = "model.zip"


class SparkJobError(Exception):
    """Something that the reader of the message can put right; no stack is needed to understand it."""


@dataclass(frozen=True)
class Partition:
    """The partition that is made: its key, and for a period its start and end in UTC."""

    key: str
    start: str
    end: str

    @classmethod
    def of(cls, values: dict[str, str] | None) -> "Partition | None":
        """The partition of a configuration, if it has one."""
        return cls(**values) if values else None


@dataclass
class TrainingContext:
    """What ``train(context)`` works with.

    Args:
        spark: Spark session.
        training: DataFrame to learn from, after preprocessing.
        validation: DataFrame to measure on; always the same rows for the same data.
        architecture: ``model.architecture``.
        parameters: ``model.parameters``.
        checkpoint: ``model.checkpoint``: a path or an address.
        partition: The partition, where the component has them.
    """

    spark: Any
    training: Any
    validation: Any
    architecture: str | None
    parameters: dict[str, Any]
    checkpoint: str | None
    partition: Partition | None
    _metrics: Any = None
    _logged: int = 0
    _began: float = field(default_factory=time.monotonic)

    def log_metric(self, name: str, value: float, step: int | None = None) -> None:
        """Record a number; it is seen in MLflow while the training runs.

        Args:
            name: Name, such as loss.
            value: The number.
            step: Position in the training; counted up where it is left out.
        """
        entry = {
            "n": self._logged,
            "name": str(name),
            "value": float(value),
            "step": step if step is None else int(step),
            "seconds": round(time.monotonic() - self._began, 3),
        }
        self._logged += 1
        line = json.dumps(entry)
        if self._metrics is None:
            self._metrics = Path(METRICS).open("a", encoding="utf-8")  # noqa: SIM115 - closed with the context
        self._metrics.write(f"{line}\n")
        self._metrics.flush()
        print(f"{METRIC_MARK}{line}", flush=True)

    def save_model(self, model: bytes | str | Path, name: str | None = None) -> None:
        """Keep a file or folder of the model; call it for each.

        Args:
            model: The bytes, or the path of a file or folder.
            name: Name to keep it under: that of the path, or model.bin for bytes, where it is left out.

        Raises:
            ValueError: the name leads out of the model's folder.
        """
        kept = Path(name or ("model.bin" if isinstance(model, bytes) else Path(model).name))
        if kept.is_absolute() or ".." in kept.parts:
            raise ValueError(f"save_model: {str(kept)!r} is no name inside the model")
        place = MODEL_FOLDER / kept
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(model, bytes):
            place.write_bytes(model)
        elif Path(model).is_dir():
            shutil.copytree(model, place, dirs_exist_ok=True)
        else:
            shutil.copyfile(model, place)

    def read_checkpoint(self) -> bytes:
        """The bytes of ``checkpoint``, from a file or an address such as s3://…; empty where none is set."""
        if not self.checkpoint:
            return b""
        if "://" not in self.checkpoint:
            return Path(self.checkpoint).read_bytes()
        from pyarrow import fs

        filesystem, path = fs.FileSystem.from_uri(self.checkpoint)
        with filesystem.open_input_stream(path) as stream:
            return bytes(stream.read())

    def close(self) -> None:
        """Close the file of metrics."""
        if self._metrics is not None:
            self._metrics.close()

    def keep_model(self, save_to: str | None) -> list[str]:
        """Copy what was saved to a folder, or pack it into one archive; the names of the files.

        Args:
            save_to: Path or address of the folder.
        """
        folder = Path(MODEL_FOLDER)
        files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
        if files and save_to and "://" in save_to:
            from pyarrow import fs

            fs.copy_files(folder.absolute().as_uri(), save_to)
        elif files and save_to:
            shutil.copytree(folder, save_to)
        elif files:
            with zipfile.ZipFile(MODEL_ARCHIVE, "w", zipfile.ZIP_STORED) as archive:
                for file in files:
                    archive.write(file, file.relative_to(folder).as_posix())
        return [file.relative_to(folder).as_posix() for file in files]


@dataclass
class TransformContext:
    """What ``transform(context)`` works with.

    Args:
        spark: Spark session.
        inputs: DataFrames by the names of ``inputs``.
        parameters: ``parameters`` of the component.
        partition: The partition, where the component has them.
    """

    spark: Any
    inputs: dict[str, Any]
    parameters: dict[str, Any]
    partition: Partition | None
