"""Fixtures of the composition tests."""

from tests.components.ml.conftest import empty_project, project, wines

__all__ = ["empty_project", "project", "wines"]
