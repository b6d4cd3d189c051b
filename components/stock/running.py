"""Assets that run at a vendor; until its key is set they run on a sample, in target local only, and say so."""

import logging
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg

from ..attributes import Group, Owners, Tags
from ..base import StrictComponent
from .attributes import Sample
from .keys import Keys

Metadata = Mapping[str, Any]
logger = logging.getLogger("dagster.components")


@dataclass(frozen=True)
class Unit:
    """What a vendor runs at once.

    Args:
        name: The vendor's name of it.
        every: All assets that it makes.
        chosen: Those of this run.
        log: The run's log.
    """

    name: str
    every: list[dg.AssetSpec]
    chosen: list[dg.AssetSpec]
    log: logging.Logger


@dataclass(kw_only=True)
class RunsAtVendor(StrictComponent):
    """Base of components whose assets a vendor makes.

    A run first decides: with the key it goes to the vendor; without it, it uses the sample, or fails and names what is
    missing. Nothing of this happens while definitions load.
    """

    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)
    sample: Sample = None

    vendor: ClassVar[str]
    title: ClassVar[str]
    project_root: ClassVar[Path] = Path()
    folder: ClassVar[Path] = Path()
    load_context: ClassVar[Any] = None
    keeps_state: ClassVar[bool] = True
    on_sample: ClassVar[bool] = False

    @classmethod
    def load(cls, attributes: Any, context: dg.ComponentLoadContext) -> "RunsAtVendor":
        """The component, which knows where it stands and whose policy names the store of its secrets."""
        made = super().load(attributes, context)
        made.project_root = context.project_root  # type: ignore[misc]  # the class only holds the default
        path = Path(context.path)
        made.folder = path if path.is_dir() else path.parent  # type: ignore[misc]  # as above
        made.load_context = context  # type: ignore[misc]  # as above
        return made

    def keys(self) -> Keys:
        """The secrets, each read when it is asked for."""
        return Keys(self.secret)

    def secret(self, name: str) -> str:
        """A secret from the store that the policy names.

        Raises:
            SecretError: it is not there, or the store does not answer.
        """
        from ..governance import policy_for
        from ..secrets import read_secret

        return read_secret(policy_for(self.project_root).secrets, name)

    def sample_state(self) -> Path:
        """The state that stands in until the first refresh.

        Raises:
            DagsterInvalidDefinitionError: there is none.
        """
        place = f"{type(self).__name__} knows nothing of {self.place} yet"
        if self.sample is None:
            raise dg.DagsterInvalidDefinitionError(f"{place}. Run: dg utils refresh-defs-state")
        path = self.folder / self.sample / "state.json"
        if not path.is_file():
            raise dg.DagsterInvalidDefinitionError(
                f"{place}, and its sample has no {path}. Run: dg utils refresh-defs-state"
            )
        self.on_sample = True  # type: ignore[misc]  # the class only holds the default
        return path

    @property
    def step_prefix(self) -> str:
        """First part of the names of steps that make several assets."""
        return self.vendor

    def unit(self, spec: dg.AssetSpec) -> str | None:
        """What the vendor runs to make an asset; assets with one unit run together, and None does not run here."""
        return None

    def runnable(self, specs: Sequence[dg.AssetSpec]) -> list[dg.AssetSpec | dg.AssetsDefinition]:
        """The assets: one definition for each unit, and bare specs for what does not run here."""
        units: dict[str | None, list[dg.AssetSpec]] = {}
        for spec in specs:
            units.setdefault(self.unit(spec), []).append(spec)
        bare = units.pop(None, [])
        return [*bare, *(self._definition(str(unit), of_unit) for unit, of_unit in units.items())]

    def _definition(self, name: str, specs: list[dg.AssetSpec]) -> dg.AssetsDefinition:
        step = "__".join(specs[0].key.path) if len(specs) == 1 else f"{self.step_prefix}_{name}"

        @dg.multi_asset(name=re.sub(r"[^A-Za-z0-9_]+", "_", step), specs=specs, can_subset=len(specs) > 1)
        def run(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
            chosen = [spec for spec in specs if spec.key in context.selected_asset_keys]
            unit = Unit(name, specs, chosen, context.log)
            for spec, metadata in zip(chosen, self.execute(unit), strict=True):
                if metadata is not None:
                    yield dg.MaterializeResult(asset_key=spec.key, metadata=metadata)

        return run

    def execute(self, unit: Unit) -> Iterator[Metadata | None]:
        """Make assets, at the vendor or from the sample; metadata of each chosen one, None for what was not made.

        Raises:
            Failure: a key is missing, the vendor refuses or fails, or it takes too long.
        """
        keys = self.keys()
        if missing := self.stands_in(keys):
            unit.log.warning(
                f"SAMPLE: {', '.join(missing)} not set, so {self.title} was not asked. What this run makes comes from "
                f"{self.folder / str(self.sample)}"
            )
            yield from ({**metadata, "sample": True} for metadata in self.run_sample(unit))
            return
        try:
            yield from self.run_unit(unit, keys)
        except Exception as error:
            raise keys.told(self.title, error) from error

    def stands_in(self, keys: Keys) -> list[str]:
        """The names of missing secrets where the sample stands in for the vendor; empty where the vendor is asked.

        Raises:
            Failure: a secret is missing and no sample stands in; or all are there and the assets are the sample's.
        """
        from ..warehouse.settings import warehouse_target

        missing, said = self.missing(keys)
        if missing and (not self.sample or not self.on_sample):
            raise dg.Failure(f"{self.title} needs {', '.join(missing)}: {said}", allow_retries=False)
        if missing and warehouse_target() == "production":
            raise dg.Failure(
                f"{self.title} needs {', '.join(missing)}: WAREHOUSE_TARGET is production, where no sample stands in",
                allow_retries=False,
            )
        if self.on_sample and not missing and self.keeps_state:
            raise dg.Failure(
                f"With {', '.join(self.secret_names)} set, these assets are still those of the sample. "
                "Run: dg utils refresh-defs-state",
                allow_retries=False,
            )
        return missing

    def missing(self, keys: Keys) -> tuple[list[str], str]:
        """The names of secrets that the store does not have, and what it says of the first."""
        from ..secrets import SecretMissingError

        missing: list[str] = []
        said = ""
        for name in self.secret_names:
            try:
                keys(name)
            except SecretMissingError as error:
                missing, said = [*missing, name], said or str(error)
        return missing, said

    @property
    def secret_names(self) -> list[str]:
        """The secrets that open the vendor's API, by name."""
        keys = Keys.none()
        self.stock(keys)
        return list(keys.found)

    @abstractmethod
    def stock(self, secret: Keys) -> Any:
        """The vendor's component, or its client.

        Args:
            secret: Gives the value of a secret by name; while loading it gives no secret, as no request is made.
        """

    @property
    def place(self) -> str:
        """What of the vendor this component stands for."""
        return self.title

    def run_unit(self, unit: Unit, keys: Keys) -> Iterable[Metadata | None]:
        """Run a unit at the vendor to its end; metadata of each chosen asset, None for one that was not made."""
        raise TypeError(f"{type(self).__name__} runs nothing")

    def run_sample(self, unit: Unit) -> list[Metadata]:
        """What a run without the vendor does; metadata of each chosen asset."""
        return [{} for _ in unit.chosen]
