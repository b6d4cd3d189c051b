"""First files of stock components."""

from typing import Any, ClassVar

import dagster as dg


class StockScaffolder(dg.Scaffolder):
    """Writes a first defs.yaml that names secrets and holds none."""

    attributes: ClassVar[dict[str, Any]] = {}

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write ``defs.yaml``."""
        dg.scaffold_component(request, self.attributes)


def scaffolder(**attributes: Any) -> type[StockScaffolder]:
    """A scaffolder that writes these attributes."""
    return type("Scaffolder", (StockScaffolder,), {"attributes": attributes})
