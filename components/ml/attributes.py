"""Attributes that several machine-learning components have."""

from typing import Annotated, Literal

import dagster as dg
from pydantic import Field

from ..base import StrictModel
from ..formats import ASSET_KEY

KEY_PATTERN = r"^[A-Za-z0-9_]+/[A-Za-z0-9_]+$"

Key = Annotated[
    str,
    dg.Resolver.default(
        description="Asset key: group/name.", examples=["ml/wine_model"], json_schema_extra={"pattern": KEY_PATTERN}
    ),
]
DependsOn = Annotated[
    list[Annotated[str, ASSET_KEY]],
    dg.Resolver.default(description="Keys of further assets that come first.", examples=[["ml/wine_data_checks"]]),
]
TrainingKey = Annotated[
    str,
    dg.Resolver.default(
        description="Asset key of the training whose latest finished run is the candidate.",
        examples=["ml/wine_model"],
        json_schema_extra={"pattern": KEY_PATTERN},
    ),
]
Experiment = Annotated[
    str | None,
    dg.Resolver.default(
        description="MLflow experiment; the training's asset key when left out.", examples=["wine cultivars"]
    ),
]
RegisteredModel = Annotated[
    str,
    dg.Resolver.default(
        description="Name of the registered model in MLflow; catalog.schema.name in Unity Catalog.",
        examples=["wine", "prod.ml.wine"],
        json_schema_extra={"pattern": r"^[^/:\s][^/:]*$"},
    ),
]
Metric = Literal[
    "accuracy",
    "balanced_accuracy",
    "f1",
    "precision",
    "recall",
    "roc_auc",
    "log_loss",
    "rmse",
    "mae",
    "r2",
    "median_absolute_error",
]
Severity = Literal["error", "warn"]
ComputeSizeName = Annotated[
    str | None,
    dg.Resolver.default(
        description="Name of an approved size in policy.yaml; this whole machine, unpriced, when left out.",
        examples=["small"],
    ),
]
ComputeProfileName = Annotated[
    str | None,
    dg.Resolver.default(
        description="Name of a compute profile in policy.yaml, unless COMPUTE_PROFILE names one; local when left out.",
        examples=["local"],
    ),
]
MaxRuntime = Annotated[
    float | None,
    dg.Resolver.default(
        description="Minutes after which the job is ended.", examples=[30], json_schema_extra={"exclusiveMinimum": 0}
    ),
]
MaxCost = Annotated[
    float | None,
    dg.Resolver.default(
        description="US dollars at which the job is ended, while it runs.",
        examples=[2.5],
        json_schema_extra={"exclusiveMinimum": 0},
    ),
]


class Split(StrictModel):
    """Which rows are held out to judge the model."""

    method: Annotated[
        Literal["random", "stratified", "time"],
        dg.Resolver.default(
            description="random; stratified keeps the share of each class; time holds out the latest rows."
        ),
    ] = "random"
    test_size: Annotated[
        float,
        dg.Resolver.default(
            description="Share of the rows that is held out.", json_schema_extra={"minimum": 0.01, "maximum": 0.9}
        ),
    ] = 0.2
    time_column: Annotated[
        str | None, dg.Resolver.default(description="Column that orders the rows; for method time.")
    ] = None
    by: Annotated[
        list[str],
        dg.Resolver.default(
            description="Columns that say which row is which, so that it stays on its side when features change; rows "
            "(of one class) that share them stay together. All columns when left out; not for method time.",
            examples=[["flight_id"]],
        ),
    ] = Field(default_factory=list)

    def model_post_init(self, context: object) -> None:
        """Raise ValueError where the method and the column do not fit together."""
        if (self.method == "time") != (self.time_column is not None):
            raise ValueError(
                "method time needs time_column" if self.method == "time" else "time_column needs method time"
            )
        if self.by and self.method == "time":
            raise ValueError("by is not for method time, which splits by time_column")


class Preprocessing(StrictModel):
    """What happens to features before the estimator sees them; it becomes part of the model."""

    impute: Annotated[
        Literal["median", "mean", "most_frequent"] | None,
        dg.Resolver.default(description="What stands for missing numbers; text is filled with 'missing'."),
    ] = None
    scale: Annotated[bool, dg.Resolver.default(description="Scale numbers to mean 0 and variance 1.")] = False
    one_hot: Annotated[
        list[str],
        dg.Resolver.default(description="Features that are categories: a column each value.", examples=[["carrier"]]),
    ] = Field(default_factory=list)


class Search(StrictModel):
    """A search for parameters by cross-validation on the rows to train on."""

    method: Annotated[
        Literal["grid", "random"], dg.Resolver.default(description="grid tries all combinations, random some of them.")
    ]
    metric: Annotated[
        Metric,
        dg.Resolver.default(description="Metric that decides.", examples=["accuracy", "rmse"]),
    ]
    parameters: Annotated[
        dict[str, list[str | int | float | bool | None]],
        dg.Resolver.default(description="Values to try, by parameter.", examples=[{"max_depth": [3, 5, 8]}]),
    ]
    trials: Annotated[
        int,
        dg.Resolver.default(
            description="Combinations that random tries.", json_schema_extra={"minimum": 1, "maximum": 1000}
        ),
    ] = 20
    cross_validation: Annotated[
        int, dg.Resolver.default(description="Number of folds.", json_schema_extra={"minimum": 2, "maximum": 20})
    ] = 5

    def model_post_init(self, context: object) -> None:
        """Raise ValueError where there is nothing to try."""
        if not self.parameters:
            raise ValueError("parameters: expected at least one parameter with values to try")
        for name, values in self.parameters.items():
            if not values:
                raise ValueError(f"parameters: {name} has no values to try")


class DriftCheck(StrictModel):
    """When features that moved away from the training data are told."""

    threshold: Annotated[
        float,
        dg.Resolver.default(
            description="Population stability index above which a feature has moved; 0.2 is customary.",
            json_schema_extra={"exclusiveMinimum": 0},
        ),
    ] = 0.2
    minimum_rows: Annotated[
        int,
        dg.Resolver.default(
            description="Rows below which chance decides, and nothing is told.", json_schema_extra={"minimum": 1}
        ),
    ] = 100
    severity: Annotated[
        Severity, dg.Resolver.default(description="error stops what is downstream, warn only tells.")
    ] = "warn"
    features: Annotated[
        list[str], dg.Resolver.default(description="Features that are looked at; all of them when left out.")
    ] = Field(default_factory=list)
