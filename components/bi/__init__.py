"""Dashboards: static pages of interactive charts, made from SQL."""

from .component import DashboardComponent

__all__ = ["DashboardComponent"]
