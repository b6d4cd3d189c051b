"""An asset that one call to the workspace makes, and the attributes of such assets."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import dagster as dg

from .client import Workspace
from .errors import WorkspaceError
from .target import has_workspace

Work = Callable[[Workspace, dg.AssetExecutionContext], dg.MaterializeResult]

Key = Annotated[
    str,
    dg.Resolver.default(
        description="Asset key: group/name.",
        examples=["serving/delays"],
        json_schema_extra={"pattern": "^[A-Za-z0-9_]+/[A-Za-z0-9_]+$"},
    ),
]
FullName = Annotated[
    str,
    dg.Resolver.default(
        description="Full name, as catalog.schema.name.",
        examples=["main.docs.chunks"],
        json_schema_extra={"pattern": r"^[^.\s]+\.[^.\s]+\.[^.\s]+$"},
    ),
]
MaxWait = Annotated[
    float,
    dg.Resolver.default(
        description="Minutes that a change may take in the workspace.", json_schema_extra={"exclusiveMinimum": 0}
    ),
]


def one_asset(
    ours: Any, project_root: Path, kind: str, what: str, work: Work, checks: list[dg.AssetCheckSpec] | None = None
) -> dg.Definitions:
    """The definitions of a component whose one asset is made in the workspace.

    Args:
        ours: The component: key, description, depends_on, owners, group and tags.
        project_root: Folder of policy.yaml.
        kind: Kind of the asset beside databricks.
        what: What is made, for messages.
        work: Makes it.
        checks: Checks that it has results for.
    """
    spec = dg.AssetSpec(
        ours.key.split("/"),
        description=ours.description,
        deps=[dg.AssetKey.from_user_string(key) for key in ours.depends_on],
        owners=ours.owners,
        group_name=ours.group,
        tags=ours.tags,
        kinds={"databricks", kind},
        skippable=True,
    )

    @dg.multi_asset(name=ours.key.replace("/", "__"), specs=[spec], check_specs=checks or [])
    def made(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        if has_workspace(context, what):
            try:
                yield work(Workspace(project_root), context)
            except WorkspaceError as error:
                raise error.as_failure(ours.key) from None

    return dg.Definitions(assets=[made])
