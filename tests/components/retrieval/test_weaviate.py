"""Weaviate's client in an environment of its own, held to the contract of all vector stores."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import uv

ROOT = Path(__file__).parents[3]
PACKAGES = ["weaviate-client>=4.23,<5", "numpy>=2,<3", "dagster==1.13.27", "pytest>=9,<10"]


@pytest.mark.e2e
@pytest.mark.slot("ai", "weaviate", "fake")
def test_weaviate_keeps_the_contract_of_all_vector_stores() -> None:
    command = [uv(), "run", "--isolated", "--no-project", "--python", sys.executable]
    command += [part for package in PACKAGES for part in ("--with", package)]
    command += ["python", "-m", "pytest", "-q", "-x", "-c", os.devnull, f"--rootdir={ROOT}", "--noconftest"]
    command += ["--import-mode=importlib", "-p", "no:cacheprovider", "-p", "tests.components.retrieval.weaviate_kind"]
    command += [str(Path(__file__).with_name("test_stores.py"))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "17 passed" in done.stdout
