"""Where the data of an asset goes, how it is classified, and whether it may go there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import dagster as dg

from .policy import Policy
from .policy_data import Classification, Destination

STORAGE_KIND = "dagster/storage_kind"
URI = "dagster/uri"


@dataclass(frozen=True)
class Subject:
    """An asset as the rules about data see it.

    Args:
        node: Its node in Dagster's asset graph.
        policy: The standards.
        classification: Its own, or the strictest of what it reads where it has none.
        origin: Key of the asset that the classification comes from, where that is another one.
    """

    node: Any
    policy: Policy
    classification: str | None
    origin: str | None = None

    @property
    def handling(self) -> Classification:
        """What follows from the classification."""
        return self.policy.classification(self.classification)

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The metadata as plain values."""
        return {key: plain(value) for key, value in self.node.metadata.items()}

    @property
    def said_destinations(self) -> list[str]:
        """The places that the asset itself names."""
        named = self.metadata.get("destination") or self.metadata.get(URI)
        if named is None:
            return []
        return [str(one) for one in named] if isinstance(named, list | tuple) else [str(named)]

    @property
    def kinds(self) -> list[str]:
        """What stands for the destination of an asset that names none: its storage kind, else its kinds."""
        kind = self.metadata.get(STORAGE_KIND)
        return [str(kind)] if kind else sorted(self.node.kinds)

    @property
    def places(self) -> list[tuple[str, Destination | None]]:
        """Each destination with what the policy knows about it; of kinds, those that it knows."""
        if self.said_destinations:
            return [(place, self._known(place)) for place in self.said_destinations]
        known = [(kind, self._known(kind)) for kind in self.kinds]
        return [pair for pair in known if pair[1]] or [(", ".join(self.kinds) or "unknown", None)]

    def _known(self, place: str) -> Destination | None:
        return next((found for name, found in self.policy.destinations.items() if fnmatchcase(place, name)), None)


def plain(value: Any) -> Any:
    """A metadata value without Dagster's wrapping."""
    return value.value if isinstance(value, dg.MetadataValue) else value


def subjects_of(nodes: Mapping[dg.AssetKey, Any], policy: Policy) -> Iterator[Subject]:
    """Every asset with its classification, parents before children.

    An asset that says nothing about itself is classified like the strictest of what it reads, in the policy's order.

    Args:
        nodes: Nodes of the asset graph, parents before children.
        policy: The standards.
    """
    order = {name: rank for rank, name in enumerate(policy.classifications)}
    known: dict[dg.AssetKey, tuple[str, str | None]] = {}
    for key, node in nodes.items():
        own = node.tags.get("classification")
        if own:
            known[key] = (own, None)
        else:
            parents = [(known[parent], parent) for parent in sorted(node.parent_keys) if parent in known]
            if parents:
                (name, origin), parent = max(parents, key=lambda found: order.get(found[0][0], -1))
                known[key] = (name, origin or parent.to_user_string())
        yield Subject(node, policy, *known.get(key, (None, None)))


def destination_violations(subject: Subject) -> Iterator[tuple[str, str]]:
    """The rule ``destination``: classified data goes only to places that the policy allows for it."""
    allowed = subject.handling.destinations
    if allowed is None:
        return
    whose = f"its data is {subject.classification}" + (f" (from {subject.origin})" if subject.origin else "")
    valid = f"{', '.join(allowed) or 'nowhere'} (classifications.{subject.classification} of policy.yaml)"
    for place in subject.said_destinations:
        if not any(fnmatchcase(place, pattern) for pattern in allowed):
            yield "destination", f"{whose}, and the destination {place} is not allowed for it; expected {valid}"
    if not subject.said_destinations and not any(
        fnmatchcase(kind, pattern) for kind in subject.kinds for pattern in allowed
    ):
        kinds = ", ".join(subject.kinds) or "none"
        yield (
            "destination",
            f"{whose}, and neither its metadata destination nor its kinds ({kinds}) name an allowed place; "
            f"expected {valid}",
        )
