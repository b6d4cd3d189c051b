"""The catalogue of a package of 40 components, timed: from nothing, again, and after one change.

    uv run python bench/catalogue.py [components]

The package has the library's own components, and as many further ones as are missing; it has three releases.
"""

import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from component_lists import components, families  # noqa: E402

from tests.catalogue.package import NAME, Package  # noqa: E402 the path comes first
from tests.catalogue.test_build import ATTRIBUTES, COLUMN, EXAMPLE, POLICY  # noqa: E402


def library_package(root: Path, count: int) -> Package:
    """A package of ``count`` components: the library's, and copies of a typical one."""
    package = Package(root)
    package.write(f"src/{NAME}/policy.yaml", POLICY)
    for family in families():
        shutil.copytree(ROOT / "components" / family, package.source / family, dirs_exist_ok=True)
    # Vendors' components are as many as their libraries that are installed, and take seconds to import.
    found = {name: family for family in families() if family != "stock" for name in components(family)}
    for number in range(count - len(found)):
        name = f"Table{number}Component"
        example = EXAMPLE.replace("TableComponent", name)
        package.component(name, ATTRIBUTES, family="tables", groups=COLUMN, example=example, summary="A table.")
    package.components.update(found)
    package.write_init()
    return package


def seconds(package: Package, *arguments: str | Path) -> str:
    """How long the command takes, by the clock and in processor time, in seconds.

    Raises:
        SystemExit: it failed.
    """
    start, before = time.perf_counter(), processor_time()
    done = package.catalogue(*arguments)
    if done.returncode:
        sys.exit(done.stderr)
    return f"{time.perf_counter() - start:.1f} s ({processor_time() - before:.1f} s CPU)"


def processor_time() -> float:
    """What finished child processes have used, in seconds; a busy machine does not change it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(count: int) -> None:
    """Make the package and print what its catalogue costs."""
    with tempfile.TemporaryDirectory() as folder:
        package = library_package(Path(folder) / "package", count)
        package.write("../user/defs/a/defs.yaml", f"type: {NAME}.Table0Component\n")
        first = seconds(package)
        for tag in ("v1.0.0", "v1.1.0", "v2.0.0"):
            package.tag(tag)
        tags = seconds(package, "--no-site")
        shutil.rmtree(package.generated)
        shutil.rmtree(package.docs / "_build")
        whole = seconds(package, "--repositories", Path(folder) / "user")
        again = seconds(package, "--repositories", Path(folder) / "user")
        entries = len(list((package.generated / "components").glob("*Component.md")))
    print(
        f"{entries} components\n  site from nothing            {whole}\n  again, nothing changed       {again}\n"
        f"  the first build of all       {first}\n  without site, three new tags {tags}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
