"""What of a provider's settings decides its embeddings, and the calls that make them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..governance import policy_for
from ..llm.calls import ModelCalls
from ..llm.settings import ProviderSettings
from ..llm.stand_in import in_force


def identity(provider: ProviderSettings) -> dict[str, Any]:
    """What two embeddings have to share to be comparable."""
    return {name: getattr(provider, name) for name in ("provider", "name", "base_url", "dimensions")}


def for_readers(provider: ProviderSettings) -> dict[str, Any]:
    """The settings by which a reader embeds a question; names of secrets, no secrets."""
    return provider.model_dump(mode="json", exclude_defaults=True)


def model_in_force(
    provider: ProviderSettings | None, project_root: Path, warn: Callable[[str], None]
) -> ProviderSettings | None:
    """The model to ask; None where there is none, or where what it needs is missing, which is said as a warning."""
    if provider is None:
        return None
    local = ProviderSettings()
    found = in_force(provider, local, policy_for(project_root), warn, "What the documents say, word for word,")
    return None if found is local else found


def calls_for(
    provider: ProviderSettings,
    project_root: Path,
    asset: str,
    owners: Sequence[str] = (),
    run_id: str = "search",
    log: Callable[[str], None] = lambda line: None,
) -> ModelCalls:
    """Calls that count against the first owner's budget."""
    return ModelCalls(
        provider,
        project_root=project_root,
        policy=policy_for(project_root),
        asset=asset,
        owner=owners[0] if owners else "",
        run_id=run_id,
        log=log,
    )
