"""Fixtures of the warehouse tests."""

from tests.components.warehouse.project import any_project, project

__all__ = ["any_project", "project"]
