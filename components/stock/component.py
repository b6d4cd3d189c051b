"""What the stock components have in common: state that is fetched on request, and specs that meet the policy."""

import asyncio
import inspect
import logging
import re
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from dagster.components.component.state_backed_component import StateBackedComponent
from dagster.components.utils.defs_state import DefsStateConfig, DefsStateConfigArgs
from dagster_shared.serdes.errors import DeserializationError

from ..base import StrictComponent
from ..formats import ASSET_KEY
from .attributes import Secret, Url
from .keys import Keys
from .running import RunsAtVendor
from .scaffolder import StockScaffolder, scaffolder

__all__ = ["Secret", "StockComponent", "StockScaffolder", "Url", "scaffolder"]
logger = logging.getLogger("dagster.components")


@dataclass(kw_only=True)
class StockComponent(RunsAtVendor, StateBackedComponent, StrictComponent):  # type: ignore[misc]  # load, as Self
    """Base of the stock components: the vendor's library is imported when definitions are built, not when listed.

    What the service holds is kept as state and fetched only by ``dg utils refresh-defs-state``, so that loading needs
    no network. Asset keys become ``prefix/name``.
    """

    key_prefix: Annotated[
        str | None,
        dg.Resolver.default(
            description="First part of the asset keys; the vendor's name when left out.",
            examples=["dashboards"],
            json_schema_extra={"pattern": r"^[A-Za-z0-9_]+$"},
        ),
    ] = None
    upstream: Annotated[
        dict[str, str],
        dg.Resolver.default(
            description="Assets that stand for what the service reads, where its name for them is another one.",
            examples=[{"ANALYTICS/PUBLIC/ORDERS": "marts/orders"}],
        ),
    ] = field(default_factory=dict)

    reads: Annotated[
        dict[str, list[Annotated[str, ASSET_KEY]]],
        dg.Resolver.default(
            description="What an asset of the service reads, where the service does not tell: the second part of its "
            "key, and asset keys.",
            examples=[{"orders": ["marts/orders"]}],
        ),
    ] = field(default_factory=dict)

    @property
    @abstractmethod
    def place(self) -> str:
        """What tells this component's state from that of another of its type."""

    @property
    def step_prefix(self) -> str:
        """That of the asset keys, as two components of a project may run what has one name."""
        return self.key_prefix or self.vendor

    @property
    def defs_state_config(self) -> DefsStateConfig:
        """State on this machine, refreshed on request only."""
        arguments = DefsStateConfigArgs(
            key=None, management_type=DefsStateConfigArgs.local_filesystem().management_type, refresh_if_dev=False
        )
        return DefsStateConfig.from_args(arguments, default_key=f"{type(self).__name__}[{self.place}]")

    def write_state_to_path(self, state_path: Path) -> None:
        """Ask the service what it holds; what was known before stays until the answer is whole.

        While the sample stands in for a service whose key is not set, nothing is asked and nothing is written.

        Raises:
            SecretError: a secret is missing.
            Failure: the service does not answer, refuses, or shows nothing.
        """
        from ..secrets import SecretError
        from ..warehouse.settings import warehouse_target

        keys = self.keys()
        missing = self.missing(keys)[0] if self.sample and warehouse_target() == "local" else []
        if missing:
            logger.warning(f"{type(self).__name__}: {', '.join(missing)} not set, so the sample goes on standing in")
            return
        fresh = state_path.with_name(f"{state_path.name}.new")
        fresh.parent.mkdir(parents=True, exist_ok=True)
        try:
            made = self.stock(keys).write_state_to_path(fresh)
            if inspect.iscoroutine(made):
                asyncio.run(made)
            self._check_state(fresh, keys)
            fresh.replace(state_path)
        except SecretError:
            raise
        except Exception as error:
            raise keys.told(self.title, error) from error
        finally:
            fresh.unlink(missing_ok=True)

    def _check_state(self, state_path: Path, keys: Keys) -> None:
        text = state_path.read_text(encoding="utf-8")
        if keys.without(text) != text:
            raise dg.Failure(f"{self.title} sent one of {', '.join(keys.found)} back; such a state is not kept")
        if not self.from_state(self.stock(Keys.none()), self.load_context, state_path).assets:
            raise dg.Failure(
                f"{self.title} shows nothing of {self.place} to {', '.join(keys.found)}, or the attributes choose "
                "nothing of it. What was known before stays."
            )

    def build_defs_from_state(self, context: dg.ComponentLoadContext, state_path: Path | None) -> dg.Definitions:
        """The assets of the state, or of the sample while there is no state.

        Raises:
            DagsterInvalidDefinitionError: there is no state, it is unreadable, or two things of the service have one
                name.
        """
        if state_path is None or not state_path.exists():
            state_path = self.sample_state()
            logger.warning(
                f"{type(self).__name__}: {self.place} is not known yet; these are the assets of {state_path}. "
                f"With {', '.join(self.secret_names)} set, run: dg utils refresh-defs-state"
            )
        try:
            found = self.from_state(self.stock(Keys.none()), context, state_path)
        except (ValueError, KeyError, TypeError, dg.DagsterError, DeserializationError) as error:
            raise dg.DagsterInvalidDefinitionError(
                f"{type(self).__name__}: {state_path} is no state of {self.title} ({type(error).__name__}). "
                "Run: dg utils refresh-defs-state"
            ) from error
        return self.standardised(found)

    def from_state(self, stock: Any, context: dg.ComponentLoadContext, state_path: Path) -> dg.Definitions:
        """What the vendor's component makes of the state."""
        return stock.build_defs_from_state(context, state_path)

    def standardised(self, found: dg.Definitions) -> dg.Definitions:
        """Definitions whose specs meet the standards; what one run starts together is one definition."""
        every: list[dg.AssetSpec] = []
        for asset in found.assets or []:
            every += [asset] if isinstance(asset, dg.AssetSpec) else getattr(asset, "specs", [])
        return dg.Definitions(assets=self.runnable(self.standard_specs(every)))

    def standard_specs(self, specs: Iterable[dg.AssetSpec]) -> list[dg.AssetSpec]:
        """Specs with the company's keys, owners, group, tags and kinds.

        Raises:
            DagsterInvalidDefinitionError: two things of the service have one name.
        """
        specs = list(specs)
        made: dict[dg.AssetKey, dg.AssetKey] = {}
        for spec in specs:
            key = self.standard_key(spec.key)
            if key in made:
                raise dg.DagsterInvalidDefinitionError(
                    f"{type(self).__name__}: {made[key].to_user_string()!r} and {spec.key.to_user_string()!r} of "
                    f"{self.place} would both be the asset {key.to_user_string()}. Rename one of them there."
                )
            made[key] = spec.key
        names = {key.path[-1] for key in made}
        if unknown := sorted(self.reads.keys() - names):
            raise dg.DagsterInvalidDefinitionError(
                f"{type(self).__name__}: reads names {', '.join(unknown)}, which {self.place} does not have; "
                f"it has: {', '.join(sorted(names))}"
            )
        own = {before: after for after, before in made.items()}
        return [self.standard_spec(spec, own) for spec in specs]

    def standard_spec(self, spec: dg.AssetSpec, own: dict[dg.AssetKey, dg.AssetKey]) -> dg.AssetSpec:
        """One spec that meets the standards; ``own`` maps the vendor's keys to ours."""
        key = own.get(spec.key) or self.standard_key(spec.key)
        name = spec.key.path[-1]
        read = {dg.AssetKey.from_user_string(text) for text in self.reads.get(key.path[-1], [])}
        return spec.replace_attributes(
            key=key,
            deps=sorted({self.upstream_key(dep.asset_key, own) for dep in spec.deps} | read),
            owners=[*self.owners] or [*spec.owners],
            group_name=self.group or self.vendor,
            tags={tag: value for tag, value in spec.tags.items() if not tag.startswith("dagster/kind/")} | self.tags,
            kinds={re.sub(r"[^A-Za-z0-9_.-]+", "_", kind) for kind in spec.kinds} | {self.vendor},
            description=spec.description or f"{name}, as {self.title} holds it.",
        )

    def upstream_key(self, key: dg.AssetKey, own: dict[dg.AssetKey, dg.AssetKey]) -> dg.AssetKey:
        """Our key of something that the service reads; of database, schema and table the last two count."""
        named = self.upstream.get(key.to_user_string())
        return dg.AssetKey.from_user_string(named) if named else own.get(key, dg.AssetKey(key.path[-2:]))

    def standard_key(self, key: dg.AssetKey) -> dg.AssetKey:
        """The key of two parts: the prefix, and the vendor's name in small letters, digits and underscores."""
        name = re.sub(r"[^a-z0-9]+", "_", "_".join(key.path).lower()).strip("_")
        return dg.AssetKey([self.key_prefix or self.vendor, name])
