"""The attributes by which metrics and spans are told apart."""

from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg

from ..story import Story

Attributes = dict[str, Any]


def of_run(story: Story, tags: Collection[str]) -> Attributes:
    """Attributes of a run: its job, how it ended, and those of the tags that it has."""
    return {"dagster.job.name": story.job, "dagster.outcome": story.outcome, **_tags(story.run.tags, tags)}


def of_asset(key: dg.AssetKey, graph: Any, run: dg.DagsterRun, tags: Collection[str]) -> Attributes:
    """Attributes of an asset: key, group, owners, and those of the tags that it, or else the run, has."""
    node = graph.get(key) if graph.has(key) else None
    said: Attributes = {"dagster.asset.key": key.to_user_string()}
    if node and node.group_name:
        said["dagster.asset.group"] = node.group_name
    if node and node.owners:
        said["dagster.asset.owners"] = ",".join(node.owners)
    return {**said, **_tags(run.tags, tags), **(_tags(node.tags, tags) if node else {})}


def _tags(has: Mapping[str, str], wanted: Collection[str]) -> Attributes:
    return {f"dagster.tag.{name}": has[name] for name in wanted if has.get(name)}
