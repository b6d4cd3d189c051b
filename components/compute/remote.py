"""What every job that runs elsewhere needs: the program that starts it, and what that is told."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from ..secrets import redaction
from . import entry
from .job import Job

LOG_LIMIT_BYTES = 4 * 1024 * 1024
FILE_LIMIT_BYTES = 9 * 1024 * 1024  # the workspace of Databricks gives files of up to 10 MB
SAVE_EVERY_SECONDS = 30.0


def support_files() -> dict[str, Path]:
    """The files that stand beside a job's own, by name."""
    return {"entry.py": Path(str(entry.__file__)), "redaction.py": Path(str(redaction.__file__))}


def settings_of(
    job: Job,
    *,
    folder: str | None = None,
    archive: str | None = None,
    mark: str | None = None,
    here: bool = False,
    scope: str | None = None,
    environment: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What the first program is told; names of secrets, never a value.

    Args:
        job: What runs.
        folder: Working folder; a temporary one without it.
        archive: Archive among the inputs that holds the job's files.
        mark: What the lines begin with by which outputs come back through the log.
        here: Whether the script runs in the first program's own process.
        scope: Secret scope of Databricks.
        environment: Plain variables that nothing else sets there.
    """
    return {
        "script": job.script.name,
        "arguments": job.arguments,
        "outputs": job.outputs,
        "secrets": list(job.secrets),
        "folder": folder,
        "archive": archive,
        "mark": mark,
        "here": here,
        "scope": scope,
        "environment": environment or {},
        "save_every_seconds": SAVE_EVERY_SECONDS,
        "limit_bytes": LOG_LIMIT_BYTES if mark else FILE_LIMIT_BYTES,
    }


def archive_of(job: Job) -> bytes:
    """The job's script and files as one archive."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        files = {**support_files(), job.script.name: job.script, **job.files}
        for path, file in files.items():
            tar.add(file, arcname=path)
    return content.getvalue()


def unpacked(content: bytes, job: Job, folder: Path) -> dict[str, Any]:
    """Put the outputs of an archive into a folder; what the first program tells about the run.

    Args:
        content: The archive.
        job: What ran; nothing but its outputs is taken.
        folder: Where they go.
    """
    usage: dict[str, Any] = {"exit_code": None, "peak_memory_mb": None, "too_large": []}
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        for member in tar.getmembers():
            source = tar.extractfile(member) if member.isfile() else None
            if source and member.name == entry.USAGE:
                usage |= json.loads(source.read())
            elif source and member.name in job.outputs:
                place = folder / member.name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(source.read())
    return usage


def too_large(usage: dict[str, Any], limit_bytes: int, place: str) -> str | None:
    """What to say of outputs that did not fit.

    Args:
        usage: What the first program told.
        limit_bytes: What fits.
        place: Name of the system that they do not come back from.
    """
    if not usage["too_large"]:
        return None
    names = ", ".join(usage["too_large"])
    return (
        f"{names}: outputs of more than {limit_bytes / 1e6:.0f} MB compressed do not come back from {place}; "
        "write them to object storage"
    )
