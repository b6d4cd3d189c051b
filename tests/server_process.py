"""What tests need to start a server process of their own."""

import os
import pwd
import socket
import subprocess
import tempfile
from pathlib import Path


def as_owner(folder: Path, account: str) -> list[str]:
    """The start of a command that runs as a server's account, which gets the folder: servers refuse to run as root."""
    if os.getuid() != 0:
        return []
    owner = pwd.getpwnam(account)
    for path in (folder, *folder.iterdir()):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return ["runuser", "-u", account, "--"]


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command: list[str], **options: object) -> str:
    """What a command prints; raises RuntimeError with it where it fails."""
    # A server that the command leaves behind inherits its output: a pipe would stay open for as long as that runs.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False, **options)
        output.seek(0)
        text = output.read()
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} ended with exit code {done.returncode}:\n{text}")
    return text
