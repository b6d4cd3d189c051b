"""Batches: many requests handed in at once, answered within a day at half the price."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from ..messages import Answered, Completion
from ..settings import ProviderSettings

_MODULES = {"openai": "openai_batches", "anthropic": "anthropic_batches"}


@dataclass(frozen=True)
class BatchState:
    """How far a batch is.

    Args:
        state: ``running``; ``ended`` with results, perhaps not for all; ``failed`` as a whole.
        said: What the provider says about it.
    """

    state: Literal["running", "ended", "failed"]
    said: str


class BatchProvider(ABC):
    """The batches of one provider; raises the same errors as its single calls."""

    @abstractmethod
    def submit(self, requests: Mapping[str, Completion], marker: str) -> str:
        """Hand requests in by their own ids; the batch's id."""

    @abstractmethod
    def find(self, marker: str, requests: int, since: float) -> str | None:
        """The id of a batch that was handed in under a marker, by a process that did not live to note it.

        Args:
            marker: What the ids of its requests start with.
            requests: How many it has.
            since: When it was handed in at the earliest, in seconds since 1970.
        """

    @abstractmethod
    def poll(self, batch_id: str) -> BatchState:
        """How far a batch is."""

    @abstractmethod
    def results(self, batch_id: str) -> Iterator[tuple[str, Answered | str]]:
        """The answers by the requests' ids; text instead says why there is none."""


def batches_for(settings: ProviderSettings, key: str | None) -> BatchProvider:
    """The batches of the provider that settings name, which is one that has them."""
    module = import_module(f".{_MODULES[settings.provider]}", __package__)
    made: BatchProvider = module.Batches(settings, key)
    return made
