"""What the stock components have in common: state that is fetched on request, and specs that meet the policy."""

import asyncio
import inspect
import re
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import dagster as dg
from dagster.components.component.state_backed_component import StateBackedComponent
from dagster.components.utils.defs_state import DefsStateConfig, DefsStateConfigArgs

from ..attributes import Group, Owners, Tags
from ..base import StrictComponent

SECRET_NAME = r"^[A-Za-z][A-Za-z0-9_/.-]{0,126}$"  # noqa: S105 the shape of a name, not a secret

Secret = Annotated[
    str,
    dg.Resolver.default(
        description="Name of the secret, in the store that policy.yaml names; never its value.",
        json_schema_extra={"pattern": SECRET_NAME},
    ),
]
Url = Annotated[
    str,
    dg.Resolver.default(
        description="Address of the service.",
        examples=["https://example.com"],
        json_schema_extra={"pattern": r"^https?://[^\s/]+"},
    ),
]


class StockScaffolder(dg.Scaffolder):
    """Writes a first defs.yaml that names secrets and holds none."""

    attributes: ClassVar[dict[str, Any]] = {}

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write ``defs.yaml``."""
        dg.scaffold_component(request, self.attributes)


def scaffolder(**attributes: Any) -> type[StockScaffolder]:
    """A scaffolder that writes these attributes."""
    return type("Scaffolder", (StockScaffolder,), {"attributes": attributes})


@dataclass(kw_only=True)
class StockComponent(StateBackedComponent, StrictComponent):
    """Base of the stock components: the vendor's library is imported when definitions are built, not when listed.

    What the service holds is kept as state and fetched only by ``dg utils refresh-defs-state``, so that loading needs
    no network. Asset keys become ``prefix/name``.
    """

    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)
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

    vendor: ClassVar[str]
    project_root: ClassVar[Path] = Path()

    @classmethod
    def load(cls, attributes: Any, context: dg.ComponentLoadContext) -> "StockComponent":
        """The component, which knows whose policy names the store of its secrets."""
        made = super().load(attributes, context)
        made.project_root = context.project_root  # type: ignore[misc]  # the class only holds the default
        return made

    @abstractmethod
    def stock(self, secret: Callable[[str], str]) -> Any:
        """The vendor's component.

        Args:
            secret: Gives the value of a secret by name; while loading it gives no secret, as no request is made.
        """

    @property
    @abstractmethod
    def place(self) -> str:
        """What tells this component's state from that of another of its type."""

    @property
    def defs_state_config(self) -> DefsStateConfig:
        """State on this machine, refreshed on request only."""
        arguments = DefsStateConfigArgs(
            key=None, management_type=DefsStateConfigArgs.local_filesystem().management_type, refresh_if_dev=False
        )
        return DefsStateConfig.from_args(arguments, default_key=f"{type(self).__name__}[{self.place}]")

    def secret(self, name: str) -> str:
        """A secret from the store that the policy names.

        Raises:
            SecretError: it is not there, or the store does not answer.
        """
        from ..governance import policy_for
        from ..secrets import read_secret

        return read_secret(policy_for(self.project_root).secrets, name)

    def write_state_to_path(self, state_path: Path) -> None:
        """Ask the service what it holds.

        Raises:
            SecretError: a secret is missing.
        """
        made = self.stock(self.secret).write_state_to_path(state_path)
        if inspect.iscoroutine(made):
            asyncio.run(made)

    def build_defs_from_state(self, context: dg.ComponentLoadContext, state_path: Path | None) -> dg.Definitions:
        """The assets of the state.

        Raises:
            DagsterInvalidDefinitionError: there is no state, or two things of the service have one name.
        """
        if state_path is None or not state_path.exists():
            raise dg.DagsterInvalidDefinitionError(
                f"{type(self).__name__} knows nothing of {self.place} yet. Run: dg utils refresh-defs-state"
            )
        return self.standardised(self.from_state(self.stock(_no_secret), context, state_path))

    def from_state(self, stock: Any, context: dg.ComponentLoadContext, state_path: Path) -> dg.Definitions:
        """What the vendor's component makes of the state."""
        return stock.build_defs_from_state(context, state_path)

    def standardised(self, found: dg.Definitions) -> dg.Definitions:
        """Definitions whose specs meet the standards; for components whose assets nothing here runs."""
        specs = [asset for asset in found.assets or [] if isinstance(asset, dg.AssetSpec)]
        return dg.Definitions(assets=self.standard_specs(specs))

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
        own = {before: after for after, before in made.items()}
        return [self.standard_spec(spec, own) for spec in specs]

    def standard_spec(self, spec: dg.AssetSpec, own: dict[dg.AssetKey, dg.AssetKey]) -> dg.AssetSpec:
        """One spec that meets the standards; ``own`` maps the vendor's keys to ours."""
        key = own.get(spec.key) or self.standard_key(spec.key)
        name = spec.key.path[-1]
        return spec.replace_attributes(
            key=key,
            deps=sorted({self.upstream_key(dep.asset_key, own) for dep in spec.deps}),
            owners=[*self.owners] or [*spec.owners],
            group_name=self.group or self.vendor,
            tags={tag: value for tag, value in spec.tags.items() if not tag.startswith("dagster/kind/")} | self.tags,
            kinds={re.sub(r"[^A-Za-z0-9_.-]+", "_", kind) for kind in spec.kinds} | {self.vendor},
            description=spec.description or f"{name}, as {self.vendor.capitalize()} holds it.",
        )

    def upstream_key(self, key: dg.AssetKey, own: dict[dg.AssetKey, dg.AssetKey]) -> dg.AssetKey:
        """Our key of something that the service reads."""
        named = self.upstream.get(key.to_user_string())
        return dg.AssetKey.from_user_string(named) if named else own.get(key, key)

    def standard_key(self, key: dg.AssetKey) -> dg.AssetKey:
        """The key of two parts: the prefix, and the vendor's name in small letters, digits and underscores."""
        name = re.sub(r"[^a-z0-9]+", "_", "_".join(key.path).lower()).strip("_")
        return dg.AssetKey([self.key_prefix or self.vendor, name])


def _no_secret(name: str) -> str:
    """What stands for a secret while nothing is asked of the service."""
    return f"the secret {name} is read when it is needed"
