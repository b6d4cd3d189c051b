"""Telling people how a training ended, along the alert routes of policy.yaml."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import dagster as dg

from ..governance.policy import Policy
from .attributes import Notifications


@dataclass(frozen=True)
class Routes:
    """The environment variables with the addresses of each occasion, by route.

    Args:
        failure: Routes told of failures.
        completion: Routes told of successes.
    """

    failure: dict[str, str]
    completion: dict[str, str]

    def tell_failure(self, title: str, body: str, warn: Callable[[str], None]) -> None:
        """Tell the routes of failures."""
        _tell(self.failure, title, body, "failure", warn)

    def tell_completion(self, title: str, body: str, warn: Callable[[str], None]) -> None:
        """Tell the routes of completions."""
        _tell(self.completion, title, body, "success", warn)


def _tell(
    routes: dict[str, str], title: str, body: str, kind: Literal["failure", "success"], warn: Callable[[str], None]
) -> None:
    """Send a message along routes; one that cannot be sent is only logged, as the work itself is done."""
    from ..orchestration.notify import NotSentError, send

    for name, url_env in routes.items():
        try:
            send(url_env, title, body, kind)
        except NotSentError as error:
            warn(f"alert route {name!r}: {error}")


def find_routes(notifications: Notifications, policy: Policy, where: str) -> Routes:
    """The routes behind the names of ``notifications``.

    Args:
        notifications: The names.
        policy: The project's policy, whose alert_routes know the addresses.
        where: File, for the message.

    Raises:
        DagsterInvalidDefinitionError: a name is no alert route.
    """
    channel = [f"slack:{notifications.slack_channel}"] if notifications.slack_channel else []
    return Routes(
        failure=_named([*channel, *notifications.on_failure], "on_failure", policy, where),
        completion=_named([*channel, *notifications.on_completion], "on_completion", policy, where),
    )


def _named(names: list[str], occasion: str, policy: Policy, where: str) -> dict[str, str]:
    found = {}
    for name in names:
        if name not in policy.alert_routes:
            near = get_close_matches(name, policy.alert_routes, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise dg.DagsterInvalidDefinitionError(
                f"{where}: notifications.{occasion}: {name!r} is no alert route of policy.yaml{hint} "
                f"There are: {', '.join(map(repr, policy.alert_routes)) or 'none'}. The platform team adds one as "
                f"{name!r}: {{url_env: NAME_OF_A_VARIABLE}}"
            )
        found[name] = policy.alert_routes[name].url_env
    return found
