"""Install the wheel of dist/ in an empty environment, run the tests against it, and list what was installed.

    python3 tools/test_wheel.py      # after uv build

Versions are those of uv.lock. It writes sbom.cdx.json, a CycloneDX list of everything that the tests ran with.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command and show its output.

    Raises:
        SystemExit: it failed.
    """
    if code := subprocess.run(command, cwd=cwd).returncode:
        sys.exit(f"This command failed with exit code {code}: {' '.join(map(str, command))}")


def main() -> None:
    """Build the environment, test, and write the list.

    Raises:
        SystemExit: there is not exactly one wheel, or a step failed.
    """
    wheels = sorted((ROOT / "dist").glob("*.whl"))
    if len(wheels) != 1:
        sys.exit(f"dist/ holds {len(wheels)} wheels, expected one: remove dist/ and run uv build")
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"].get("uv", {}).get("override-dependencies")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        python = place / "env" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        (place / "overrides.txt").write_text("\n".join(overrides or []))
        export = ["uv", "export", "--quiet", "--no-hashes", "--no-emit-project", "--group", "release"]
        run(*export, "--output-file", place / "locked.txt")
        run("uv", "venv", "--quiet", place / "env")
        install = ["uv", "pip", "install", "--quiet", "--python", python, "--override", place / "overrides.txt"]
        run(*install, "--requirements", place / "locked.txt", f"{wheels[0]}[all]")
        run(python, "-m", "pytest", ROOT / "tests", "--rootdir", ROOT, "-p", "no:cacheprovider", cwd=place)
        sbom = ["cyclonedx_py", "environment", "--output-reproducible", "--of", "JSON", "-o", ROOT / "sbom.cdx.json"]
        run(python, "-m", *sbom, python)


if __name__ == "__main__":
    main()
