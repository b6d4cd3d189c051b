"""What can go wrong when a model is called, sorted by what helps."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg


class ModelCallError(Exception):
    """Calls cannot go on; one message, without secrets.

    Args:
        message: What happened and what to do.
        transient: Whether trying again later may help.
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient

    def as_failure(self, what: str, metadata: "dict[str, dg.MetadataValue] | None" = None) -> "dg.Failure":
        """The failure of the step; ``what`` names it, and the metadata says what was spent until then."""
        import dagster as dg  # the workers of an engine read documents without it

        return dg.Failure(description=f"{what}: {self}", metadata=metadata, allow_retries=self.transient)


class BudgetError(ModelCallError):
    """The next call could pass a budget, and was not made."""


class PriceError(ModelCallError):
    """Nobody knows what the model costs."""


class LimitedError(Exception):
    """The provider's limit is reached (429).

    Args:
        retry_after: Seconds that the provider asks to wait; None where it does not say.
    """

    def __init__(self, message: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FailedError(Exception):
    """The provider failed at this call; another attempt may succeed.

    Args:
        billed: Whether the provider may have charged for it all the same, as when a connection was cut.
    """

    def __init__(self, message: str, *, billed: bool = False) -> None:
        super().__init__(message)
        self.billed = billed


class RejectedError(Exception):
    """The provider does not take this one request, however often it is sent."""


class RefusedError(Exception):
    """The provider refuses every call: key, model or account."""
