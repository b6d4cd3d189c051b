"""The script that a notebook's job runs, wherever that is: papermill, with secrets kept out of every file it writes.

It runs alone in the job's folder: it has the standard library, papermill, and the module ``redaction`` beside it.
"""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

SETTINGS = "settings.json"
SOURCE = "source.ipynb"
RENDERED = "rendered.ipynb"
REPORT = "report.json"
METADATA_TYPE = "application/vnd.dagster.metadata+json"
SCRAP_TYPE = "application/scrapbook.scrap.json+json"
INJECTED = "injected-parameters"
_KEPT_AS_THEY_ARE = {"output_type", "name", "cell_type", "id"}


def redacted_notebook(text: str, redact: Callable[[str], str]) -> str:
    """A notebook's JSON without secrets; its structure stays, whatever the secrets are."""
    try:
        notebook = json.loads(text)
    except ValueError:
        return redact(text)
    for cell in notebook.get("cells", []):
        for key in ("source", "outputs", "attachments", "metadata"):
            if key in cell:
                cell[key] = _redacted_value(cell[key], redact)
    if "papermill" in notebook.get("metadata", {}):
        notebook["metadata"]["papermill"] = _redacted_value(notebook["metadata"]["papermill"], redact)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _redacted_value(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):  # lines of one text: a secret may span several
            joined = "".join(value)
            return value if redact(joined) == joined else redact(joined).splitlines(keepends=True)
        return [_redacted_value(item, redact) for item in value]
    if isinstance(value, dict):
        return {key: item if key in _KEPT_AS_THEY_ARE else _redacted_value(item, redact) for key, item in value.items()}
    return value


def recorded(notebook: dict[str, Any]) -> dict[str, Any]:
    """The values that a notebook recorded for Dagster, by name; of a name recorded twice, the last."""
    values: dict[str, Any] = {}
    for cell in notebook.get("cells", []):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if isinstance(given := data.get(METADATA_TYPE), dict):
                values.update({str(name): value for name, value in given.items()})
            if isinstance(scrap := data.get(SCRAP_TYPE), dict) and "name" in scrap:
                values[str(scrap["name"])] = scrap.get("data")
    return values


class _CleanFile:
    """Lets papermill write only what has no secret in it."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact

    def write(self, text: str, path: str) -> None:
        file = Path(path.partition(":")[2])
        unfinished = file.with_suffix(".part")
        unfinished.write_text(redacted_notebook(text, self._redact), encoding="utf-8")
        unfinished.replace(file)  # a notebook that is ended half-way is whole on disk

    def pretty_path(self, path: str) -> str:
        return path.partition(":")[2]


class _CleanStream:
    """The output of cells, passed on by whole lines without secrets."""

    def __init__(self, stream: TextIO, redact: Callable[[str], str]) -> None:
        self._stream, self._redact, self._rest = stream, redact, ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            self._stream.write(self._redact("\n".join(lines)) + "\n")
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def finish(self) -> None:
        if self._rest:
            self.write("\n")
        self.flush()


def failure_of(error: BaseException, settings: dict[str, Any]) -> dict[str, Any]:
    """What went wrong, with the cell where one did: the number counts the author's own cells."""
    kind = type(error).__name__
    if kind == "PapermillExecutionError":
        found: Any = error
        index = found.cell_index
        if settings["injected_before"] is not None and index > settings["injected_before"]:
            index -= 1
        return {
            "cell": index + 1,
            "source": found.source,
            "error": f"{found.ename}: {found.evalue}" if found.evalue else found.ename,
            "traceback": "\n".join(found.traceback),
        }
    if kind == "NoSuchKernel":
        return {
            "error": f"the kernel {settings['kernel']!r} is not installed where the notebook ran; install ipykernel "
            "there, or set kernel to one that is"
        }
    if kind == "DeadKernelError":
        return {"error": "the kernel died; mostly it used more memory than the machine, or the size, has"}
    if kind == "ModuleNotFoundError":
        return {"error": f"{error}; the place where the notebook runs needs papermill, nbformat and ipykernel"}
    if isinstance(error, SystemExit):
        return {"error": "it was ended before it was done"}
    return {"error": f"{kind}: {error}"}


def main() -> int:
    """Run the notebook as ``settings.json`` says; the exit code of the script."""
    settings = json.loads(Path(SETTINGS).read_text(encoding="utf-8"))
    from redaction import redacted  # beside this file in the job's folder

    secrets = [os.environ[name] for name in settings["secrets"] if os.environ.get(name)]

    def redact(text: str) -> str:
        return str(redacted(text, secrets))

    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    except ValueError:  # some runtimes run scripts outside the main thread; they end them by other means
        logging.getLogger(__name__).debug("no signal handler outside the main thread")
    # The history and connection files of the kernel stay with the job, also when several run at once.
    os.environ |= {"IPYTHONDIR": str(Path(".ipython").absolute()), "JUPYTER_RUNTIME_DIR": str(Path(".run").absolute())}
    report: dict[str, Any] = {}
    try:
        _execute(settings, redact)
    except BaseException as error:
        report["failure"] = failure_of(error, settings)
        return 1
    finally:
        if Path(RENDERED).is_file():
            report["recorded"] = recorded(json.loads(Path(RENDERED).read_text(encoding="utf-8")))
        clean = _redacted_value(report, redact)
        Path(REPORT).write_text(json.dumps(clean, indent=1), encoding="utf-8")
        if "failure" in clean:
            place = f"cell {clean['failure']['cell']}: " if "cell" in clean["failure"] else ""
            print(f"failed: {place}{clean['failure']['error']}", flush=True)
    return 0


def _execute(settings: dict[str, Any], redact: Callable[[str], str]) -> None:
    import papermill
    from papermill.iorw import papermill_io

    papermill_io.register("clean:", _CleanFile(redact))
    stream = _CleanStream(sys.stdout, redact)
    try:
        papermill.execute_notebook(
            SOURCE,
            f"clean:{RENDERED}",
            parameters=settings["parameters"] or None,
            kernel_name=settings["kernel"],
            language=settings["language"],
            progress_bar=False,
            stdout_file=stream,
            stderr_file=stream,
        )
    finally:
        stream.finish()


if __name__ == "__main__":
    sys.exit(main())
