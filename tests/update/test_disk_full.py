"""A disk that fills up during an update costs nothing, however much was free at its start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.update.worlds import TemplateRepository, figure, git

pytestmark = pytest.mark.e2e

# Runs in a mount namespace of its own: mounts a small disk, and lets an update run out of it at many places.
SCRIPT = """\
import json, os, pathlib, shutil, subprocess, sys
disk, original, free = pathlib.Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
results = []
for kilobytes in free:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], check=True)
    project = disk / "project"
    shutil.copytree(original, project, symlinks=True)
    left = os.statvfs(disk)
    filler = left.f_bavail * left.f_frsize - kilobytes * 1024
    (disk / "filler").write_bytes(b"x" * filler)
    done = subprocess.run([sys.executable, "tools/update.py"], cwd=project, capture_output=True, text=True)
    (disk / "filler").unlink()
    if done.returncode:
        recovery = "git checkout --force main && git clean -fd"
        recovered = subprocess.run(recovery, shell=True, cwd=project, capture_output=True, text=True)
    same = subprocess.run(["diff", "--recursive", "--exclude=.git", original, project], capture_output=True, text=True)
    status = subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, text=True)
    fsck = subprocess.run(["git", "fsck", "--connectivity-only"], cwd=project, capture_output=True, text=True)
    results.append([kilobytes, done.returncode, done.stderr, same.stdout, status.stdout, fsck.returncode])
    subprocess.run(["umount", disk], check=True)
print(json.dumps(results))
"""


def test_an_update_on_a_full_disk_is_undone_or_recovered(tmp_path: Path, template_repository: TemplateRepository):
    many = {f"f{n}.txt": f"{n}\n" * 2000 for n in range(40)}
    template_repository.release("v1.0.0", many)
    project = template_repository.project(tmp_path / "project", "v1.0.0")
    template_repository.release("v2.0.0", {name: text + "more\n" * 3000 for name, text in many.items()})
    (tmp_path / "disk").mkdir()
    free = [0, 4, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 4096]
    command = ["unshare", "--map-root-user", "--mount", sys.executable, "-c", SCRIPT]
    command += [str(tmp_path / "disk"), str(project.path), json.dumps(free)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    failed = [result for result in results if result[1]]
    assert len(failed) >= 5, "the disk was never full: the sizes are badly chosen"
    assert results[-1][1] == 0, results[-1]
    for kilobytes, code, said, difference, status, fsck in failed:
        assert code == 2, (kilobytes, said)
        assert "Traceback" not in said, (kilobytes, said)
        assert (difference, status, fsck) == ("", "", 0), (kilobytes, said)
        figure("full disks survived")
    assert git(project.path, "status", "--porcelain") == ""


def test_an_answer_that_was_edited_by_hand_costs_nothing(tmp_path: Path, template_repository: TemplateRepository):
    lines = "".join(f"line {n}\n" for n in range(1, 20))
    template_repository.release("v1.0.0", {"a.txt.jinja": "[= name =]\n" + lines})
    project = template_repository.project(tmp_path / "project", "v1.0.0", {"name": "first"})
    answers = project.read(".copier-answers.yml").replace(b"first", b"second")
    project.edit({".copier-answers.yml": answers, "a.txt": f"first\n{lines}mine\n"})
    template_repository.release("v2.0.0", {"a.txt.jinja": "[= name =]\nnew\n" + lines})
    done = project.update()
    assert done.returncode in (0, 1), done.stderr
    text = project.read("a.txt").decode()
    assert {"first", "mine"} <= set(text.splitlines())
    assert project.answers()["name"] == "second"
