"""The first program of a job that runs elsewhere: it runs the script, and sends back what came of it.

It runs alone in an image or on a cluster: it has the standard library, and the module ``redaction`` beside it.
"""

import base64
import hashlib
import io
import json
import os
import runpy
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

SETTINGS = "entry.json"
USAGE = "entry-usage.json"
RESULTS = "entry-results.tar.gz"
FRAME_LENGTH = 12_000  # a container runtime splits lines of 16 kB
_GRACE_SECONDS = 5.0
_TERMINATED = 143
_MEGABYTE = 1024 * 1024
_PEAKS = ("/sys/fs/cgroup/memory.peak", "/sys/fs/cgroup/memory/memory.max_usage_in_bytes")


def run_script(settings: dict[str, Any]) -> int:
    """Run the script as a process, with its log redacted; its exit code, 128 and more for a signal."""
    process = subprocess.Popen(
        [sys.executable, "-u", settings["script"], *settings["arguments"]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )

    def end(number: int, frame: FrameType | None) -> None:
        process.terminate()
        killer = threading.Timer(_GRACE_SECONDS, process.kill)
        killer.daemon = True
        killer.start()

    signal.signal(signal.SIGTERM, end)
    redact = redactor(settings["secrets"])
    if process.stdout:
        for line in io.TextIOWrapper(process.stdout, errors="replace"):
            print(redact(line), end="", flush=True)
    code = process.wait()
    return 128 - code if code < 0 else code


def run_here(settings: dict[str, Any]) -> int:
    """Run the script in this process, where the runtime's own session (Spark on Databricks) can only be had here."""
    folder = Path.cwd()
    sys.argv = [settings["script"], *settings["arguments"]]
    sys.path.insert(0, str(folder))
    real = (sys.stdout, sys.stderr)
    redact = redactor(settings["secrets"])
    sys.stdout = sys.stderr = _Redacting(real[0], redact)
    try:
        runpy.run_path(settings["script"], run_name="__main__")
        return 0
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stdout, sys.stderr = real


class _Redacting(io.TextIOBase):
    """A stream that passes on whole lines without secrets."""

    def __init__(self, stream: Any, redact: Any) -> None:
        self._stream, self._redact, self._rest = stream, redact, ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            self._stream.write(self._redact("\n".join(lines)) + "\n")
        return len(text)

    def flush(self) -> None:
        if self._rest:
            self._stream.write(self._redact(self._rest))
            self._rest = ""
        self._stream.flush()


def redactor(names: list[str]) -> Any:
    """What takes the values of some variables out of a text."""
    values = [os.environ[name] for name in names if os.environ.get(name)]
    if not values:
        return str
    from redaction import redacted  # beside this file in the job's folder

    return lambda text: redacted(text, values)


def peak_memory_mb() -> float | None:
    """Most megabytes that this container held."""
    for file in _PEAKS:
        try:
            return int(Path(file).read_text()) / _MEGABYTE
        except (OSError, ValueError):
            continue
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def packed(settings: dict[str, Any], code: int | None, folder: Path) -> bytes:
    """The outputs that are there and fit, with what is to be told about the run, as one archive."""
    archive = io.BytesIO()
    usage: dict[str, Any] = {"exit_code": code, "peak_memory_mb": None, "too_large": []}
    if not settings["here"]:
        usage["peak_memory_mb"] = peak_memory_mb()
    used = 0
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for path in settings["outputs"]:
            file = folder / path
            if not file.is_file():
                continue
            single = io.BytesIO()
            with tarfile.open(fileobj=single, mode="w:gz") as alone:
                alone.add(file, arcname=path)
            if used + len(single.getvalue()) > settings["limit_bytes"]:
                usage["too_large"].append(path)
            else:
                used += len(single.getvalue())
                tar.add(file, arcname=path)
        content = json.dumps(usage).encode()
        about = tarfile.TarInfo(USAGE)
        about.size = len(content)
        tar.addfile(about, io.BytesIO(content))
    return archive.getvalue()


def send(content: bytes, mark: str) -> None:
    """Write bytes to the log, in lines that begin with a mark; each has its number, the last one the checksum."""
    text = base64.b64encode(content).decode()
    pieces = [text[start : start + FRAME_LENGTH] for start in range(0, len(text), FRAME_LENGTH)]
    sys.stdout.flush()
    for number, piece in enumerate(pieces):
        print(f"{mark} {number} {piece}")
    print(f"{mark} end {len(pieces)} {hashlib.sha256(content).hexdigest()}", flush=True)


def main() -> int:
    """Do as ``entry.json`` in the folder of the first argument says; the exit code of the script."""
    inputs = Path(sys.argv[1]).absolute()
    settings = json.loads((inputs / SETTINGS).read_text(encoding="utf-8"))
    os.environ.update(settings["environment"])
    os.chdir(settings["folder"] or tempfile.mkdtemp(prefix="job-"))
    if settings["archive"]:
        with tarfile.open(inputs / settings["archive"]) as tar:
            safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # not in every 3.10
            tar.extractall(".", **safely)  # type: ignore[arg-type]  # noqa: S202 - the archive is the job's own
    sys.path.insert(0, str(Path.cwd()))
    _read_scope(settings)
    folder = Path.cwd()
    if settings["here"]:
        return _run_here_and_save(settings, folder, inputs / RESULTS)
    code = run_script(settings)
    if settings["mark"]:
        send(packed(settings, code, folder), settings["mark"])
    else:
        usage = {"exit_code": code, "peak_memory_mb": peak_memory_mb()}
        Path(USAGE).write_text(json.dumps(usage), encoding="utf-8")
    return code


def _run_here_and_save(settings: dict[str, Any], folder: Path, results: Path) -> int:
    """Run the script in this process; save the outputs now and then, as a run that is cancelled gets no time to."""
    is_over = threading.Event()

    def save(code: int | None) -> None:
        unfinished = results.with_suffix(".part")
        unfinished.write_bytes(packed(settings, code, folder))
        unfinished.replace(results)

    def keep_saving() -> None:
        while not is_over.wait(settings["save_every_seconds"]):
            save(None)

    saver = threading.Thread(target=keep_saving, daemon=True)
    saver.start()
    code = run_here(settings)
    is_over.set()
    saver.join()
    save(code)
    return code


def _read_scope(settings: dict[str, Any]) -> None:
    """Secrets from a secret scope of Databricks, where no cluster of the job's own could be given them."""
    missing = [name for name in settings["secrets"] if name not in os.environ]
    if settings["scope"] and missing:
        from databricks.sdk.runtime import dbutils

        for name in missing:
            os.environ[name] = dbutils.secrets.get(settings["scope"], name)


if __name__ == "__main__" and (_code := main()):  # some runtimes take even exit code 0 for a failure
    sys.exit(_code)
