"""Traces of model calls in MLflow: what was sent and answered, as it left this machine."""

import time
from pathlib import Path
from typing import Any

from ..ml.tracking import Tracking, TrackingError, tracking
from .errors import ModelCallError
from .ledger import Caller
from .messages import Usage
from .settings import ProviderSettings

EXPERIMENT = "model calls"


class Tracer:
    """Logs calls of one asset in one run; threads share it.

    Args:
        settings: The model.
        caller: Who calls.
        project_root: Folder of the local MLflow database.

    Raises:
        ModelCallError: MLflow is not installed or cannot be reached.
    """

    def __init__(self, settings: ProviderSettings, caller: Caller, project_root: Path) -> None:
        self.settings, self.caller = settings, caller
        self.mlflow: Tracking = tracking(project_root)
        try:
            self.mlflow.activate()
            self.experiment_id = self.mlflow.experiment_id(EXPERIMENT)
        except ImportError:
            raise ModelCallError(
                "trace: needs the package mlflow-skinny, with sqlalchemy and alembic; add them or set trace: false"
            ) from None
        except TrackingError as error:
            raise ModelCallError(str(error), transient=error.transient) from None

    def note(self, kind: str, inputs: dict[str, Any], outputs: dict[str, Any], usage: Usage, started_ns: int) -> None:
        """Log one call that was answered; a trace that cannot be written is worth no failure of the run.

        Args:
            kind: ``complete`` or ``embed``.
            inputs: What was sent.
            outputs: What was answered.
            usage: What it cost.
            started_ns: When it was sent, in nanoseconds since 1970.
        """
        client = self.mlflow.client
        total = usage.input_tokens + usage.output_tokens
        tokens = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens, "total_tokens": total}
        tags = {
            "dagster.run_id": self.caller.run_id,
            "dagster.asset_key": self.caller.asset,
            "owner": self.caller.owner,
            "usd": f"{usage.usd:.8f}",
        }
        span = client.start_trace(
            f"{self.settings.title} {kind}",
            span_type="CHAT_MODEL" if kind == "complete" else "EMBEDDING",
            inputs=inputs,
            attributes={"mlflow.chat.tokenUsage": tokens, "model": self.settings.name},
            tags=tags,
            experiment_id=self.experiment_id,
            start_time_ns=started_ns,
        )
        client.end_trace(span.trace_id, outputs=outputs, end_time_ns=time.time_ns())

    def flush(self) -> None:
        """Wait until what was noted is written."""
        import mlflow

        mlflow.flush_trace_async_logging()
