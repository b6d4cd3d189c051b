"""What the YAML of a job says about its tasks."""

from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import Field

from ...attributes import AssetKeyText, Description
from ...base import StrictModel
from ...formats import matching
from .compute import JobCompute

KEY_PATTERN = r"^[A-Za-z0-9_]+$"
TASK_KEY = matching(KEY_PATTERN, "a task key of letters, digits and underscores")
Seconds = Annotated[
    int | None,
    dg.Resolver.default(description="Seconds after which Databricks ends the task.", json_schema_extra={"minimum": 1}),
]


class Notebook(StrictModel):
    """A notebook."""

    path: Annotated[
        str,
        dg.Resolver.default(
            description="Path in the workspace, or below the project's root, from where it is uploaded.",
            examples=["/Workspace/Shared/extract", "notebooks/extract.ipynb"],
            json_schema_extra={"pattern": r"\S"},
        ),
    ]
    parameters: Annotated[
        dict[str, str], dg.Resolver.default(description="Parameters of the notebook; those of the job come besides.")
    ] = Field(default_factory=dict)


class Script(StrictModel):
    """A Python script."""

    file: Annotated[
        str,
        dg.Resolver.default(
            description="Path in the workspace, or below the project's root, from where it is uploaded.",
            examples=["/Workspace/Shared/load.py", "scripts/load.py"],
            json_schema_extra={"pattern": r"\.py$"},
        ),
    ]
    arguments: Annotated[list[str], dg.Resolver.default(description="Its arguments.")] = Field(default_factory=list)
    pipes: Annotated[
        bool, dg.Resolver.default(description="Whether it speaks Dagster Pipes, by the job's pipes_volume.")
    ] = False


class Task(StrictModel):
    """A task, which is an asset."""

    key: Annotated[
        str,
        dg.Resolver.default(
            description="Key in the job.", examples=["extract"], json_schema_extra={"pattern": KEY_PATTERN}
        ),
    ]
    asset: Annotated[AssetKeyText | None, dg.Resolver.default(description="Its asset key; job/task when left out.")] = (
        None
    )
    description: Description = ""
    depends_on: Annotated[
        list[Annotated[str, TASK_KEY]], dg.Resolver.default(description="Keys of the tasks before it.")
    ] = Field(default_factory=list)
    notebook: Annotated[Notebook | None, dg.Resolver.default(description="The notebook that it runs.")] = None
    script: Annotated[Script | None, dg.Resolver.default(description="The script that it runs.")] = None
    settings: Annotated[
        dict[str, Any],
        dg.Resolver.default(
            description="The task in the words of the Jobs API, for every other type and field.",
            examples=[{"sql_task": {"file": {"path": "/Workspace/report.sql"}, "warehouse_id": "1234567890abcdef"}}],
        ),
    ] = Field(default_factory=dict)
    run_if: Annotated[
        Literal["ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED"],
        dg.Resolver.default(description="When it runs, of those before it."),
    ] = "ALL_SUCCESS"
    compute: Annotated[
        JobCompute | None, dg.Resolver.default(description="Its own compute; the job's when left out.")
    ] = None
    timeout_seconds: Seconds = None
    max_retries: Annotated[
        int, dg.Resolver.default(description="How often Databricks tries again.", json_schema_extra={"minimum": 0})
    ] = 0
