"""Activation: results that leave the warehouse."""

from .file_export import FileExportComponent

__all__ = ["FileExportComponent"]
