"""Omni's documents."""

from dataclasses import dataclass
from typing import Any, ClassVar

import dagster as dg

from .component import Secret, StockComponent, Url, scaffolder
from .keys import Keys


@dg.scaffold_with(scaffolder(base_url="https://your-company.omniapp.co", api_key="OMNI_API_KEY", group="omni"))
@dataclass(kw_only=True)
class OmniComponent(StockComponent):
    """Documents of an Omni workspace, with the tables that their queries read.

    ``dg utils refresh-defs-state`` asks Omni for them; loading asks nothing.

    .. code-block:: yaml

        type: components.OmniComponent
        attributes:
          base_url: https://acme.omniapp.co
          api_key: OMNI_API_KEY
          owners: ["team:bi"]
          group: omni
          tags: {domain: sales}
    """

    base_url: Url
    api_key: Secret = "OMNI_API_KEY"

    vendor: ClassVar[str] = "omni"
    title: ClassVar[str] = "Omni"

    @property
    def place(self) -> str:
        """Omni's address."""
        return self.base_url

    def stock(self, secret: Keys) -> Any:
        """Dagster's Omni component."""
        from dagster_omni.component import OmniComponent as Stock
        from dagster_omni.workspace import OmniWorkspace

        return Stock(workspace=OmniWorkspace(base_url=self.base_url, api_key=secret(self.api_key)))

    def standard_spec(self, spec: dg.AssetSpec, own: dict[dg.AssetKey, dg.AssetKey]) -> dg.AssetSpec:
        """A spec without the library's working copy of the document, which is no metadata for people."""
        kept = {key: value for key, value in spec.metadata.items() if not key.endswith("translator_data")}
        return super().standard_spec(spec.replace_attributes(metadata=kept), own)
