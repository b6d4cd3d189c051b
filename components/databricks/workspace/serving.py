"""The component that serves a model of Unity Catalog: a canary first, and back where it fails."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import dagster as dg
from pydantic import Field

from ...attributes import AssetKeys, Description, Group, Owners, Tags
from ...base import StrictComponent, StrictModel
from ...governance.policy import policy_for
from .client import Workspace
from .deployment import Deployment, Probe, deploy
from .one_asset import FullName, Key, MaxWait, one_asset


class Canary(StrictModel):
    """How a new version is tried before it gets all requests."""

    percent: Annotated[
        int,
        dg.Resolver.default(
            description="Share of the requests that it gets first; 0 asks it nothing but the probes.",
            json_schema_extra={"minimum": 0, "maximum": 99},
        ),
    ] = 10
    probes: Annotated[
        list[dict[str, Any]],
        dg.Resolver.default(description="Records that it must answer.", examples=[[{"distance": 733, "hour": 9}]]),
    ] = Field(default_factory=list)
    rounds: Annotated[
        int,
        dg.Resolver.default(description="How often the probes are sent.", json_schema_extra={"minimum": 1}),
    ] = 3
    max_failures: Annotated[
        int,
        dg.Resolver.default(description="Failed answers that are accepted.", json_schema_extra={"minimum": 0}),
    ] = 0
    max_seconds: Annotated[
        float,
        dg.Resolver.default(description="Longest that an answer may take.", json_schema_extra={"exclusiveMinimum": 0}),
    ] = 10.0


class ServingScaffolder(dg.Scaffolder[Any]):
    """Writes an endpoint for the champion of a model."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write ``defs.yaml``."""
        attributes = {
            "key": "serving/model",
            "description": "Say who asks it, and what for.",
            "endpoint": "model",
            "registered_model": "main.ml.model",
            "canary": {"percent": 10, "probes": [{"x": 1.0}]},
        }
        dg.scaffold_component(request, attributes)


@dg.scaffold_with(ServingScaffolder)
@dataclass(kw_only=True)
class ServingEndpointComponent(StrictComponent):
    """A Model Serving endpoint with the version of a Unity Catalog model that an alias names.

    A new version is served beside the old one with a small share of the requests, has to answer the probes, and then
    gets all of them; where it fails, all go to the old one again, and the step fails. A second run changes nothing.

    .. code-block:: yaml

        type: components.ServingEndpointComponent
        attributes:
          key: serving/delays
          description: Predicts delays for the website.
          endpoint: delays
          registered_model: main.ml.delays
          alias: champion
          canary: {percent: 10, probes: [{distance: 733, hour: 9}]}
          owners: ["team:data"]
          tags: {domain: flights}
    """

    key: Key
    description: Description
    endpoint: Annotated[
        str,
        dg.Resolver.default(
            description="Name of the endpoint.",
            examples=["delays"],
            json_schema_extra={"pattern": r"^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$"},
        ),
    ]
    registered_model: FullName
    alias: Annotated[str, dg.Resolver.default(description="Alias of the version that is served.")] = "champion"
    workload_size: Annotated[
        str, dg.Resolver.default(description="Size of its compute, which policy.yaml approves (serving_sizes).")
    ] = "Small"
    scale_to_zero: Annotated[
        bool, dg.Resolver.default(description="Whether it costs nothing while nobody asks, and is slow to wake.")
    ] = True
    canary: Annotated[Canary, dg.Resolver.default(description="How a new version is tried.")] = field(
        default_factory=Canary
    )
    max_wait_minutes: MaxWait = 60.0
    depends_on: AssetKeys = field(default_factory=list)
    owners: Owners = field(default_factory=list)
    group: Group = None
    tags: Tags = field(default_factory=dict)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The endpoint as an asset."""
        root = context.project_root
        sizes = policy_for(root).databricks.serving_sizes
        if self.workload_size not in sizes:
            raise dg.DagsterInvalidDefinitionError(
                f"{self.key}: workload_size: {self.workload_size!r}; policy.yaml approves {', '.join(sizes) or 'none'}"
            )

        def work(workspace: Workspace, context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return dg.MaterializeResult(metadata=deploy(workspace, self.deployment(), context.log.info))

        return one_asset(self, root, "model_serving", f"endpoint {self.endpoint}", work)

    def deployment(self) -> Deployment:
        """What is deployed, for the API."""
        canary = self.canary
        probe = Probe(canary.probes, canary.rounds, canary.max_failures, canary.max_seconds)
        return Deployment(
            endpoint=self.endpoint,
            model=self.registered_model,
            alias=self.alias,
            size=self.workload_size,
            scale_to_zero=self.scale_to_zero,
            percent=canary.percent,
            probe=probe,
            limit_seconds=self.max_wait_minutes * 60,
            tags={"dagster_asset": self.key, **({"cost_owner": self.owners[0]} if self.owners else {})},
        )
