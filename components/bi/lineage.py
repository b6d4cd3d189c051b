"""Which tables a query reads, so that the lineage of a dashboard is what its SQL says."""

import re

_NOISE = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\b(?:extract|trim|substring|overlay)\s*\((?:[^()]|\([^()]*\))*\)|\bdistinct\s+from\b",
    re.IGNORECASE | re.DOTALL,
)
_NAME = r'(?:"[^"]+"|\w+)'
_TABLE = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_ALIAS = r"(?:\s+(?:as\s+)?\w+)?"
_READS = re.compile(rf"\b(?:from|join)\s+({_TABLE}(?:{_ALIAS}\s*,\s*{_TABLE})*)", re.IGNORECASE)
_SYSTEM = {"information_schema", "pg_catalog"}


def tables_read(sql: str) -> list[str]:
    """The two-level asset keys, such as ``marts/fct_flights``, of the tables a query names with their schema.

    Names without a schema are the query's own (common table expressions, functions) and are left out.
    """
    found: dict[str, None] = {}
    for clause in _READS.findall(_NOISE.sub(" ", sql)):
        for item in clause.split(","):
            if match := re.match(_TABLE, item.strip()):
                parts = [part.strip('"') for part in re.findall(_NAME, match.group())]
                if len(parts) > 1 and parts[-2].lower() not in _SYSTEM:
                    found["/".join(parts[-2:])] = None
    return list(found)
