"""Fixtures of the notebook tests."""

from tests.components.notebooks.project import project

__all__ = ["project"]
