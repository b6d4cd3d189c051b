"""Many models, and long chains of them."""

import sys
from typing import Any

import dagster as dg
import orjson
from dagster_dbt import DbtProject

from components.dbt.attributes import AssetDefaults, Upstream
from components.dbt.faults import Where
from components.dbt.translator import GovernedTranslator, Standards
from components.dbt.upstream import UpstreamMapping
from tests.components.dbt.harness import Platform


def chain(manifest: dict[str, Any], length: int) -> dict[str, Any]:
    """The manifest with a chain of models, each of which reads the one before."""
    template = manifest["nodes"]["model.shop.settings"]
    for index in range(length):
        unique_id = f"model.shop.m{index}"
        parents = [f"model.shop.m{index - 1}"] if index else []
        manifest["nodes"][unique_id] = {
            **template,
            "unique_id": unique_id,
            "name": f"m{index}",
            "depends_on": {"nodes": parents, "macros": []},
        }
        manifest["parent_map"][unique_id] = parents
    return manifest


def translated(platform: Platform, length: int) -> tuple[GovernedTranslator, dict[str, Any], DbtProject, list[int]]:
    platform.load()
    [path] = platform.dbt.glob("target/dagster/*/manifest.json")
    manifest = chain(orjson.loads(path.read_bytes()), length)
    calls: list[int] = []

    def rename(spec: dg.AssetSpec, node: Any) -> dg.AssetSpec:
        calls.append(1)
        return spec.replace_attributes(key=["renamed", node["name"]])

    upstream = UpstreamMapping(Upstream(), manifest["sources"], Where("defs.yaml"))
    translator = GovernedTranslator(upstream, AssetDefaults(), Standards(), rename)
    project = DbtProject(platform.dbt, profiles_dir=platform.root)
    translator.translate_all(manifest, project)
    return translator, manifest, project, calls


def test_a_chain_longer_than_pythons_stack_is_translated(platform: Platform) -> None:
    length = sys.getrecursionlimit() + 200
    translator, manifest, project, _ = translated(platform, length)
    last = translator.get_asset_spec(manifest, f"model.shop.m{length - 1}", project)
    assert [dep.asset_key for dep in last.deps] == [dg.AssetKey(["renamed", f"m{length - 2}"])]


def test_every_node_is_translated_once_however_often_it_is_read(platform: Platform) -> None:
    *_, few = translated(platform, 10)
    *_, many = translated(platform, 110)
    assert len(many) - len(few) == 100
