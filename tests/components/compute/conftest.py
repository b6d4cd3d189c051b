"""Fixtures of the compute tests."""

from tests.components.compute.jobs import jobs

__all__ = ["jobs"]
