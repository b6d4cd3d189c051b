"""Alerts about data that is late, once when it becomes so and once when it is fresh again."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster._core.definitions.freshness import CronFreshnessPolicy, TimeWindowFreshnessPolicy

from .routes import Routes, graph_of, named, owned

_RECORDS = 500


@dataclass
class SlaAlerts:
    """Messages about assets that miss, or meet again, the deadline of their freshness policy.

    The cursor keeps since when an asset without any data is watched, and of which it was told that they are late.

    Args:
        routes: Who is told.
    """

    routes: Routes

    def tick(self, context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Tell what has changed since the last time; a message that was not taken is sent the next time."""
        now = time.time()
        state = json.loads(context.cursor) if context.cursor else {}
        nodes = {node.key: node for node in graph_of(context).asset_nodes if _deadline(node)}
        made = _made(context.instance, list(nodes))
        known = {name: moment for name, moment in state.get("late", {}).items() if _key(name) in nodes}
        # What was never made cannot be late before it had its whole time.
        empty = state.get("empty", {})
        waiting = {_name(key): empty.get(_name(key), now) for key in nodes if key not in made}
        late = {}
        for key, node in nodes.items():
            moment = late_since(_deadline(node), made.get(key, waiting.get(_name(key), now)), now)
            if moment is not None:
                late[key] = moment
        new = [nodes[key] for key in late if _name(key) not in known]
        well = [nodes[key] for key in map(_key, known) if key not in late]
        for route, group in self.routes.of_assets(new).items():
            lines = [line for node in group for line in self._late(node, late[node.key], made.get(node.key), now)]
            if self._tell(context, route, named("Data is late", group), group, lines, "failure"):
                known |= {_name(node.key): late[node.key] for node in group}
        for route, group in self.routes.of_assets(well).items():
            lines = [f"- {owned(node)}: made {_moment(made.get(node.key, now))}" for node in group]
            if self._tell(context, route, named("Data is fresh again", group), group, lines, "success"):
                known = {name: moment for name, moment in known.items() if _key(name) not in {n.key for n in group}}
        reason = f"{len(late)} of {len(nodes)} assets with a deadline are late."
        return dg.SensorResult(cursor=json.dumps({"late": known, "empty": waiting}), skip_reason=reason)

    def _late(self, node: Any, since: float, made: float | None, now: float) -> list[str]:
        last = f"last made {_moment(made)}" if made else "never made"
        lines = [f"- {owned(node)}: late since {_moment(since)} ({_length(now - since)}), {last}"]
        return lines + self.routes.link(f"assets/{node.key.to_user_string()}")

    def _tell(self, context: Any, route: str | None, title: str, group: list[Any], lines: list[str], kind: Any) -> bool:
        about = named(title.split(":")[0], group)
        return self.routes.tell(context.log, route, about, title, lines, kind)


def late_since(policy: Any, made: float, now: float) -> float | None:
    """Since when data is late, or None; moments in seconds since 1970, UTC.

    Args:
        policy: A freshness policy of Dagster's, by time window or by cron.
        made: When the data was last made.
        now: The moment that is asked about.
    """
    if isinstance(policy, TimeWindowFreshnessPolicy):
        due = made + policy.fail_window.to_timedelta().total_seconds()
        return due if now >= due else None
    from dagster._utils.schedules import get_latest_completed_cron_tick

    here = datetime.fromtimestamp(now, UTC)
    tick = get_latest_completed_cron_tick(policy.deadline_cron, here, policy.timezone)
    if tick is None or made >= tick.timestamp() - policy.lower_bound_delta.total_seconds():
        return None
    return tick.timestamp()


def _deadline(node: Any) -> TimeWindowFreshnessPolicy | CronFreshnessPolicy | None:
    policy = node.freshness_policy_or_from_metadata
    return policy if isinstance(policy, TimeWindowFreshnessPolicy | CronFreshnessPolicy) else None


def _made(instance: dg.DagsterInstance, keys: list[dg.AssetKey]) -> Mapping[dg.AssetKey, float]:
    """When each asset was last made, by a few queries for all."""
    made = {}
    for start in range(0, len(keys), _RECORDS):
        for record in instance.get_asset_records(keys[start : start + _RECORDS]):
            if record.asset_entry.last_materialization:
                made[record.asset_entry.asset_key] = record.asset_entry.last_materialization.timestamp
    return made


def _name(key: dg.AssetKey) -> str:
    return key.to_user_string()


def _key(name: str) -> dg.AssetKey:
    return dg.AssetKey.from_user_string(name)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _length(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
