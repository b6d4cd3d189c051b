import subprocess
import sys

import dagster as dg
import pytest

from components.compute import approved_size, chosen_profile, job_metadata, job_tags, run_job
from components.governance.policy import Policy
from components.governance.policy_compute import ComputeSize, LocalProfile

POLICY = Policy.model_validate(
    {
        "version": 1,
        "compute_sizes": {
            "small": {"threads": 1, "memory_gb": 2, "hourly_cost_usd": 0.1},
            "cluster": {"threads": 8, "memory_gb": 32, "hourly_cost_usd": 1.5, "workers": 3},
        },
        "compute_profiles": {"docker": {"runs_on": "container", "image": "research:1"}},
    }
)


def test_an_approved_size_is_given_as_the_policy_has_it():
    assert approved_size(POLICY, "cluster", "defs.yaml").workers == 3


def test_a_size_that_is_not_approved_is_refused_with_all_sizes_and_what_they_cost():
    with pytest.raises(dg.DagsterInvalidDefinitionError) as caught:
        approved_size(POLICY, "huge", "defs/train/defs.yaml")
    assert str(caught.value) == (
        "defs/train/defs.yaml: compute_size: 'huge' is not approved by policy.yaml; expected one of: "
        "small (1 thread, 2 GB, $0.10 an hour); cluster (8 threads, 32 GB, 4 nodes, $6.00 an hour)"
    )


def test_a_policy_without_sizes_says_how_one_is_written():
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"policy.yaml has no compute_sizes.*small: \{threads"):
        approved_size(Policy(version=1), "small", "defs.yaml")


def test_the_environment_overrides_the_profile_of_the_yaml(monkeypatch):
    assert chosen_profile(POLICY, None, "defs.yaml") == ("local", LocalProfile(runs_on="local"))
    assert chosen_profile(POLICY, "docker", "defs.yaml")[1].image == "research:1"
    monkeypatch.setenv("COMPUTE_PROFILE", "local")
    assert chosen_profile(POLICY, "docker", "defs.yaml")[0] == "local"


def test_an_unknown_profile_is_refused_where_it_is_written(monkeypatch):
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"defs.yaml: compute_profile: 'k8s'.*: local, do"):
        chosen_profile(POLICY, "k8s", "defs.yaml")
    monkeypatch.setenv("COMPUTE_PROFILE", "k9s")
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="the environment variable COMPUTE_PROFILE: 'k9s'"):
        chosen_profile(POLICY, "docker", "defs.yaml")


def test_metadata_has_what_budgets_and_the_audit_read(jobs):
    job = jobs.job("import time; time.sleep(0.2)")
    result = run_job(job, LocalProfile(runs_on="local"), jobs.folder, jobs.log)
    metadata = {name: value.value for name, value in job_metadata(result, job, "local").items()}
    assert metadata["compute_size"] == "small"
    assert metadata["compute_profile"] == "local"
    assert metadata["run_seconds"] > 0.2
    assert metadata["peak_memory_mb"] > 3
    assert metadata["cost_usd"] == pytest.approx(metadata["run_seconds"] * 0.36 / 3600, abs=1e-5)


def test_tags_are_legal_for_every_system_that_bills():
    size = ComputeSize(threads=1, memory_gb=1, hourly_cost_usd=1.25, workers=1)
    assert job_tags("large", size, ["team:nlp research", "a@b.example"]) == {
        "compute_size": "large",
        "hourly_cost_usd": "2.5",
        "cost_owner": "nlp-research",
    }


def test_importing_compute_loads_nothing_heavy():
    code = "import sys, components.compute; print(sorted({'psutil', 'kubernetes', 'databricks'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
