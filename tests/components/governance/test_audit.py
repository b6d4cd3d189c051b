"""Each materialisation says who, what config and which policy; the trail has a line for it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from components.governance import governed, policy_for
from components.governance.audit import launched_by
from components.governance.audit_trail import AuditError, AuditTrail

POLICY = "version: 1\nrevision: r1\naudit: {file: data/audit.jsonl}\n"
SECRET = "hunter2-do-not-tell"


class Load(dg.Config):
    token: str = "none"


@dg.asset(key=["raw", "orders"], owners=["team:data", "a@example.com"], code_version="3")
def orders(config: Load) -> None: ...


@dg.multi_asset(specs=[dg.AssetSpec(["marts", "a"]), dg.AssetSpec(["marts", "b"])], can_subset=True)
def marts(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    for key in sorted(context.selected_asset_keys):
        yield dg.MaterializeResult(asset_key=key, metadata={"rows": 1})


@dg.asset(key=["raw", "later"])
async def later() -> None: ...


@dg.op
def two() -> int:
    return 2


@dg.graph_asset(key=["marts", "graph"])
def graph() -> Any:
    return two()


@dg.asset(key=["raw", "daily"], partitions_def=dg.StaticPartitionsDefinition(["x", "y"]))
def daily() -> None: ...


def run(defs: dg.Definitions, *keys: str, **options: Any) -> dict[str, dict[str, Any]]:
    """The metadata of what was materialised, by asset key."""
    job = dg.define_asset_job("run", dg.AssetSelection.keys(*keys) if keys else "*")
    merged = dg.Definitions.merge(defs, dg.Definitions(jobs=[job], executor=dg.in_process_executor))
    with dg.DagsterInstance.ephemeral() as instance:
        result = merged.resolve_job_def("run").execute_in_process(instance=instance, raise_on_error=False, **options)
    events = result.get_asset_materialization_events()
    return {
        event.asset_key.to_user_string(): {name: found.value for name, found in event.materialization.metadata.items()}
        for event in events
        if event.asset_key
    }


def lines(root: Path) -> list[dict[str, Any]]:
    file = root / "data" / "audit.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_materialisation_says_who_what_config_and_which_policy(project: Callable[..., Path]):
    root = project(policy=POLICY)

    made = run(governed(dg.Definitions(assets=[orders, marts, later]), root), tags={"user": "ana@example.com"})

    assert set(made) == {"raw/orders", "marts/a", "marts/b", "raw/later"}
    for metadata in made.values():
        assert metadata["policy_version"] == policy_for(root).fingerprint
        assert metadata["launched_by"] == "user ana@example.com"
        assert len(metadata["config_hash"]) == 16
    assert made["raw/orders"]["owners"] == "team:data, a@example.com"
    assert made["marts/a"]["rows"] == 1


def test_the_trail_has_a_line_for_each_materialisation_also_of_graphs_and_partitions(project: Callable[..., Path]):
    root = project(policy=POLICY)
    defs = governed(dg.Definitions(assets=[orders, marts, later, graph, daily]), root)

    run(defs, "raw/orders", "marts/graph", "marts/b")
    run(defs, "raw/daily", partition_key="y")

    by_asset = {line["asset"]: line for line in lines(root)}
    assert {asset: line["partition"] for asset, line in by_asset.items()} == {
        "marts/graph": None,
        "marts/b": None,
        "raw/orders": None,
        "raw/daily": "y",
    }
    found = by_asset["raw/orders"]
    assert {name: found[name] for name in ("owners", "code_version", "job", "policy_version")} == {
        "owners": "team:data, a@example.com",
        "code_version": "3",
        "job": "run",
        "policy_version": policy_for(root).fingerprint,
    }
    assert AuditTrail(root / "data" / "audit.jsonl").verify() == 4


def test_the_hash_follows_the_config_and_the_policy_but_shows_neither(project: Callable[..., Path]):
    config = {"ops": {"raw__orders": {"config": {"token": SECRET}}}}
    root = project(policy=POLICY)
    defs = governed(dg.Definitions(assets=[orders]), root)

    run(defs)
    run(defs, run_config=config)
    run(defs, run_config=config)
    root = project(policy=POLICY.replace("r1", "r2"))
    run(governed(dg.Definitions(assets=[orders]), root))

    plain, one, same, other = lines(root)
    assert plain["config_hash"] != one["config_hash"] == same["config_hash"]
    assert other["config_hash"] == plain["config_hash"]
    assert (plain["policy_version"][:3], other["policy_version"][:3]) == ("r1 ", "r2 ")
    assert SECRET not in (root / "data" / "audit.jsonl").read_text()


def test_the_hash_follows_the_file_that_defines_the_asset(project: Callable[..., Path]):
    root = project(policy=POLICY)
    file = root / "defs.yaml"
    references = dg.CodeReferencesMetadataValue(code_references=[dg.LocalFileCodeReference(file_path=str(file))])

    @dg.asset(key=["raw", "a"], metadata={"dagster/code_references": references})
    def a() -> None: ...

    defs = governed(dg.Definitions(assets=[a]), root)
    hashes = []
    for text in ("one", "one", "other"):
        file.write_text(text)
        hashes.append(run(defs)["raw/a"]["config_hash"])

    assert hashes[0] == hashes[1] != hashes[2]


def test_without_a_file_there_is_metadata_and_nothing_on_disk(project: Callable[..., Path]):
    root = project(policy="version: 1\n")

    made = run(governed(dg.Definitions(assets=[orders]), root))

    assert made["raw/orders"]["policy_version"]
    assert [path.name for path in root.iterdir()] == ["policy.yaml"]


def test_an_audit_that_is_off_says_nothing(project: Callable[..., Path]):
    root = project(policy="version: 1\naudit: {enabled: false, file: data/audit.jsonl}\n")

    made = run(governed(dg.Definitions(assets=[orders, marts]), root))

    assert set(made["marts/a"]) == {"rows"}
    assert lines(root) == []


def test_nothing_is_made_where_the_trail_cannot_be_written(project: Callable[..., Path]):
    root = project(policy=POLICY)
    (root / "data").write_text("a file in the way")
    ran = []

    @dg.asset(key=["raw", "a"])
    def a() -> None:
        ran.append(1)

    defs = governed(dg.Definitions(assets=[a]), root)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(list(defs.assets), instance=instance, raise_on_error=False)
    failure = next(event for event in result.all_events if event.is_step_failure)

    assert (ran, result.success) == ([], False)
    assert "(audit.file of policy.yaml) cannot be written" in failure.step_failure_data.user_failure_data.description


def test_governed_assets_can_be_called_directly_as_unit_tests_do(project: Callable[..., Path]):
    @dg.asset(key=["raw", "a"])
    def a() -> int:
        return 7

    (made,) = governed(dg.Definitions(assets=[a]), project(policy=POLICY)).assets

    assert made() == 7


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"user": "ana", "dagster/schedule_name": "x"}, "user ana"),
        ({"dagster/schedule_name": "nightly"}, "schedule nightly"),
        ({"dagster/sensor_name": "files"}, "sensor files"),
        ({"dagster/backfill": "abc"}, "backfill abc"),
        ({"dagster/from_automation_condition": "true"}, "automation condition"),
        ({"dagster/from_ui": "true"}, "web UI"),
    ],
)
def test_who_launched_a_run_is_told_by_its_tags(tags: dict[str, str], expected: str):
    assert launched_by(tags) == expected


def trail_of(folder: Path, count: int) -> AuditTrail:
    trail = AuditTrail(folder / "audit.jsonl")
    for number in range(count):
        trail.append([{"asset": f"raw/{number}"}])
    return trail


@pytest.mark.parametrize("tampering", ["changed", "taken out", "put in", "broken"])
def test_a_line_that_was_tampered_with_is_found(tampering: str, tmp_path: Path):
    trail = trail_of(tmp_path, 4)
    assert trail.verify() == 4
    kept = trail.path.read_text().splitlines(keepends=True)
    changed = {
        "changed": [kept[0], kept[1].replace("raw/1", "raw/9"), *kept[2:]],
        "taken out": [kept[0], *kept[2:]],
        "put in": [*kept[:2], kept[1], *kept[2:]],
        "broken": [kept[0], "{oops\n", *kept[2:]],
    }[tampering]
    trail.path.write_text("".join(changed))

    with pytest.raises(AuditError, match=r"audit\.jsonl:[23]: "):
        trail.verify()


def test_several_writers_add_to_one_trail(tmp_path: Path):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: AuditTrail(tmp_path / "a.jsonl").append([{"asset": str(number)}]), range(40)))

    assert AuditTrail(tmp_path / "a.jsonl").verify() == 40
