"""Ingestion: sources that dlt loads into the warehouse."""

from .file_source import FileSourceComponent

__all__ = ["FileSourceComponent"]
