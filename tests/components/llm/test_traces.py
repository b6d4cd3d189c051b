"""Traces of model calls in MLflow."""

import pytest

from components.ml.tracking import tracking
from tests.components.llm.desk import Desk, requests


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.mark.slot("ai", "ledger/tracing", "embedded")
def test_a_trace_has_what_was_sent_without_personal_data_and_what_it_cost(desk: Desk) -> None:
    settings = desk.settings("openai", trace=True, redact=["email"])
    with desk.calls(settings) as calls:
        list(calls.complete(requests("Write to ana@example.com.")))
        calls.embed(["some text"])
    mlflow = tracking(desk.root)
    client = mlflow.client
    traces = client.search_traces(locations=[mlflow.experiment_id("model calls")])
    chat = next(trace for trace in traces if trace.data.spans[0].span_type == "CHAT_MODEL")
    assert len(traces) == 2
    assert chat.data.spans[0].inputs["prompt"] == "Write to [EMAIL_1]."
    assert "sentiment" in chat.data.spans[0].outputs["text"]
    assert chat.info.tags["dagster.asset_key"] == "ai/answers"
    assert float(chat.info.tags["usd"]) > 0
    assert chat.info.token_usage["output_tokens"] > 0


def test_without_trace_mlflow_is_not_touched(desk: Desk) -> None:
    desk.ask("openai", "hello")
    assert not (desk.root / "data" / "mlflow.db").exists()
