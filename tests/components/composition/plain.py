"""A component of somebody else: no attributes for owners, group or tags."""

from dataclasses import dataclass

import dagster as dg


@dataclass
class PlainComponent(dg.Component, dg.Resolvable):
    """Two assets, one after the other."""

    name: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        @dg.asset(key=["plain", self.name], tags={"domain": "own"})
        def first() -> None: ...

        @dg.asset(key=["plain", f"{self.name}_second"], deps=[["plain", self.name]], owners=["team:other"])
        def second() -> None: ...

        return dg.Definitions(assets=[first, second])
