"""Fixtures of the ingestion tests."""

from tests.components.warehouse.project import any_project, project

__all__ = ["any_project", "project"]
