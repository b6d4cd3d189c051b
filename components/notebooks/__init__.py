"""Notebooks: Jupyter notebooks as assets, run with approved compute and kept as they came out."""

from .component import NotebookRunnerComponent

__all__ = ["NotebookRunnerComponent"]
