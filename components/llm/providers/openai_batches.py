"""Batches of OpenAI: a file of requests, a batch that names it, and a file of results."""

import json
from collections.abc import Iterator, Mapping

from ..messages import Answered, Completion
from ..settings import ProviderSettings
from .batches import BatchProvider, BatchState
from .openai import Provider, read_response, response_body
from .stainless import explained

_ENDPOINT = "/v1/responses"
_RUNNING = {"validating", "in_progress", "finalizing", "cancelling"}
_LISTED = 200


class Batches(BatchProvider):
    """OpenAI's batch API."""

    def __init__(self, settings: ProviderSettings, key: str | None) -> None:
        self.settings = settings
        self.provider = Provider(settings, key)

    def submit(self, requests: Mapping[str, Completion], marker: str) -> str:
        """Upload the requests and start the batch, with the marker in its metadata."""
        lines = [
            {"custom_id": name, "method": "POST", "url": _ENDPOINT, "body": response_body(self.settings.name, request)}
            for name, request in requests.items()
        ]
        content = "\n".join(map(json.dumps, lines)).encode()
        with explained(self.settings, self.provider.openai):
            file = self.provider.client.files.create(file=(f"{marker}.jsonl", content), purpose="batch")
            batch = self.provider.client.batches.create(
                input_file_id=file.id, endpoint=_ENDPOINT, completion_window="24h", metadata={"marker": marker}
            )
            return str(batch.id)

    def find(self, marker: str, requests: int, since: float) -> str | None:
        """Look for the marker in the newest batches."""
        with explained(self.settings, self.provider.openai):
            for number, batch in enumerate(self.provider.client.batches.list(limit=100)):
                if (batch.metadata or {}).get("marker") == marker:
                    return str(batch.id)
                if number >= _LISTED or batch.created_at < since - 3600:
                    break
        return None

    def poll(self, batch_id: str) -> BatchState:
        """How far a batch is; one that expired has results for some requests."""
        with explained(self.settings, self.provider.openai):
            batch = self.provider.client.batches.retrieve(batch_id)
        if batch.status in _RUNNING:
            return BatchState("running", batch.status)
        if batch.output_file_id or batch.status == "completed":
            return BatchState("ended", batch.status)
        errors = [error.message for error in (batch.errors.data if batch.errors else None) or []]
        return BatchState("failed", "; ".join([batch.status, *filter(None, errors)])[:500])

    def results(self, batch_id: str) -> Iterator[tuple[str, Answered | str]]:
        """Read the file of results."""
        from openai.types.responses import Response

        with explained(self.settings, self.provider.openai):
            batch = self.provider.client.batches.retrieve(batch_id)
            if not batch.output_file_id:
                return
            content = self.provider.client.files.content(batch.output_file_id).text
        for line in filter(str.strip, content.splitlines()):
            found = json.loads(line)
            response = found.get("response") or {}
            if response.get("status_code") == 200:
                with explained(self.settings, self.provider.openai):
                    yield found["custom_id"], read_response(Response.model_validate(response["body"]))
            else:
                yield found["custom_id"], str(found.get("error") or response.get("body"))[:300]
