"""When a packaged sample stands in for a source that nobody has given access to yet."""

from ..warehouse.settings import TARGET_VARIABLE, warehouse_target
from .files import SourceError


def sample_reason(missing: str, *, has_sample: bool) -> str:
    """Why the sample is loaded, for the log.

    Args:
        missing: What is not set, as a sentence without its end.
        has_sample: Whether the source has a sample.

    Raises:
        SourceError: nothing may stand in: there is no sample, or the target is production.
    """
    if warehouse_target() == "production":
        raise SourceError(f"source: {missing}, and {TARGET_VARIABLE} is production, where no sample stands in. Set it.")
    if not has_sample:
        raise SourceError(f"source: {missing}. Set it.")
    return missing
