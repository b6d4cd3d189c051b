"""What a dbt project's YAML may say, group by group."""

from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import Field

from ..attributes import Owners, Tags
from ..base import StrictModel
from ..schedules import Cron, Timezone

TestSeverity = Literal["declared", "warn", "error"]
PartitionType = Literal["hourly", "daily", "weekly", "monthly"]

_DATE = r"^\d{4}-\d{2}-\d{2}(-\d{2}:\d{2})?$"


class GitProject(StrictModel):
    """A dbt project in a git repository, cloned by ``dg utils refresh-defs-state``."""

    git: Annotated[
        str,
        dg.Resolver.default(
            description="URL of the repository.",
            examples=["https://github.com/acme/analytics.git", "git@github.com:acme/analytics.git"],
            json_schema_extra={"pattern": r"^[^-\s]\S*$"},
        ),
    ]
    ref: Annotated[
        str | None,
        dg.Resolver.default(
            description="Branch, tag or commit; the repository's default branch if absent.",
            examples=["main", "v1.4.0"],
            json_schema_extra={"pattern": r"^[^-\s]\S*$"},
        ),
    ] = None
    subfolder: Annotated[
        str | None,
        dg.Resolver.default(description="Folder of the dbt project in the repository.", examples=["dbt/analytics"]),
    ] = None
    token_env: Annotated[
        str | None,
        dg.Resolver.default(
            description="Name of the environment variable that holds the token for a private repository.",
            examples=["DBT_GIT_TOKEN"],
            json_schema_extra={"pattern": r"^[A-Za-z_]\w*$"},
        ),
    ] = None


class UpstreamPattern(StrictModel):
    """A rule that maps every table of matching sources."""

    source: Annotated[
        str, dg.Resolver.default(description="Name of a dbt source; * stands for any text.", examples=["raw", "raw_*"])
    ]
    key: Annotated[
        str,
        dg.Resolver.default(
            description="Asset key, with {source} and {table} where the names go.", examples=["landing/{table}"]
        ),
    ]


class Upstream(StrictModel):
    """Which assets of the platform the dbt sources are: explicit entries win over patterns, patterns over names."""

    assets: Annotated[
        dict[str, str],
        dg.Resolver.default(
            description="Asset keys by source.table.", examples=[{"raw.customers": "ingest/customer_data"}]
        ),
    ] = Field(default_factory=dict)
    patterns: Annotated[
        list[UpstreamPattern], dg.Resolver.default(description="Rules for whole sources; the first that fits counts.")
    ] = Field(default_factory=list)
    match: Annotated[
        bool,
        dg.Resolver.default(
            description=(
                "Whether a source that is not mapped is the asset of the same name: source raw, table orders is "
                "raw/orders. With false, every source that a model reads must be mapped."
            )
        ),
    ] = True
    namespaces: Annotated[
        dict[str, str],
        dg.Resolver.default(
            description="First part of the asset keys by dbt source, where the names differ: {data_eng: raw}.",
            examples=[{"data_eng": "raw", "ml_team": "features"}],
        ),
    ] = Field(default_factory=dict)


class Schedule(StrictModel):
    """When to run."""

    cron: Cron
    timezone: Timezone = "UTC"
    status: Annotated[
        Literal["running", "stopped"],
        dg.Resolver.default(description="Whether the schedule is on until somebody switches it in the web UI."),
    ] = "running"


class Partitions(StrictModel):
    """Time windows that the models are built for, one run or backfill at a time."""

    type: Annotated[PartitionType, dg.Resolver.default(description="Length of one partition.")]
    start_date: Annotated[
        str,
        dg.Resolver.default(
            description="First date; hourly ones carry the time.",
            examples=["2024-01-01", "2024-01-01-00:00"],
            json_schema_extra={"pattern": _DATE},
        ),
    ]
    end_date: Annotated[
        str | None,
        dg.Resolver.default(description="Date before which the last one ends.", json_schema_extra={"pattern": _DATE}),
    ] = None
    timezone: Timezone = "UTC"


class DbtOptions(StrictModel):
    """How dbt is called."""

    target: Annotated[
        str | None,
        dg.Resolver.default(
            description="Output of the profile; follows WAREHOUSE_TARGET where the project's own profiles.yml is used."
        ),
    ] = None
    profile: Annotated[
        str | None,
        dg.Resolver.default(description="Profile in profiles.yml; warehouse if the platform's is used."),
    ] = None
    profiles_dir: Annotated[
        str | None,
        dg.Resolver.default(
            description="Folder of profiles.yml, from the project's root; the root or the dbt project if absent."
        ),
    ] = None
    vars: Annotated[
        dict[str, Any],
        dg.Resolver.passthrough(
            description="dbt vars; {{ partition.start }}, {{ partition.end }} and {{ partition.key }} are the run's.",
            examples=[{"start_date": "{{ partition.start }}", "end_date": "{{ partition.end }}"}],
        ),
    ] = Field(default_factory=dict)
    select: Annotated[
        str | None,
        dg.Resolver.default(description="dbt selection string of what to include.", examples=["tag:production"]),
    ] = None
    selector: Annotated[
        str | None, dg.Resolver.default(description="Name of a selector in selectors.yml, instead of select.")
    ] = None
    exclude_models: Annotated[
        list[str],
        dg.Resolver.default(
            description="Names of models to leave out; * stands for any text.",
            examples=[["staging_*", "deprecated_*"]],
        ),
    ] = Field(default_factory=list)
    test_severity: Annotated[
        TestSeverity,
        dg.Resolver.default(
            description=(
                "warn: a failing test warns and never stops the run (unit tests, which always stop dbt, are left out); "
                "error: tests declared as warnings stop it too; declared: as each test says."
            )
        ),
    ] = "declared"
    threads: Annotated[
        int | None,
        dg.Resolver.default(
            description="Models built side by side; the compute size decides if absent.",
            json_schema_extra={"minimum": 1},
        ),
    ] = None


class AssetDefaults(StrictModel):
    """What models get where they declare nothing themselves."""

    owners: Owners = Field(default_factory=list)
    group: Annotated[
        str | None,
        dg.Resolver.default(
            description="Asset group; the folder under models/ if absent.",
            json_schema_extra={"pattern": r"^[A-Za-z0-9_]+$"},
        ),
    ] = None
    tags: Tags = Field(default_factory=dict)


class Compute(StrictModel):
    """What the models run on."""

    warehouse_size: Annotated[
        str | None, dg.Resolver.default(description="A name of compute_sizes in policy.yaml.", examples=["small"])
    ] = None
    query_tag: Annotated[
        str | None,
        dg.Resolver.default(description="Text that profiles.yml reads as DBT_QUERY_TAG.", examples=["analytics"]),
    ] = None


class Monitoring(StrictModel):
    """What is promised about the models, and who hears when it is broken."""

    sla_minutes: Annotated[
        int | None,
        dg.Resolver.default(
            description="Greatest age of a model in minutes before it counts as stale.",
            json_schema_extra={"minimum": 1},
        ),
    ] = None
    alert_route: Annotated[
        str | None, dg.Resolver.default(description="A name of alert_routes in policy.yaml.", examples=["analytics"])
    ] = None
