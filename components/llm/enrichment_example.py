"""The worked example of an enrichment: a few support tickets, written for it, and a prompt."""

from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import BaseModel, Field

from ..warehouse.sql_table import KEY_PATTERN
from .prompt_registry import write_example_prompt

FILE = "tickets.csv"
_TICKETS = """\
ticket_id,created_at,subject,body
1001,2026-01-05,Charged twice,"I was charged twice for my subscription. Please refund one payment to my card."
1002,2026-01-05,Cannot log in,"My password reset link never arrives, so I cannot log in. Very frustrating."
1003,2026-01-06,Great support,"Thanks to Ana for the quick help yesterday. The export works perfectly now, I love it."
1004,2026-01-06,Parcel is late,"The tracking page says delivered, but no package arrived. Where is my order?"
1005,2026-01-07,App crashes on start,"Since the last update the app crashes on every start. It is useless."
1006,2026-01-07,Dark mode,"It would be nice to have a dark mode. Is that planned?"
1007,2026-01-08,Invoice address,"Please put our new company name on the next invoice. Nothing urgent."
1008,2026-01-08,Wrong size,"The shoes are solid and look great, but the size is wrong. How do I send them back?"
1009,2026-01-09,Account locked,"My account is locked after three tries and nobody answers. I have a deadline today!"
1010,2026-01-09,Delivery was fast,"Ordered on Monday, arrived on Tuesday. Excellent service, I will recommend you."
1011,2026-01-10,Refund,"You promised a refund three weeks ago. This is the worst billing department I know."
1012,2026-01-10,Opening hours,"What are the opening hours of the shop in Leeds on Saturday?"
"""
_OUTPUT: dict[str, Any] = {
    "sentiment": {
        "type": "string",
        "enum": ["positive", "neutral", "negative"],
        "description": "How the writer feels about us.",
    },
    "topic": {
        "type": "string",
        "enum": ["billing", "account", "delivery", "technical", "other"],
        "description": "What the ticket is mainly about.",
    },
    "summary": {"type": "string", "max_length": 200, "description": "One sentence a colleague can act on."},
}


class TableEnrichmentParams(BaseModel):
    """What the scaffolder asks."""

    key: str = Field(default="enriched/support_tickets", description="Asset key, schema/table", pattern=KEY_PATTERN)


class TableEnrichmentScaffolder(dg.Scaffolder[TableEnrichmentParams]):
    """Writes an enrichment that runs as it is, with its rows and its prompt."""

    @classmethod
    def get_scaffold_params(cls) -> type[TableEnrichmentParams]:
        """The asset key."""
        return TableEnrichmentParams

    def scaffold(self, request: dg.ScaffoldRequest[TableEnrichmentParams]) -> None:
        """Write ``defs.yaml``, the tickets and the prompt."""
        write_tickets(request.target_path)
        write_example_prompt(request.target_path)
        attributes = {
            "key": request.params.key,
            "description": "Support tickets with their sentiment, topic and a summary.",
            "data": {"path": FILE},
            "id_column": "ticket_id",
            "columns": ["subject", "body"],
            "keep": ["created_at"],
            "prompt": "support_tickets",
            "output": _OUTPUT,
            "provider": {"provider": "local", "name": "rules"},
            "group": "enriched",
        }
        dg.scaffold_component(request, attributes)


def write_tickets(folder: Path) -> None:
    """Write the example's tickets, unless there are some."""
    if not (folder / FILE).exists():
        (folder / FILE).write_text(_TICKETS, encoding="utf-8")
