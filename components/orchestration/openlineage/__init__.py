"""OpenLineage events of ended runs, sent to the collector in the environment."""

from .component import OpenLineageComponent

__all__ = ["OpenLineageComponent"]
