"""Files and batches: what was handed in, and how far it is."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from .wire import Request


@dataclass
class Jobs:
    """State of the batch APIs.

    Args:
        polls: How often a batch is asked for before it has ended.
        expires: Texts of requests that the batch does not get to.
        paid: What was billed at half price, by text.
    """

    polls: int = 1
    expires: str | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    openai: dict[str, dict[str, Any]] = field(default_factory=dict)
    anthropic: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, bytes] = field(default_factory=dict)
    paid: Counter[str] = field(default_factory=Counter)
    _asked: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _seen: Counter[str] = field(default_factory=Counter)
    _lock: Any = field(default_factory=threading.RLock)

    def keep_file(self, name: str, content: bytes) -> dict[str, Any]:
        """Take a file in."""
        key = f"file-{uuid.uuid4().hex}"
        self.files[key] = content
        about = {"id": key, "object": "file", "bytes": len(content), "created_at": 1, "filename": name}
        return {**about, "purpose": "batch", "status": "processed"}

    def start_openai(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take a batch in."""
        key = f"batch_{uuid.uuid4().hex}"
        self.openai[key] = {
            "id": key,
            "object": "batch",
            "endpoint": body["endpoint"],
            "input_file_id": body["input_file_id"],
            "completion_window": body["completion_window"],
            "status": "in_progress",
            "created_at": int(time.time()),
            "metadata": body.get("metadata"),
            "output_file_id": None,
            "error_file_id": None,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
        }
        return self.openai[key]

    def poll_openai(self, key: str, work: Callable[..., tuple[bytes, list[str]]]) -> dict[str, Any]:
        """How far a batch is; it ends after some polls."""
        batch = self.openai[key]
        with self._lock:
            self._seen[key] += 1
            if batch["status"] == "in_progress" and self._seen[key] >= self.polls:
                plain = Request("POST", "", {}, {}, b"")
                lines = self.files[batch["input_file_id"]].splitlines()
                kept = [line for line in lines if not (self.expires and self.expires.encode() in line)]
                results = [self._billed(*work(line, plain)) for line in kept]
                batch["output_file_id"] = self.keep_file("out.jsonl", b"\n".join(results))["id"]
                batch["status"] = "completed" if len(kept) == len(lines) else "expired"
        return batch

    def start_anthropic(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take a batch in."""
        key = f"msgbatch_{uuid.uuid4().hex}"
        self._asked[key] = body["requests"]
        counts = {"processing": len(body["requests"]), "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
        now = datetime.now(UTC)
        self.anthropic[key] = {
            "id": key,
            "type": "message_batch",
            "processing_status": "in_progress",
            "request_counts": counts,
            "created_at": now.isoformat(),
            "expires_at": (now + timedelta(days=1)).isoformat(),
            "ended_at": None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": None,
        }
        return self.anthropic[key]

    def poll_anthropic(self, key: str, host: str, work: Callable[..., tuple[bytes, list[str]]]) -> dict[str, Any]:
        """How far a batch is; it ends after some polls."""
        batch = self.anthropic[key]
        with self._lock:
            self._seen[key] += 1
            if batch["processing_status"] == "in_progress" and self._seen[key] >= self.polls:
                plain = Request("POST", "", {}, {}, b"")
                results = []
                for asked in self._asked[key]:
                    if self.expires and self.expires in str(asked):
                        results.append(
                            f'{{"custom_id": "{asked["custom_id"]}", "result": {{"type": "expired"}}}}'.encode()
                        )
                    else:
                        results.append(self._billed(*work(asked, plain)))
                self.results[key] = b"\n".join(results)
                batch |= {"processing_status": "ended", "results_url": f"{host}/v1/messages/batches/{key}/results"}
        return batch

    def _billed(self, line: bytes, texts: list[str]) -> bytes:
        self.paid.update(texts)
        return line
