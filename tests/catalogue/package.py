"""A component package in a temporary folder, with its catalogue's tools and docs as a rendered one has them."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

from component_lists import imports, root_modules

ROOT = Path(__file__).resolve().parents[2]
PAYLOAD = ROOT / "templates" / "component-package"
NAME = "acme_components"

PYPROJECT = f"""\
[project]
name = "acme-components"
version = "0"

[project.entry-points."dagster_dg_cli.registry_modules"]
{NAME} = "{NAME}"
"""

INIT = '''\
"""The components of Acme."""

from importlib import import_module

_FAMILIES = {families}


def __getattr__(name):
    if name not in _FAMILIES:
        raise AttributeError(name)
    return getattr(import_module(f".{{_FAMILIES[name]}}", __name__), name)


def __dir__():
    return sorted(_FAMILIES)
'''

COMPONENT = '''\
"""{about}"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import dagster as dg

from ..attributes import Owners, Tags
from ..base import StrictComponent, StrictModel
from ..renamed import Renamed


{groups}@dataclass
class {name}(StrictComponent):
    """{summary}

    {prose}

    .. code-block:: yaml

{example}
    """

{attributes}

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions()
'''


def indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line if line.strip() else "" for line in dedent(text).strip().splitlines())


@dataclass
class Package:
    """A package in ``root`` whose components a test writes."""

    root: Path
    components: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, root: Path, components: dict[str, str]) -> "Package":
        """A package that stands already."""
        package = object.__new__(cls)
        package.root, package.components = root, dict(components)
        return package

    def __post_init__(self) -> None:
        source = self.root / "src" / NAME
        source.mkdir(parents=True)
        (self.root / "pyproject.toml").write_text(PYPROJECT)
        shutil.copytree(PAYLOAD / "tools" / "catalogue", self.root / "tools" / "catalogue")
        shutil.copytree(PAYLOAD / "docs", self.root / "docs", ignore=shutil.ignore_patterns("*.jinja"))
        for module in root_modules():
            shutil.copy(ROOT / "components" / module, source)
        for family in ("governance", *imports("governance")):
            shutil.copytree(ROOT / "components" / family, source / family)

    @property
    def source(self) -> Path:
        return self.root / "src" / NAME

    @property
    def docs(self) -> Path:
        return self.root / "docs"

    @property
    def generated(self) -> Path:
        return self.docs / "_generated"

    def page(self, path: str) -> str:
        return (self.generated / path).read_text()

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def component(
        self,
        name: str,
        attributes: str,
        *,
        family: str = "warehouse",
        summary: str = "Does something.",
        prose: str = "It does it well.",
        groups: str = "",
        example: str | None = None,
    ) -> None:
        """Write, or write again, one component in a module of its own."""
        folder = self.source / family
        folder.mkdir(exist_ok=True)
        yaml = example if example is not None else f"type: components.{name}\nattributes: {{}}"
        text = COMPONENT.format(
            about=summary,
            name=name,
            summary=summary,
            prose=prose,
            groups=f"{dedent(groups).strip()}\n\n\n" if groups else "",
            example=indented(yaml, 8),
            attributes=indented(attributes, 4) or "    pass",
        )
        if not yaml:
            text = text.replace("    .. code-block:: yaml\n\n\n", "")
        (folder / f"{name.lower()}.py").write_text(text)
        self.components[name] = f"{family}.{name.lower()}"
        (folder / "__init__.py").write_text(f'"""The {family} of Acme."""\n')
        self.write_init()

    def remove(self, name: str) -> None:
        del self.components[name]
        self.write_init()

    def write_init(self) -> None:
        """The package's own module, which imports each component when it is asked for."""
        (self.source / "__init__.py").write_text(INIT.format(families=self.components))

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    def tag(self, version: str) -> None:
        if not (self.root / ".git").exists():
            self.git("init", "-q", "-b", "main")
            self.write(".gitignore", "__pycache__/\n/docs/_build/\n/docs/_generated/\n")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", version)
        self.git("tag", version)

    def catalogue(self, *arguments: str | Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command as the README has it; the package is on the path instead of being installed."""
        return subprocess.run(
            [sys.executable, "tools/catalogue", *map(str, arguments)],
            cwd=self.root,
            env=environment(self.root / "src", path),
            capture_output=True,
            text=True,
        )


def environment(*sources: Path | None) -> dict[str, str]:
    """This process's variables, with folders that modules are found in first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER", "PYTHON"))}
    return {**kept, "PYTHONPATH": os.pathsep.join(str(source) for source in reversed(sources) if source)}
