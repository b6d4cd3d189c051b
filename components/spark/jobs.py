"""A Spark job made ready for any compute profile, run, and its outcome read."""

import json
import os
import re
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from ..compute import Job, JobError, JobResult, approved_size, chosen_profile, job_metadata, job_tags, run_job
from ..governance.policy import Policy
from ..governance.policy_compute import ComputeProfile, ComputeSize
from ..secrets import SecretError, read_secrets, redacted
from .attributes import Resources

RUNNER = Path(__file__).parent / "runner"
_SCRIPTS = ("spark_job_contexts.py", "spark_job_data.py", "spark_job_session.py")
_OUTPUTS = ["result.json", "metrics.jsonl", "model.zip"]
_CLOUD_VARIABLES = {"s3": "AWS_", "s3a": "AWS_", "gs": "GOOGLE_", "abfs": "AZURE_", "abfss": "AZURE_", "az": "AZURE_"}
_NO_SECRET = re.compile(r"REGION|ENDPOINT|ALLOW_HTTP|PROFILE|ACCOUNT_NAME|PROJECT|CONFIG_FILE|VIRTUAL_HOSTED")


@dataclass(frozen=True)
class Compute:
    """What a component asks of compute.

    Args:
        size_name: Name of the size in policy.yaml.
        size: Its resources.
        profile_name: Name of the compute profile.
        profile: Where jobs run.
        engine: ``spark_engine``, if it is written.
        spark_remote_env: Variable with the address of a Spark Connect server.
        resources: Caps and priority.
        secrets: Names of secrets.
        environment: Plain variables.
        owners: Owners of the asset.
    """

    size_name: str
    size: ComputeSize
    profile_name: str
    profile: ComputeProfile
    engine: str | None
    spark_remote_env: str
    resources: Resources
    secrets: list[str]
    environment: dict[str, str]
    owners: list[str]

    @classmethod
    def of(cls, component: Any, policy: Policy, owners: list[str], where: str) -> "Compute":
        """What a component's YAML asks for.

        Args:
            component: A component of this family.
            policy: The project's policy.
            owners: Owners of the asset.
            where: File, for messages.

        Raises:
            DagsterInvalidDefinitionError: the policy approves no such size, or has no such profile.
        """
        profile_name, profile = chosen_profile(policy, component.compute_profile, where, component.compute_size, owners)
        return cls(
            size_name=component.compute_size,
            size=approved_size(policy, component.compute_size, where),
            profile_name=profile_name,
            profile=profile,
            engine=component.spark_engine,
            spark_remote_env=component.spark_remote_env,
            resources=component.resources,
            secrets=component.secrets,
            environment=component.environment,
            owners=owners,
        )

    @property
    def engine_in_force(self) -> str:
        """The engine: on Databricks the cluster's own, else what is written, or a server that is named, or Sail."""
        if self.profile.runs_on == "databricks":
            return "platform"
        return self.engine or ("connect" if os.environ.get(self.spark_remote_env) else "sail")


@dataclass(frozen=True)
class Outcome:
    """What a job left.

    Args:
        job: What ran.
        result: How it ended.
        report: What the script wrote about itself; empty where it was ended before it could.
        secrets: Secret values, to keep out of texts.
        metadata: Metadata of any materialisation or failure.
    """

    job: Job
    result: JobResult
    report: dict[str, Any]
    secrets: list[str]
    metadata: dict[str, Any]

    @property
    def may_be_repeated(self) -> bool:
        """Whether it failed for a reason outside of the script and its caps, such as a machine that was lost."""
        return self.result.ended_by == "itself" and not self.report

    def problem(self) -> str | None:
        """What went wrong, in one sentence without secrets."""
        if self.result.ended_by == "itself" and "error" in self.report:
            return redacted(self.report["error"], self.secrets)
        if self.result.succeeded and self.report:
            return None
        told = self.result.problem or "the job ended without a result"
        if self.result.ended_by != "itself":
            return told
        tail = "\n".join(self.result.log_tail.splitlines()[-15:])
        return f"{told}; the end of its log:\n{tail}" if tail else told


@contextmanager
def running_job(
    context: dg.AssetExecutionContext,
    policy: Policy,
    compute: Compute,
    config: dict[str, Any],
    files: Mapping[str, Path],
    tags: Mapping[str, str],
    log: Callable[[str], None],
) -> Iterator[Outcome]:
    """Run a job and give its outcome, with its files until the block ends.

    Args:
        context: The step.
        policy: The project's policy.
        compute: What is asked of compute.
        config: Configuration of the runner script, for one job.
        files: The user's files by their path in the job's folder.
        tags: Tags that attribute its cost, besides those of size and owners.
        log: Takes the lines of the job's log.

    Raises:
        Failure: a secret is missing, or the job cannot be started.
    """
    engine = compute.engine_in_force
    size = compute.size
    config = {
        **config,
        "engine": engine,
        "spark_remote_env": compute.spark_remote_env,
        "size": {"threads": size.threads, "memory_gb": size.memory_gb, "workers": size.workers},
        "partition": partition_of(context),
    }
    try:
        secrets = read_secrets(policy.secrets, compute.secrets)
    except SecretError as error:
        raise dg.Failure(description=f"secrets: {error}", allow_retries=False) from None
    environment = dict(compute.environment)
    if engine == "connect" and (address := os.environ.get(compute.spark_remote_env)):
        secrets[compute.spark_remote_env] = address  # it may hold a token
    if compute.profile.runs_on == "local":  # elsewhere the machine has an identity of its own
        for name, value in _cloud_variables(config).items():
            (environment if _NO_SECRET.search(name) else secrets).setdefault(name, value)
    config["secrets"] = sorted(secrets)
    with tempfile.TemporaryDirectory(prefix="spark-job-", ignore_cleanup_errors=True) as temporary:
        config_file = Path(temporary) / "config.json"
        config_file.write_text(json.dumps(config), encoding="utf-8")
        job = Job(
            name=_job_name(context),
            script=RUNNER / "spark_job.py",
            arguments=[],
            files={"config.json": config_file, **{name: RUNNER / name for name in _SCRIPTS}, **files},
            environment=environment,
            secrets=secrets,
            outputs=_OUTPUTS,
            size=size,
            size_name=compute.size_name,
            max_runtime_seconds=compute.resources.max_runtime_seconds,
            max_cost_usd=compute.resources.max_cost_usd,
            tags={**job_tags(compute.size_name, size, compute.owners), **tags},
        )
        try:
            result = run_job(job, compute.profile, Path(temporary) / "job", log)
        except JobError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
        report_file = result.folder / "result.json"
        report = json.loads(report_file.read_text(encoding="utf-8")) if report_file.is_file() else {}
        metadata = dict(job_metadata(result, job, compute.profile_name))
        if "spark" in report:
            metadata["spark"] = dg.MetadataValue.text(report["spark"])
        yield Outcome(job, result, report, list(secrets.values()), metadata)


def source_config(
    source: str,
    kind: str | None,
    options: dict[str, str],
    folder: Path,
    project_root: Path,
    compute: Compute,
    what: str,
) -> dict[str, Any]:
    """How the runner finds a source.

    Args:
        source: As it is written.
        kind: Its format, if it is written.
        options: Options of Spark's reader.
        folder: Folder of the YAML.
        project_root: Folder of the project.
        compute: Where the job runs.
        what: Attribute, for messages.

    Raises:
        Failure: it lies on this machine, and the job runs elsewhere.
    """
    here = is_on_this_machine(source)
    if here:
        must_run_here(source, compute, what)
        beside = folder / source
        path = str((beside if beside.exists() else project_root / source).absolute())
    else:
        path = source
    local = compute.profile.runs_on == "local" and compute.engine_in_force != "connect"
    return {
        "path": path,
        "written": source,
        "format": kind,
        "options": options,
        "on_this_machine": local and "://" not in path,
    }


def is_on_this_machine(path: str) -> bool:
    """Whether a path is relative, and so means a place in this project."""
    return "://" not in path and not path.startswith("/") and not re.match(r"[A-Za-z]:[\\/]", path)


def must_run_here(path: str, compute: Compute, what: str) -> None:
    """Refuse a place in this project for a job that runs on another machine, which does not see it."""
    if compute.profile.runs_on != "local":
        raise dg.Failure(
            description=f"{what}: {path!r} lies in this project, but the compute profile {compute.profile_name!r} runs "
            f"elsewhere ({compute.profile.runs_on}); expected an address such as s3://bucket/folder",
            allow_retries=False,
        )


def partition_of(context: dg.AssetExecutionContext) -> dict[str, str] | None:
    """Key, start and end of the partition, in UTC."""
    if not context.has_partition_key:
        return None
    window = context.partition_time_window
    start, end = (moment.strftime("%Y-%m-%d %H:%M:%S") for moment in (window.start, window.end))
    return {"key": context.partition_key, "start": start, "end": end}


def _cloud_variables(config: dict[str, Any]) -> dict[str, str]:
    """This process's own access to the clouds whose addresses a configuration holds."""
    schemes = set(re.findall(r'"([a-z0-9]+)://', json.dumps(config)))
    prefixes = tuple({_CLOUD_VARIABLES[scheme] for scheme in schemes & set(_CLOUD_VARIABLES)})
    return {name: value for name, value in os.environ.items() if prefixes and name.startswith(prefixes) and value}


def _job_name(context: dg.AssetExecutionContext) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", "-".join(context.asset_key.path).lower()).strip("-")
    return f"spark-{name[:40].strip('-')}-{uuid.uuid4().hex[:8]}"
