"""Jobs as processes of this machine."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from .job import EndedBy, Job, JobResult
from .log import JobLog
from .processes import MARK, ProcessTree
from .streams import Lines
from .watch import Watch, result_of

GRACE_SECONDS = 5.0
_MEASURE_SECONDS = 0.2

# What a process needs to start at all. Everything else is named by the job, as it must be for a remote machine:
# a secret of the environment that a component does not name does not reach its script.
_INHERITED = {
    *("PATH", "HOME", "USER", "LOGNAME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA"),
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "PROGRAMDATA", "NUMBER_OF_PROCESSORS"),
    *("LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "JAVA_HOME"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CUDA_VISIBLE_DEVICES"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
}
_INHERITED_PREFIXES = ("LC_", "PYTHON", "JUPYTER", "XDG_", "SPARK_", "HADOOP_", "CONDA_")

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)


def run_local(job: Job, folder: Path, log: Callable[[str], None]) -> JobResult:
    """Run a job that is laid out in its folder.

    Memory is measured up to five times a second over all processes of the job, and a job that passes that of its size
    is ended; a limit of the operating system would count address space, of which the JVM and NumPy reserve far more.
    """
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-u", job.script.name, *job.arguments],
        cwd=folder,
        env={**inherited(), **thread_variables(job.size.threads), **job.environment, **job.secrets, MARK: mark},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    tree = ProcessTree(process.pid, mark)
    try:
        return _watched(job, folder, JobLog(log, job.secrets.values()), process, tree)
    finally:  # also when the run is cancelled; and what a script left in the background ends with it
        tree.end(GRACE_SECONDS)
        process.wait()


def inherited() -> dict[str, str]:
    """The variables that a local job has from this process."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or name.upper() in _INHERITED or name.startswith(_INHERITED_PREFIXES)
    }


def thread_variables(threads: int) -> dict[str, str]:
    """The variables that hold numeric libraries to a number of threads."""
    return dict.fromkeys(_THREAD_VARIABLES, str(threads))


def _watched(job: Job, folder: Path, log: JobLog, process: subprocess.Popen[bytes], tree: ProcessTree) -> JobResult:
    lines = Lines(process)
    watch = Watch(job)
    watch.started()
    limit_mb = job.size.memory_gb * 1024
    peak, measured, pause = 0.0, 0.0, _MEASURE_SECONDS
    ended_by: EndedBy | None = None
    while process.poll() is None:
        lines.pass_on(log)
        used, began = 0.0, time.monotonic()
        if began - measured > pause:
            used = tree.memory_mb()
            if used > limit_mb:
                used = tree.exact_memory_mb()
            peak, measured = max(peak, used), time.monotonic()
            pause = max(
                _MEASURE_SECONDS, 20 * (measured - began)
            )  # at most a twentieth of a core, however many run here
        ended_by = "max_memory" if used > limit_mb else watch.passed()
        if ended_by and process.poll() is None:
            tree.end(GRACE_SECONDS)
            break
        ended_by = None
    process.wait()
    watch.ended()
    lines.drain(log)
    return result_of(job, folder, log, watch, process.returncode, ended_by or "itself", peak_memory_mb=peak or None)
