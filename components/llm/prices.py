"""What a call costs: the price table of genai-prices, or the price that the YAML gives."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from .errors import PriceError
from .settings import ProviderSettings

BATCH_SHARE = 0.5
"""What OpenAI and Anthropic ask for a batch, as a share of the price of single calls."""
_PROVIDERS = {"openai": "openai", "anthropic": "anthropic", "gemini": "google", "bedrock": "aws"}


@dataclass(frozen=True)
class Prices:
    """The price of one model.

    Args:
        settings: The model.

    Raises:
        PriceError: neither the table nor the YAML has a price.
    """

    settings: ProviderSettings

    def __post_init__(self) -> None:
        self.usd(1, 1)

    @property
    def source(self) -> str:
        """Where the price is from, with its date, for people."""
        if self.settings.provider == "local":
            return "free: runs on this machine"
        if self.settings.price:
            return "price of the YAML"
        if self._is_own_server:
            return "free: a server on this machine"
        from importlib.metadata import version

        told = f"genai-prices {version('genai-prices')}, with prices up to {_newest_price()}"
        return f"{told}, installed on {_installed_on()}"

    def usd(self, input_tokens: int, output_tokens: int, *, batch: bool = False) -> float:
        """US dollars for one call; prices may depend on its length, so sums of tokens have no price."""
        share = BATCH_SHARE if batch else 1.0
        if self.settings.provider == "local":
            return 0.0
        if price := self.settings.price:
            million = input_tokens * price.input_usd_per_million + output_tokens * price.output_usd_per_million
            return million / 1e6 * share
        if self._is_own_server:
            return 0.0
        return self._of_table(input_tokens, output_tokens) * share

    @property
    def _is_own_server(self) -> bool:
        return self.settings.provider == "openai_compatible" and self.settings.stays_here

    def _of_table(self, input_tokens: int, output_tokens: int) -> float:
        from genai_prices import Usage, calc_price

        where: dict[str, Any] = {"provider_id": _PROVIDERS.get(self.settings.provider)}
        if self.settings.provider == "openai_compatible":
            where = {"provider_api_url": self.settings.base_url}
        try:
            usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
            return float(calc_price(usage, self.settings.name, **where).total_price)
        except LookupError:
            raise PriceError(
                f"nobody knows what {self.settings.title} costs, so no budget could hold: genai-prices does not list "
                "it. Set price with input_usd_per_million and output_usd_per_million beside name in the YAML; 0 for "
                "a server of your own"
            ) from None


@cache
def _newest_price() -> str:
    """The day of the newest price in the table, as YYYY-MM-DD: what changed later it does not know."""
    from datetime import UTC, datetime

    from genai_prices.data import providers

    today = datetime.now(UTC).date()
    dated = (price for provider in providers for model in provider.models for price in _conditional(model.prices))
    days = [day for price in dated if (day := getattr(price.constraint, "start_date", today)) < today]
    return max(days).isoformat() if days else "an unknown day"


def _conditional(prices: Any) -> list[Any]:
    """The prices of a model that has had several."""
    return prices if isinstance(prices, list) else []


def _installed_on() -> str:
    """The day from which the price table stands here, as YYYY-MM-DD."""
    from datetime import UTC, datetime
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("genai_prices")
    origin = Path(spec.origin) if spec and spec.origin else Path(__file__)
    return datetime.fromtimestamp(origin.stat().st_mtime, UTC).strftime("%Y-%m-%d")
