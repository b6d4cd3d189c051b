"""The update command of a project, run without starting Python and Copier anew for each step.

Starting them takes most of an update's time. The histories test many updates, so there Copier is called as a library;
what the command itself does is the same.
"""

import contextlib
import importlib.util
import io
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import copier
from copier import VcsRef

from tests.update.worlds import Project

MODULES = ("update_changelog", "update_merge", "update")


def load(tools: Path) -> dict[str, ModuleType]:
    """The project's own modules, freshly loaded from its folder; older releases have fewer."""
    made = {}
    for name in MODULES:
        if not (tools / f"{name}.py").is_file():
            continue
        spec = importlib.util.spec_from_file_location(name, tools / f"{name}.py")
        assert spec
        assert spec.loader
        made[name] = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made[name])
    return made


def called(command: list[str]) -> None:
    """What a copier command line does, done by its functions."""
    verb, *words = command[command.index("copier") + 1 :]
    options: dict[str, Any] = {"defaults": True, "quiet": True}
    arguments = iter(words[:-1])
    for word in arguments:
        if word.startswith("--context-lines="):
            options["context_lines"] = int(word.partition("=")[2])
        elif word == "--overwrite":
            options["overwrite"] = True
        elif word == "--answers-file":
            options["answers_file"] = next(arguments)
        elif word == "--data":
            name, _, value = next(arguments).partition("=")
            options.setdefault("data", {})[name] = value
        elif word == "--vcs-ref=:current:":
            options["vcs_ref"] = VcsRef.CURRENT
        else:
            assert word in ("--defaults", "--quiet"), word
    if verb == "update":
        copier.run_update(words[-1], overwrite=True, **options)
    else:
        copier.run_recopy(words[-1], **options)


def update(project: Project, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the project's update command in this process."""
    saved = {name: sys.modules.get(name) for name in MODULES}
    out, err = io.StringIO(), io.StringIO()
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # the project stays as it is committed
    try:
        modules = load(project.path / "tools")
        real, stop = modules["update_merge"].run, modules["update_merge"].Stop

        def run(command: list[str], cwd: Path, *rest: Any, **more: Any) -> str:
            if command[1:3] != ["-m", "copier"]:
                return str(real(command, cwd, *rest, **more))
            try:
                called(command)
            except Exception as error:
                raise stop(f"`{' '.join(command)}` failed:\n  {error}") from error
            return ""

        with (
            mock.patch.object(modules["update_merge"], "run", run),
            mock.patch.object(sys, "argv", ["update.py", *options]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = modules["update"].main()
    finally:
        sys.dont_write_bytecode = writes_bytecode
        for name, module in saved.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
    return subprocess.CompletedProcess(["update.py"], code, out.getvalue(), err.getvalue())
