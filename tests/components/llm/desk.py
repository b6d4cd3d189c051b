"""Calls to a fake provider with a ledger of their own."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.governance.policy import Policy
from components.llm.calls import ModelCalls
from components.llm.ledger import LEDGER_FILE, Ledger
from components.llm.messages import Completion, Reply
from components.llm.settings import ProviderSettings
from tests.fakes.models import FakeModels

SCHEMA = {
    "type": "object",
    "properties": {
        "sentiment": {"type": "string", "enum": ["positive", "neutral", "negative"]},
        "urgency": {"type": "integer", "minimum": 1, "maximum": 5},
    },
    "required": ["sentiment", "urgency"],
    "additionalProperties": False,
}
NAMES = {
    "openai": "gpt-5-mini",
    "openai_compatible": "llama3.2",
    "anthropic": "claude-sonnet-5",
    "gemini": "gemini-2.5-flash",
    "bedrock": "anthropic.claude-3-haiku-20240307-v1:0",
}
EVERYWHERE = list(NAMES)


@dataclass
class Desk:
    """Makes calls; every log line is kept.

    Args:
        models: The fake provider.
        root: Folder of the ledger.
    """

    models: FakeModels
    root: Path
    budget_usd: float | None = None
    log: list[str] = field(default_factory=list)

    def settings(self, provider: str, **more: Any) -> ProviderSettings:
        """Settings that lead to the fake."""
        path = "/v1" if provider.startswith("openai") else ""
        given = {"provider": provider, "name": NAMES[provider], "base_url": f"{self.models.url}{path}"}
        if provider == "openai_compatible":
            given["api_key"] = "OPENAI_API_KEY"
        return ProviderSettings(**(given | more))

    def calls(self, settings: ProviderSettings, run_id: str = "run-1") -> ModelCalls:
        """Calls of one run."""
        budgets: dict[str, Any] = {"team:ai": {"monthly_usd": self.budget_usd}} if self.budget_usd else {}
        return ModelCalls(
            settings,
            project_root=self.root,
            policy=Policy.model_validate({"version": 1, "budgets": budgets}),
            asset="ai/answers",
            owner="team:ai",
            run_id=run_id,
            log=self.log.append,
        )

    def ask(self, provider: str, *prompts: str, **more: Any) -> dict[str, Reply]:
        """Replies by prompt, one call at a time."""
        most = more.pop("max_output_tokens", 300)
        with self.calls(self.settings(provider, **({"concurrency": 1} | more))) as calls:
            return {reply.id: reply for reply in calls.complete(requests(*prompts, most=most))}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the ledger says."""
        ledger = Ledger(self.root / LEDGER_FILE)
        try:
            return ledger.rows(sql)
        finally:
            ledger.close()

    def states(self) -> dict[str, int]:
        """How many calls ended how."""
        return dict(self.rows("SELECT state, count(*) FROM calls GROUP BY state"))


def requests(*prompts: str, most: int = 300) -> list[Completion]:
    """A request for each prompt, which is its id too."""
    return [Completion(prompt, prompt, "Judge.", SCHEMA, most) for prompt in prompts]
