"""What the repository's two commands need before they can start: uv, and Debian's packages where tests use servers.

Standard library only: it runs on a fresh machine with Python 3.11 and git.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "build" / "tools"
COPIER = "copier>=9.18,<10"


def say(text: str) -> None:
    """Print one line at once, also where output is a pipe."""
    print(text, flush=True)


@contextmanager
def phase(name: str, timings: dict[str, float]) -> Iterator[None]:
    """Announce a phase, and note how many seconds it took."""
    say(f"\n== {name}")
    start = time.monotonic()
    yield
    timings[name] = time.monotonic() - start


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment for child processes: no foreign virtual environment, bytecode kept (it halves every start)."""
    dropped = {"VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH"}
    return {key: value for key, value in os.environ.items() if key not in dropped} | extra


def uv() -> str:
    """The path of a uv executable; where there is none, one is installed under build/tools.

    Raises:
        SystemExit: with the command to run, where neither venv nor pip is there.
    """
    found = shutil.which("uv") or shutil.which(str(TOOLS / "bin" / "uv")) or shutil.which(str(TOOLS / "Scripts" / "uv"))
    if found:
        return found
    say("   uv is not installed: putting it into build/tools")
    if subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True).returncode:
        debian("python3-venv")
    TOOLS.parent.mkdir(exist_ok=True)
    run([sys.executable, "-m", "venv", str(TOOLS)])
    run([str(next(TOOLS.glob("*/pip*"))), "install", "--quiet", "--disable-pip-version-check", "uv"])
    return uv()


def debian(*packages: str) -> None:
    """Install Debian packages, as root; otherwise stop and say what to install."""
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    if os.name != "posix" or not shutil.which("apt-get") or os.geteuid() != 0:
        sys.exit(f"Missing on this machine: {', '.join(packages)}. Install it, for instance: sudo {' '.join(command)}")
    say(f"   installing {', '.join(packages)}")
    environment = clean_environment(DEBIAN_FRONTEND="noninteractive")
    subprocess.run(["apt-get", "update", "--quiet"], env=environment, stdout=subprocess.DEVNULL)
    run([*command, "--quiet"], env=environment)


def run(command: Sequence[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run a command and show its output.

    Raises:
        SystemExit: with the command, where it fails.
    """
    done = subprocess.run(command, cwd=cwd, env=env or clean_environment())
    if done.returncode:
        sys.exit(f"\nThis command failed with exit code {done.returncode}:\n  {' '.join(map(str, command))}")


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a server that was started in a session of its own, with all its children: politely, then for good."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
