"""Brings the defs.yaml files of a project to the form of this release: python -m <package>.migrations."""
