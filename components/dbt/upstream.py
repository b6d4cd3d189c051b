"""Which asset of the platform each dbt source is."""

import re
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import dagster as dg

from .attributes import Upstream
from .faults import DbtProjectError, Where

_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_NAMES = ("source", "table")


class UpstreamMapping:
    """Asset keys of dbt sources, looked up by name.

    Args:
        upstream: What the YAML says.
        sources: The sources of the manifest, by unique id.
        where: The YAML file, for messages.

    Raises:
        DbtProjectError: an entry names a source or a table that the dbt project lacks.
    """

    def __init__(self, upstream: Upstream, sources: Mapping[str, Mapping[str, Any]], where: Where) -> None:
        self._upstream = upstream
        self._where = where
        self._namespaces = {source: namespace for namespace, source in upstream.namespaces.items()}
        self._refuse_unknown(sources.values())

    def key(self, source: Mapping[str, Any]) -> dg.AssetKey:
        """The asset that one table of a source is; an asset key in the source's own meta counts before all."""
        name, table = source["source_name"], source["name"]
        declared = (source.get("config", {}).get("meta") or source.get("meta") or {}).get("dagster", {})
        if declared.get("asset_key"):
            return dg.AssetKey(declared["asset_key"])
        if explicit := self._upstream.assets.get(f"{name}.{table}"):
            return dg.AssetKey.from_user_string(explicit)
        for pattern in self._upstream.patterns:
            if fnmatchcase(name, pattern.source):
                return dg.AssetKey.from_user_string(pattern.key.format(source=name, table=table))
        return dg.AssetKey([self._namespaces.get(name, name), table])

    def refuse_unmapped(self, sources: Iterable[Mapping[str, Any]]) -> None:
        """With ``match: false``, raise DbtProjectError where a source that models read is not mapped."""
        if self._upstream.match:
            return
        missing = sorted({f"{found['source_name']}.{found['name']}" for found in sources if not self._is_mapped(found)})
        if missing:
            raise DbtProjectError(
                f"{self._where.file}: upstream.match: false, and nothing maps the dbt sources {', '.join(missing)}; "
                "name them in upstream.assets, or their source in upstream.patterns or upstream.namespaces"
            )

    def _is_mapped(self, source: Mapping[str, Any]) -> bool:
        name = source["source_name"]
        return (
            f"{name}.{source['name']}" in self._upstream.assets
            or name in self._namespaces
            or any(fnmatchcase(name, pattern.source) for pattern in self._upstream.patterns)
        )

    def _refuse_unknown(self, sources: Collection[Mapping[str, Any]]) -> None:
        tables = {f"{source['source_name']}.{source['name']}" for source in sources}
        names = {source["source_name"] for source in sources}
        for table, key in self._upstream.assets.items():
            if table not in tables:
                raise self._where.fault("upstream.assets", table, "is no source.table of the dbt project", tables)
            if not all(part.strip() for part in key.split("/")):
                raise self._where.fault(f"upstream.assets.{table}", key, "is no asset key; write namespace/table")
        for index, pattern in enumerate(self._upstream.patterns):
            place = f"upstream.patterns.{index}"
            if not any(fnmatchcase(name, pattern.source) for name in names):
                raise self._where.fault(f"{place}.source", pattern.source, "fits no source of the dbt project", names)
            if unknown := [name for name in _PLACEHOLDER.findall(pattern.key) if name not in _NAMES]:
                raise self._where.fault(f"{place}.key", pattern.key, f"has the placeholder {unknown[0]!r}", _NAMES)
            if _PLACEHOLDER.sub("", pattern.key).count("{") or _PLACEHOLDER.sub("", pattern.key).count("}"):
                raise self._where.fault(f"{place}.key", pattern.key, "has a brace without its pair")
        for namespace, name in self._upstream.namespaces.items():
            if name not in names:
                raise self._where.fault(
                    f"upstream.namespaces.{namespace}", name, "is no source of the dbt project", names
                )
            if self._namespaces[name] != namespace:
                raise self._where.fault(
                    f"upstream.namespaces.{namespace}", name, f"stands under {self._namespaces[name]!r} too"
                )
