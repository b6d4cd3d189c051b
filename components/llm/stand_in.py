"""What stands in for a provider that nobody has given a key for yet: a local model, in target local only."""

import os
from collections.abc import Callable, Sequence

from ..governance.policy import Policy
from ..secrets import SecretMissingError, read_secret
from ..warehouse.settings import TARGET_VARIABLE, warehouse_target
from .errors import ModelCallError
from .settings import ProviderSettings


def stands_in(needs: Sequence[str], policy: Policy, title: str) -> str:
    """Why something local stands in; empty where all that is needed is there.

    Args:
        needs: Names of secrets or environment variables.
        policy: Says where secrets are.
        title: What needs them, for the message.

    Raises:
        SecretMissingError: one is missing and the target is production, where nothing stands in.
        SecretStoreError: the store of secrets does not answer.
    """
    missing = [name for name in needs if not _is_there(name, policy)]
    if missing and warehouse_target() == "production":
        raise SecretMissingError(
            f"{title} needs {', '.join(missing)}: {TARGET_VARIABLE} is production, where nothing local stands in"
        )
    return f"{', '.join(missing)} not set, so {title} was not asked" if missing else ""


def in_force(
    settings: ProviderSettings, local: ProviderSettings, policy: Policy, warn: Callable[[str], None], instead: str = ""
) -> ProviderSettings:
    """The settings, or the local ones where what the provider needs is missing; that is said as a warning.

    Args:
        settings: The model that the YAML names.
        local: What stands in for it.
        policy: Says where secrets are.
        warn: Takes a line for people.
        instead: What stands in, for the line; the local model by default.

    Raises:
        ModelCallError: it is missing and the target is production.
    """
    try:
        reason = stands_in(settings.needs, policy, settings.title)
    except SecretMissingError as error:
        raise ModelCallError(str(error)) from None
    if not reason:
        return settings
    warn(f"SAMPLE: {reason}. {instead or local.title} stands in, on this machine; it is no language model.")
    return local


def _is_there(name: str, policy: Policy) -> bool:
    if os.environ.get(name):
        return True
    try:
        return bool(read_secret(policy.secrets, name))
    except SecretMissingError:
        return False
