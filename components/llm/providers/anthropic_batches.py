"""Batches of Anthropic: requests handed in together, results streamed back."""

from collections.abc import Iterator, Mapping

from ..messages import Answered, Completion
from ..settings import ProviderSettings
from .anthropic import Provider, message_body, read_message
from .batches import BatchProvider, BatchState
from .stainless import explained

_EARLIER_SECONDS = 60  # the provider's clock may be behind ours


class Batches(BatchProvider):
    """Anthropic's message batches."""

    def __init__(self, settings: ProviderSettings, key: str | None) -> None:
        self.settings = settings
        self.provider = Provider(settings, key)

    def submit(self, requests: Mapping[str, Completion], marker: str) -> str:
        """Start the batch."""
        asked = [
            {"custom_id": name, "params": message_body(self.settings.name, request)}
            for name, request in requests.items()
        ]
        with explained(self.settings, self.provider.anthropic):
            return str(self.provider.client.messages.batches.create(requests=asked).id)

    def find(self, marker: str, requests: int, since: float) -> str | None:
        """A batch of the right time and size: Anthropic keeps no marker, so its results are compared later."""
        with explained(self.settings, self.provider.anthropic):
            for batch in self.provider.client.messages.batches.list(limit=100):
                if batch.created_at.timestamp() < since - _EARLIER_SECONDS:
                    break
                counts = batch.request_counts
                total = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
                if total == requests:
                    return str(batch.id)
        return None

    def poll(self, batch_id: str) -> BatchState:
        """How far a batch is."""
        with explained(self.settings, self.provider.anthropic):
            batch = self.provider.client.messages.batches.retrieve(batch_id)
        state = batch.processing_status
        return BatchState("ended" if state == "ended" else "running", state)

    def results(self, batch_id: str) -> Iterator[tuple[str, Answered | str]]:
        """Stream the results."""
        with explained(self.settings, self.provider.anthropic):
            for found in self.provider.client.messages.batches.results(batch_id):
                if found.result.type == "succeeded":
                    yield found.custom_id, read_message(found.result.message)
                else:
                    yield found.custom_id, str(getattr(found.result, "error", found.result.type))[:300]
