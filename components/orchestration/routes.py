"""Who is told about which asset, and the telling."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from ..governance import Policy
from .notify import AddressMissingError, Kind, NotSentError, send


@dataclass
class Routes:
    """The alert routes of a project.

    Args:
        policy: Has the routes, each with the owners whose alerts go there.
        default: Route of assets that have none.
        webserver_url: Address of Dagster's web UI.
    """

    policy: Policy
    default: str | None
    webserver_url: str | None
    _silent: set[str] = field(default_factory=set)

    def of_asset(self, node: Any) -> str | None:
        """The route of an asset: that of its tag, of its owners, or the default."""
        found = node.tags.get("alert_route") or self.policy.route_of(node.owners) if node else None
        return found or self.default

    def of_assets(self, nodes: Iterable[Any]) -> dict[str | None, list[Any]]:
        """Assets by their route, each list in the order of the keys."""
        routed: dict[str | None, list[Any]] = {}
        for node in sorted(nodes, key=lambda node: node.key):
            routed.setdefault(self.of_asset(node), []).append(node)
        return routed

    def link(self, path: str) -> list[str]:
        """A line with an address in the web UI, where that is known."""
        return [f"{self.webserver_url.rstrip('/')}/{path}"] if self.webserver_url else []

    def tell(self, log: Any, route: str | None, about: str, title: str, lines: list[str], kind: Kind) -> bool:
        """Send a message; whether nothing more is to be done about it, so that it is not sent again.

        Args:
            log: Of the sensor; what is wrong with a route is said there.
            route: The route.
            about: What cannot be told where there is no route, for the log.
            title: One line.
            lines: The message.
            kind: What it says: that something failed, may soon, or is well again.
        """
        if route is None:
            log.warning(f"{about}: no alert route; set owners or default_route")
        elif route not in self.policy.alert_routes:
            log.error(f"{about}: alert route {route!r} is not in policy.yaml; nobody was told")
        else:
            try:
                send(self.policy.alert_routes[route].url_env, title, "\n".join(lines), kind)
            except AddressMissingError as error:
                if route not in self._silent:
                    log.warning(f"alert route {route!r}: {error}")
                self._silent.add(route)
            except NotSentError as error:
                log.error(f"alert route {route!r}: {error}; it is tried again")
                return False
        return True


def owned(node: Any) -> str:
    """An asset with its owners, for a message."""
    owners = f" ({', '.join(node.owners)})" if node.owners else ""
    return f"{node.key.to_user_string()}{owners}"


def named(title: str, nodes: Iterable[Any]) -> str:
    """A title with the first assets concerned."""
    names = [node.key.to_user_string() for node in nodes]
    return f"{title}: {', '.join(names[:3])}{', …' if len(names) > 3 else ''}" if names else title


def graph_of(context: dg.SensorEvaluationContext) -> Any:
    """The assets of the code location that the sensor is in.

    Raises:
        DagsterInvariantViolationError: Dagster gave the sensor no repository.
    """
    if context.repository_def is None:
        raise dg.DagsterInvariantViolationError("the sensor was evaluated without its repository")
    return context.repository_def.asset_graph
