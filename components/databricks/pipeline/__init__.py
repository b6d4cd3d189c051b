"""Declarative pipelines: the same files on this machine and in a workspace."""
