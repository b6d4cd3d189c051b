"""A stand-in for the docker command: it parses the real one's flags, and runs the container as a process."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

STATE = Path(os.environ["DOCKER_FAKE_STATE"])
MEMORY = re.compile(r"\d+[bkmg]?")


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        print(f"docker: {message}\n\nRun 'docker run --help' for more information", file=sys.stderr)
        sys.exit(125)


def run(arguments: list[str]) -> int:
    parser = Parser(add_help=False, allow_abbrev=False)
    for flag in ("--name", "--cpus", "--memory", "--memory-swap", "--network", "--user", "--workdir"):
        parser.add_argument(flag)
    for flag in ("--label", "--env", "--volume"):
        parser.add_argument(flag, action="append", default=[])
    parser.add_argument("--rm", action="store_true")
    parser.add_argument("image")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    if not MEMORY.fullmatch(options.memory):
        parser.error(f"invalid argument {options.memory!r} for -m, --memory flag: invalid size")
    if options.image.startswith("missing"):
        print(f"Unable to find image '{options.image}' locally", file=sys.stderr)
        print(f"docker: Error response from daemon: pull access denied for {options.image}", file=sys.stderr)
        return 125
    environment = {"PATH": os.environ["PATH"]}
    for item in options.env:
        name, equals, value = item.partition("=")
        if equals or name in os.environ:
            environment[name] = value if equals else os.environ[name]
    mounts = dict(reversed(volume.rsplit(":", 1)) for volume in options.volume)
    command = [sys.executable if part == "python" else part for part in options.command]
    container = subprocess.Popen(command, cwd=mounts[options.workdir], env=environment, start_new_session=True)
    (STATE / f"{options.name}.pid").write_text(str(container.pid))
    code = container.wait()
    (STATE / f"{options.name}.pid").unlink(missing_ok=True)
    return 128 - code if code < 0 else code


def signal_container(name: str, number: int) -> bool:
    file = STATE / f"{name}.pid"
    if not file.exists():
        print(f"Error response from daemon: No such container: {name}", file=sys.stderr)
        return False
    try:
        os.kill(int(file.read_text()), number)
    except ProcessLookupError:
        return False
    return True


def stop(arguments: list[str]) -> int:
    parser = Parser(add_help=False)
    parser.add_argument("-t", "--timeout", type=int, default=10)
    parser.add_argument("name")
    options = parser.parse_args(arguments)
    if not signal_container(options.name, signal.SIGTERM):
        return 1
    deadline = time.monotonic() + options.timeout
    while (STATE / f"{options.name}.pid").exists():
        if time.monotonic() > deadline:
            signal_container(options.name, signal.SIGKILL)
            return 0
        time.sleep(0.05)
    return 0


def remove(arguments: list[str]) -> int:
    parser = Parser(add_help=False)
    parser.add_argument("-f", "--force", action="store_true")
    parser.add_argument("name")
    signal_container(parser.parse_args(arguments).name, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    with (STATE / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps(sys.argv[1:]) + "\n")
    verbs = {"run": run, "stop": stop, "rm": remove}
    if sys.argv[1] not in verbs:
        print(f"docker: '{sys.argv[1]}' is not a docker command.", file=sys.stderr)
        sys.exit(1)
    sys.exit(verbs[sys.argv[1]](sys.argv[2:]))
