"""What a dbt node declares in its ``meta`` about governance: classification, tier and deadline."""

import re
from collections.abc import Mapping
from typing import Any

_TAGS = {"classification": ("classification", "data_classification"), "tier": ("tier",)}
_SLA = re.compile(r"(?P<number>\d+)\s*(?P<unit>m|min|minutes?|h|hours?|d|days?)")
_MINUTES = {"m": 1, "h": 60, "d": 1440}


def declared_meta(props: Mapping[str, Any]) -> Mapping[str, Any]:
    """The ``meta`` of a node, where dbt keeps it since 1.10 or where it did before."""
    return props.get("config", {}).get("meta") or props.get("meta") or {}


def declared_tags(meta: Mapping[str, Any]) -> dict[str, str]:
    """The tags ``classification`` and ``tier``; what Dagster takes for no tag's value is spelled with underscores."""
    found = {}
    for tag, keys in _TAGS.items():
        value = next((meta[key] for key in keys if meta.get(key)), None)
        if value is not None:
            found[tag] = re.sub(r"[^A-Za-z0-9_.-]", "_", str(value))[:63]
    return found


def declared_sla(meta: Mapping[str, Any]) -> Any:
    """The deadline in minutes from ``sla_minutes`` or ``sla``, such as 240, 4h or 1 day.

    Anything else is returned as it is, so that the policy's rule about it names the model.
    """
    if meta.get("sla_minutes") is not None:
        return meta["sla_minutes"]
    sla = meta.get("sla")
    matched = _SLA.fullmatch(sla.strip()) if isinstance(sla, str) else None
    return int(matched["number"]) * _MINUTES[matched["unit"][0]] if matched else sla
