"""Groups of attributes of the Spark components."""

from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import Field

from ..base import StrictModel
from ..formats import ASSET_KEY

Format = Annotated[
    Literal["parquet", "delta", "csv", "json"] | None,
    dg.Resolver.default(description="Format of the files; found out where it is left out."),
]
Options = Annotated[
    dict[str, str],
    dg.Resolver.default(description="Options of Spark's reader.", examples=[{"sep": ";"}]),
]
Source = Annotated[
    str,
    dg.Resolver.default(
        description="File, folder or Delta table: an address such as s3://bucket/folder, or a path from the project's "
        "root or from this file.",
        examples=["s3://company-data/training/2024_q3", "data/delays"],
        json_schema_extra={"pattern": r"\S"},
    ),
]

SizeName = Annotated[str, dg.Resolver.default(description="Approved size of policy.yaml.", examples=["small", "large"])]
ProfileName = Annotated[
    str | None,
    dg.Resolver.default(description="Compute profile of policy.yaml; the variable COMPUTE_PROFILE overrides it."),
]
SparkEngine = Annotated[
    Literal["sail", "jvm", "connect"] | None,
    dg.Resolver.default(
        description="sail: in the job's own process. jvm: Apache Spark there, by pyspark and Java. connect: a Spark "
        "Connect server. Left out: connect if its variable is set, else sail. On Databricks it is the cluster's Spark."
    ),
]
SparkRemoteEnv = Annotated[
    str,
    dg.Resolver.default(
        description="Variable with the address of the Spark Connect server, sc://host:port.",
        json_schema_extra={"pattern": r"^[A-Za-z_]\w*$"},
    ),
]
SecretNames = Annotated[
    list[str], dg.Resolver.default(description="Names of secrets, which the script finds as environment variables.")
]
Environment = Annotated[
    dict[str, str], dg.Resolver.default(description="Environment variables of the script; no secrets.")
]
DependsOn = Annotated[
    list[Annotated[str, ASSET_KEY]],
    dg.Resolver.default(description="Asset keys that the data comes from.", examples=[["raw/flights"]]),
]


class TrainingData(StrictModel):
    """The data of a training."""

    source: Source
    preprocessing: Annotated[
        str | None,
        dg.Resolver.default(
            description="Function that takes the DataFrame and returns one: in the entry point, or in "
            "preprocessing/<name>.py beside this file or in the project's root.",
            examples=["standard_nlp_pipeline"],
            json_schema_extra={"pattern": r"^[A-Za-z_]\w*$"},
        ),
    ] = None
    validation_split: Annotated[
        float,
        dg.Resolver.default(
            description="Share of rows kept for validation; the same rows every time.",
            json_schema_extra={"minimum": 0, "maximum": 0.9},
        ),
    ] = 0.2
    split_by: Annotated[
        list[str],
        dg.Resolver.default(
            description="Columns whose equal values are never on both sides, such as a customer; all by default."
        ),
    ] = Field(default_factory=list)
    format: Format = None
    options: Options = Field(default_factory=dict)


class ModelSettings(StrictModel):
    """The model, in the words of the researcher's own script."""

    architecture: Annotated[str | None, dg.Resolver.default(description="Kind of model.", examples=["transformer"])] = (
        None
    )
    parameters: Annotated[
        dict[str, Any],
        dg.Resolver.default(description="Parameters, as context.parameters.", examples=[{"layers": 24}]),
    ] = Field(default_factory=dict)
    checkpoint: Annotated[
        str | None,
        dg.Resolver.default(
            description="Path or address of a model to start from, as context.checkpoint.",
            examples=["s3://models/checkpoints/base_model_v2"],
        ),
    ] = None
    save_to: Annotated[
        str | None,
        dg.Resolver.default(
            description="Folder that models go to, a path or an address, each in a folder of its own. By default "
            "MLflow's artifacts, to which a job on another machine can send a few megabytes.",
            examples=["s3://models/trained"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ] = None


class Experiment(StrictModel):
    """What is tracked, and what the model is compared with."""

    tags: Annotated[list[str], dg.Resolver.default(description="Words to find the run by.", examples=[["nlp"]])] = (
        Field(default_factory=list)
    )
    metrics_to_track: Annotated[
        list[str],
        dg.Resolver.default(
            description="Metrics that the script must log; a training without them fails.",
            examples=[["loss", "accuracy"]],
        ),
    ] = Field(default_factory=list)
    comparison_baseline: Annotated[
        str | None,
        dg.Resolver.default(
            description="Model to compare with: a model_name with an accepted run, or <name>.json with metrics in "
            "baselines/ beside this file.",
            examples=["transformer_v2_production"],
        ),
    ] = None
    lower_is_better: Annotated[
        list[str] | None,
        dg.Resolver.default(
            description="Metrics that are better when lower; by default those with loss, error, perplexity, mae, mse "
            "or rmse in their names."
        ),
    ] = None
    tolerance: Annotated[
        float,
        dg.Resolver.default(
            description="Share by which a metric may be worse than the baseline's, 0.01 for one percent.",
            json_schema_extra={"minimum": 0, "maximum": 1},
        ),
    ] = 0.0


class Resources(StrictModel):
    """Caps, enforced while the job runs, and its place in the queue."""

    max_runtime_hours: Annotated[
        float | None,
        dg.Resolver.default(
            description="Hours after which the job is ended.", json_schema_extra={"exclusiveMinimum": 0}
        ),
    ] = None
    max_cost_usd: Annotated[
        float | None,
        dg.Resolver.default(
            description="US dollars, at the hourly cost of its size, at which the job is ended.",
            json_schema_extra={"exclusiveMinimum": 0},
        ),
    ] = None
    priority: Annotated[
        Literal["low", "normal", "high"],
        dg.Resolver.default(description="Place among the runs that wait."),
    ] = "normal"

    @property
    def max_runtime_seconds(self) -> float | None:
        """The cap on the run time in seconds."""
        return None if self.max_runtime_hours is None else self.max_runtime_hours * 3600

    @property
    def run_tags(self) -> dict[str, str]:
        """Tags of runs: priority, and the run time after which Dagster itself ends a run that hangs."""
        tags = {"dagster/priority": {"low": "-10", "normal": "0", "high": "10"}[self.priority]}
        if self.max_runtime_seconds is not None:
            tags["dagster/max_runtime"] = str(int(self.max_runtime_seconds) + 600)
        return tags


class Notifications(StrictModel):
    """Who is told; every name is an alert route of policy.yaml, which knows the address."""

    slack_channel: Annotated[
        str | None,
        dg.Resolver.default(
            description="Channel told of failure and completion: the alert route slack:<channel>.",
            examples=["#nlp-experiments"],
        ),
    ] = None
    on_failure: Annotated[
        list[str],
        dg.Resolver.default(description="Alert routes told of a failure.", examples=[["email:team-lead@company.com"]]),
    ] = Field(default_factory=list)
    on_completion: Annotated[
        list[str],
        dg.Resolver.default(description="Alert routes told of a success.", examples=[["slack:#nlp-experiments"]]),
    ] = Field(default_factory=list)


class TransformInput(StrictModel):
    """One input of a transform."""

    source: Source
    format: Format = None
    options: Options = Field(default_factory=dict)


class TransformOutput(StrictModel):
    """Where a result goes."""

    path: Annotated[
        str,
        dg.Resolver.default(
            description="Folder of the result: a path from the project's root, or an address such as s3://bucket/folder.",
            examples=["data/delays"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ]
    format: Annotated[
        Literal["parquet", "delta"],
        dg.Resolver.default(description="Parquet files, or a Delta table; object storage needs Delta."),
    ] = "parquet"


class Expectation(StrictModel):
    """What must hold for a result."""

    rule: Annotated[
        Literal["not_null", "unique", "range"],
        dg.Resolver.default(description="not_null: no empty values. unique: no repeated rows. range: within limits."),
    ]
    columns: Annotated[
        list[str],
        dg.Resolver.default(
            description="Columns; for unique they count together, and a range has one.",
            json_schema_extra={"minItems": 1},
        ),
    ]
    minimum: Annotated[float | None, dg.Resolver.default(description="Smallest value of a range.")] = None
    maximum: Annotated[float | None, dg.Resolver.default(description="Largest value of a range.")] = None
    severity: Annotated[
        Literal["error", "warn"],
        dg.Resolver.default(description="error: the result is not published. warn: it is, and the check fails."),
    ] = "error"

    @property
    def check_name(self) -> str:
        """Name of its asset check."""
        return "_".join([self.rule, *self.columns])
