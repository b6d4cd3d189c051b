"""Ray: a cluster that RAY_ADDRESS names, or processes of this machine."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from .base import Engine, EngineError, Packed
from .code import runner

_STORE_BYTES = 512 << 20
_MOST_CPUS = 64
_STARTS = 3


class RayEngine(Engine):
    """A task for each batch; Ray itself repeats one whose worker dies.

    Args:
        address: Of a cluster; empty for one of this machine, which ends with the engine.
    """

    name = "ray"
    batch_documents = 32

    def __init__(self, address: str) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Below `uv run` Ray would send the folder of the project to its workers, and start these by `uv run` in it.
        os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        import ray

        self._ray: Any = ray
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            _start(ray, address)
        self.address: str = ray.get_runtime_context().gcs_address
        cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
        self.most_batches = min(2 * cpus, _MOST_CPUS)
        self.where = f"ray, {'the cluster of RAY_ADDRESS' if address else 'this machine'}, {cpus} CPUs"
        self._run = ray.put(runner())
        self._batch = ray.remote(_batch())

    def submit(self, work: str, documents: Sequence[tuple[str, bytes]]) -> Callable[[], list[Packed]]:
        """One task."""
        under_way = self._batch.remote(self._run, work, list(documents))

        def results() -> list[Packed]:
            try:
                found: list[Packed] = self._ray.get(under_way)
                return found
            except self._ray.exceptions.RayError as error:
                raise EngineError(f"engine ray: {_line(error)}", transient=True) from None

        return results

    def close(self) -> None:
        """Leave the cluster, or end it where it was started here."""
        if self._is_ours:
            self._ray.shutdown()


def _start(ray: Any, address: str) -> None:
    # A cluster has its own; here the default would be a third of the memory.
    here = {} if address else {"include_dashboard": False, "object_store_memory": _STORE_BYTES}
    for attempt in range(_STARTS):
        try:
            ray.init(address=address or "local", log_to_driver=False, configure_logging=False, **here)
            return
        except Exception as error:  # Ray raises no class of its own here
            ray.shutdown()
            # On a busy machine Ray's own processes may take longer than the 15 s that it gives them.
            if address or attempt == _STARTS - 1:
                raise EngineError(f"engine ray: cannot be started: {_line(error)}", transient=True) from None


def _batch() -> Callable[..., list[Packed]]:
    """The task; made inside a function, so that it is sent by its content."""

    def prepare(run: Any, work: str, documents: list[tuple[str, bytes]]) -> list[Packed]:
        return [run(work, header, data) for header, data in documents]

    return prepare


def _line(error: BaseException) -> str:
    """The last line of what Ray says, which is the reason."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
