"""A dg project for the tests of the command."""

import uuid
from pathlib import Path

POLICY = """\
version: 1
require: [owner, description]
audit: {file: data/audit.jsonl}
waivers:
  - {asset: raw/old, rule: description, owner: team:data, reason: "Goes <soon>.", expires: 2999-01-01}
"""
ASSETS = """\
import dagster as dg

@dg.asset(key=["raw", "good"], owners=["team:data"], description="Good.")
def good(): ...

@dg.asset(key=["raw", "old"], owners=["team:data"])
def old(): ...

@dg.asset(key=["raw", "bad"], description="Bad <&> \\x08.")
def bad(): ...
"""
GOVERNED = """\
from pathlib import Path
import dagster as dg
from components.governance import governed

@dg.definitions
def defs():
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return governed(loaded, Path(__file__).parents[2])
"""
PLAIN = GOVERNED.replace("governed(loaded, Path(__file__).parents[2])", "loaded")


def project(folder: Path, policy: str = POLICY, definitions: str = GOVERNED, assets: str = ASSETS) -> Path:
    """A dg project with three assets: one good, one waived, one bad."""
    name = f"platform_{uuid.uuid4().hex}"
    package = folder / "src" / name
    (package / "defs").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "defs" / "__init__.py").touch()
    (package / "defs" / "assets.py").write_text(assets)
    (package / "definitions.py").write_text(definitions)
    (folder / "policy.yaml").write_text(policy)
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "x"\nversion = "0"\n[tool.dg]\ndirectory_type = "project"\n'
        f'[tool.dg.project]\nroot_module = "{name}"\n'
    )
    return folder


def place(root: Path, line: int) -> str:
    """A line of the file that defines the assets, as reports name it."""
    return f"{next((root / 'src').iterdir()).relative_to(root).as_posix()}/defs/assets.py:{line}"
