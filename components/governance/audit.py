"""What each materialisation says about itself: who, what config, which policy; and one line of the trail for it."""

import getpass
import hashlib
import inspect
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache, wraps
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.decorators.op_decorator import DecoratedOpFunction
from dagster._core.definitions.events import HookExecutionResult
from dagster._core.execution.context.compute import current_execution_context

from .audit_trail import AuditTrail
from .places import files_of
from .policy import Policy

_SOURCES = (
    ("user", "user"),
    ("dagster/schedule_name", "schedule"),
    ("dagster/sensor_name", "sensor"),
    ("dagster/backfill", "backfill"),
)


@dataclass(frozen=True)
class Audited:
    """Adds the audit to the steps of a project.

    Args:
        policy: The policy in force.
        project_root: Folder that the trail's file is named from.
    """

    policy: Policy
    project_root: Path

    @cached_property
    def trail(self) -> AuditTrail | None:
        """The file, where the policy names one."""
        file = self.policy.audit.file
        return AuditTrail(self.project_root / file) if file else None

    def node(self, node: dg.OpDefinition) -> dg.OpDefinition:
        """The op, which adds metadata to what it materialises: policy_version, config_hash, launched_by and others."""
        compute: Any = node.compute_fn
        if isinstance(compute, DecoratedOpFunction):
            return changed(node, _compute_fn=DecoratedOpFunction(self._wrapped(compute.decorated_fn)))
        return changed(node, _compute_fn=self._wrapped(compute))

    @cached_property
    def hook(self) -> dg.HookDefinition:
        """Adds the lines of a step's materialisations to the trail."""

        def add_lines(context: dg.HookContext, event_list: Any) -> HookExecutionResult:
            made = [event.step_materialization_data for event in event_list if event.is_step_materialization]
            if self.trail and made:
                step: Any = context
                entries = [self._entry(step._step_execution_context, data.materialization) for data in made]
                self.trail.append(entries)
            return HookExecutionResult("audit_trail", is_skipped=not made)

        return dg.HookDefinition(name="audit_trail", hook_fn=add_lines, decorated_fn=add_lines)

    def facts(self, key: dg.AssetKey, assets_def: dg.AssetsDefinition, step: Any) -> dict[str, Any]:
        """Who, what config, which policy.

        Args:
            key: The asset.
            assets_def: What makes it.
            step: The step that does, as Dagster's system context.
        """
        spec, run = assets_def.specs_by_key[key], step.dagster_run
        config = {
            "ops": run.run_config.get("ops", {}).get(step.node_handle.path[0]),
            "resources": run.run_config.get("resources"),
        }
        commit = source_commit(self.project_root)
        return {
            "policy_version": self.policy.fingerprint,
            "config_hash": config_hash(spec.metadata, assets_def, config),
            "launched_by": launched_by(run.tags),
            "owners": ", ".join(spec.owners) or "nobody",
            **({"source_commit": commit} if commit else {}),
        }

    def _entry(self, step: Any, materialization: dg.AssetMaterialization) -> dict[str, Any]:
        key, run = materialization.asset_key, step.dagster_run
        assets_def = step.job_def.asset_layer.get_assets_def_for_node(step.node_handle)
        tags = materialization.tags or {}
        return {
            "asset": key.to_user_string(),
            "partition": materialization.partition,
            "run_id": run.run_id,
            "job": run.job_name,
            "step": step.step.key,
            **self.facts(key, assets_def, step),
            "code_version": assets_def.specs_by_key[key].code_version,
            "data_version": tags.get("dagster/data_version"),
        }

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, which says on what terms it runs before it does; of the same kind, as Dagster looks at it."""
        if inspect.isasyncgenfunction(function):

            @wraps(function)
            async def async_events(*args: Any, **kwargs: Any) -> Any:
                self._begin()
                async for event in function(*args, **kwargs):
                    yield event

            return async_events
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                self._begin()
                return await function(*args, **kwargs)

            return awaited
        if inspect.isgeneratorfunction(function):

            @wraps(function)
            def events(*args: Any, **kwargs: Any) -> Iterator[Any]:
                self._begin()
                yield from function(*args, **kwargs)

            return events

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            self._begin()
            return function(*args, **kwargs)

        return called

    def _begin(self) -> None:
        context = current_execution_context.get()
        if context is None:  # called directly, as unit tests do: nothing is materialised
            return
        step: Any = context.op_execution_context._step_execution_context
        if not step.assets_def:
            return
        if self.trail:
            self.trail.refuse_unwritable()
        assets_def = step.job_def.asset_layer.get_assets_def_for_node(step.node_handle)
        for key in step.assets_def.keys:  # those that the run selected
            step.add_asset_metadata(self.facts(key, assets_def, step), asset_key=key)


def changed(node: dg.OpDefinition, **attributes: Any) -> dg.OpDefinition:
    """A shallow copy with other attributes: Dagster's own copying walks over every output, of which dbt has many."""
    made = copy(node)
    vars(made).update(attributes)
    return made


def launched_by(tags: Mapping[str, str]) -> str:
    """Who or what started a run: its tag ``user``, a schedule, sensor or backfill; else who runs the process.

    Args:
        tags: Tags of the run.
    """
    for tag, kind in _SOURCES:
        if tags.get(tag):
            return f"{kind} {tags[tag]}"
    if tags.get("dagster/from_automation_condition") or tags.get("dagster/auto_materialize"):
        return "automation condition"
    if tags.get("dagster/from_ui"):
        return "web UI"
    return f"user {_user()}"


def config_hash(metadata: Mapping[str, Any], assets_def: dg.AssetsDefinition, config: Mapping[str, Any]) -> str:
    """The first sixteen digits of a SHA-256 over the files that define an asset, and over what the run sets for it.

    Args:
        metadata: Metadata of the asset, which names its files.
        assets_def: What makes it.
        config: The run's config of the asset and of resources; only its hash leaves this function.
    """
    digest = hashlib.sha256()
    for file, _ in files_of(metadata, assets_def):
        digest.update(_content_hash(Path(file)))
    digest.update(json.dumps(config, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=1)
def source_commit(folder: Path) -> str | None:
    """The git commit of a folder, with ``+changes`` where files differ from it; nothing outside of a repository."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty=+changes"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return described.stdout.strip() or None


def _content_hash(path: Path) -> bytes:
    try:
        status = path.stat()
    except OSError:
        return b"missing"
    return _hashed(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=50_000)
def _hashed(path: Path, mtime_ns: int, size: int) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return b"missing"


@lru_cache(maxsize=1)
def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return "unknown"
