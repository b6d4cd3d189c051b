"""dbt projects as governed assets."""

from .component import GovernedDbtProjectComponent

__all__ = ["GovernedDbtProjectComponent"]
