"""Ingestion: files, object stores, databases and APIs, loaded by dlt or Sling."""

from .database_source import DatabaseSourceComponent
from .file_source import FileSourceComponent
from .rest_source import RestSourceComponent
from .sling import SlingReplicationComponent

__all__ = ["DatabaseSourceComponent", "FileSourceComponent", "RestSourceComponent", "SlingReplicationComponent"]
