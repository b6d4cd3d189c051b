"""The renderings that stay in the project: the notebook and a page of it, the last ones of each asset."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .run import redacted_notebook

FOLDER = "data/notebooks"


@dataclass(frozen=True)
class Rendering:
    """A notebook as it came out of a run.

    Args:
        notebook: The ``.ipynb``.
        page: The same as HTML; None where nbconvert is not installed, or cannot read it.
    """

    notebook: Path
    page: Path | None

    @property
    def folder(self) -> Path:
        """Folder for the files that the notebook wrote."""
        return self.notebook.with_suffix("")


def keep(
    rendered: Path, project_root: Path, asset: list[str], name: str, redact: Callable[[str], str], number: int
) -> Rendering:
    """Put a rendered notebook into the project, without secrets, and drop the oldest beyond a number.

    Args:
        rendered: The notebook as it came back; it may lack cells, or stop half-way.
        project_root: Folder of the project.
        asset: Parts of the asset key.
        name: What tells this rendering from others, such as partition and run.
        redact: Takes secrets out of a text.
        number: How many notebooks of the asset stay.
    """
    folder = project_root.joinpath(FOLDER, *map(_file_name, asset))
    folder.mkdir(parents=True, exist_ok=True)
    notebook = folder / f"{_file_name(name)}.ipynb"
    notebook.write_text(redacted_notebook(rendered.read_text(encoding="utf-8"), redact), encoding="utf-8")
    page = _page(notebook)
    older = sorted(
        (file for file in folder.glob("*.ipynb") if file != notebook),
        key=lambda file: file.stat().st_mtime,
        reverse=True,
    )
    for file in older[number - 1 :]:
        file.unlink(missing_ok=True)
        file.with_suffix(".html").unlink(missing_ok=True)
        shutil.rmtree(file.with_suffix(""), ignore_errors=True)
    return Rendering(notebook, page)


def _page(notebook: Path) -> Path | None:
    try:
        from nbconvert import HTMLExporter

        text, _ = HTMLExporter().from_filename(str(notebook))
    except Exception:
        # The page is for convenience: a notebook that nbconvert cannot read is still kept.
        return None
    page = notebook.with_suffix(".html")
    page.write_text(text, encoding="utf-8")
    return page


def _file_name(text: str) -> str:
    """The text as a file name that is legal everywhere."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip(".-")[:120] or "notebook"
