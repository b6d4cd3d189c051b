"""What the company's policy makes of a compute size and an alert route."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from .attributes import Compute, Monitoring
from .faults import Where
from .translator import Standards


@dataclass(frozen=True)
class ComputeInForce:
    """What a compute size means for dbt and for the books.

    Args:
        environment: Variables that profiles.yml reads.
        threads: Models built side by side.
        tags: Tags of assets and runs.
        metadata: Metadata of assets.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def run_tags(self) -> dict[str, str]:
        """What runs are tagged with, so that their cost can be told."""
        cost = self.metadata.get("hourly_cost_usd")
        return {**self.tags, **({"hourly_cost_usd": f"{cost:g}"} if cost is not None else {})}


def compute_in_force(compute: Compute, threads: int | None, where: Where, project_root: Path) -> ComputeInForce:
    """Look the size up in policy.yaml.

    Args:
        compute: What the YAML says.
        threads: ``dbt.threads``, which wins over those of the size.
        where: The YAML file, for messages.
        project_root: Folder of policy.yaml.

    Raises:
        DbtProjectError: the policy does not approve of the size.
    """
    environment = {"DBT_QUERY_TAG": compute.query_tag} if compute.query_tag else {}
    tags: dict[str, str] = {}
    metadata: dict[str, Any] = {"query_tag": compute.query_tag} if compute.query_tag else {}
    if compute.warehouse_size:
        from ..governance import policy_for

        sizes = policy_for(project_root).compute_sizes
        if compute.warehouse_size not in sizes:
            problem = "is not among compute_sizes in policy.yaml"
            raise where.fault("compute.warehouse_size", compute.warehouse_size, problem, sizes)
        size = sizes[compute.warehouse_size]
        threads = threads or size.threads
        environment["WAREHOUSE_MEMORY_LIMIT"] = f"{size.memory_gb:g}GB"
        if size.warehouse:
            environment["DBT_WAREHOUSE"] = size.warehouse
        tags["compute_size"] = compute.warehouse_size
        metadata["hourly_cost_usd"] = float(size.hourly_cost_usd)
    if threads:
        environment["DBT_THREADS"] = str(threads)
    return ComputeInForce(environment, threads, tags, metadata)


def standards_of(
    monitoring: Monitoring,
    compute: ComputeInForce,
    partitions: dg.PartitionsDefinition | None,
    where: Where,
    project_root: Path,
) -> Standards:
    """Tags, metadata and freshness policy that every model gets.

    Raises:
        DbtProjectError: policy.yaml has no such alert route.
    """
    tags, metadata = dict(compute.tags), dict(compute.metadata)
    freshness = None
    if monitoring.alert_route:
        from ..governance import policy_for

        routes = policy_for(project_root).alert_routes
        if monitoring.alert_route not in routes:
            problem = "is not among alert_routes in policy.yaml"
            raise where.fault("monitoring.alert_route", monitoring.alert_route, problem, routes)
        tags["alert_route"] = monitoring.alert_route
    if monitoring.sla_minutes is not None:
        metadata["sla_minutes"] = monitoring.sla_minutes
        freshness = dg.FreshnessPolicy.time_window(fail_window=timedelta(minutes=monitoring.sla_minutes))
    return Standards(tags, metadata, freshness, partitions)
