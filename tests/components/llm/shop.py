"""A project with support tickets in its warehouse, enriched by a fake provider or on this machine."""

from typing import Any

import dagster as dg
import pytest

from components.llm.enrichment import TableEnrichmentComponent
from components.llm.prompt_registry import write_example_prompt
from tests.components.llm.desk import NAMES
from tests.components.warehouse.project import Project
from tests.fakes.models import FakeModels

KEY = "enriched/tickets"
POLICY = "version: 1\nbudgets:\n  team:ai: {monthly_usd: 5, warn_at: 0.2}\n"
OUTPUT: dict[str, Any] = {
    "sentiment": {"type": "string", "enum": ["positive", "neutral", "negative"]},
    "urgency": {"type": "integer", "minimum": 1, "maximum": 5},
    "score": {"type": "number", "minimum": 0, "maximum": 1},
    "angry": {"type": "boolean"},
    "words": {"type": "array"},
}


class Shop:
    """The project; tests change tickets and settings and materialise.

    Args:
        project: The sandbox.
        models: The fake provider; None answers by rules.
        tickets: How many tickets there are.
    """

    def __init__(self, project: Project, models: FakeModels | None = None, tickets: int = 6) -> None:
        self.project, self.models = project, models
        self._loaded: dg.Definitions | None = None
        project.file("policy.yaml", POLICY)
        self.tell("CREATE SCHEMA IF NOT EXISTS raw", "CREATE TABLE raw.tickets (id BIGINT, body VARCHAR)")
        for number in range(tickets):
            self.tell(f"INSERT INTO raw.tickets VALUES ({number}, 'ticket {number}: I was charged twice')")
        self.configure()

    def tell(self, *statements: str) -> None:
        self.project.warehouse.execute(*statements)

    def configure(self, provider: str = "openai", **more: Any) -> None:
        """Write the enrichment, and its prompt if there is none."""
        settings: dict[str, Any] = {"provider": "local", "name": "rules"}
        if self.models:
            path = "/v1" if provider.startswith("openai") else ""
            settings = {"provider": provider, "name": NAMES[provider], "base_url": f"{self.models.url}{path}"}
        attributes = {
            "key": KEY,
            "description": "Tickets.",
            "data": {"table": "raw/tickets"},
            "id_column": "id",
            "columns": ["body"],
            "prompt": "support_tickets",
            "output": OUTPUT,
            "owners": ["team:ai"],
        }
        self._loaded = None
        changed = attributes | more | {"provider": settings | more.pop("provider_settings", {})}
        changed.pop("provider_settings", None)
        folder = self.project.add(TableEnrichmentComponent, "tickets", changed)
        write_example_prompt(folder)

    def prompt(self, text: str) -> None:
        """Change the instructions."""
        (file,) = self.project.root.rglob("prompts/support_tickets.md")
        file.write_text(text)
        self._loaded = None

    @property
    def definitions(self) -> dg.Definitions:
        """What the project defines; loaded once, as loading takes longer than most of what the tests do."""
        if self._loaded is None:
            with self.project.definitions() as self._loaded:
                pass
        return self._loaded

    def run(self, key: str = KEY, **options: Any) -> dg.ExecuteInProcessResult:
        """Materialise an asset."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(asset_selection=[dg.AssetKey.from_user_string(key)], **options)

    def enrich(self, key: str = KEY) -> dict[str, Any]:
        """Materialise an asset; its metadata."""
        (event,) = self.run(key).get_asset_materialization_events()
        return {name: value.value for name, value in event.materialization.metadata.items()}

    def failure(self, key: str = KEY) -> str:
        """What the failure says that materialising ends in."""
        with pytest.raises(dg.Failure) as caught:
            self.run(key)
        return str(caught.value.description)

    def rows(
        self, sql: str = "SELECT * EXCLUDE (input_hash) FROM enriched.tickets ORDER BY id"
    ) -> list[tuple[Any, ...]]:
        return self.project.rows(sql)
