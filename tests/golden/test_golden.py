"""What the templates render to, as reviewed and committed."""

import subprocess
import sys

from tests.rendering import ROOT


def test_every_answer_set_renders_to_its_golden_tree():
    done = subprocess.run([sys.executable, "tools/golden.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
