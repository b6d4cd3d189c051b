"""Labels that say whose a table and a job are, within BigQuery's rules."""

import re
from collections.abc import Mapping, Sequence

KEY = r"^[a-z][a-z0-9_-]{0,62}$"
VALUE = r"^[a-z0-9_-]{0,63}$"
MOST_LABELS = 64


def check_labels(where: str, labels: Mapping[str, str]) -> None:
    """Raise ValueError naming every label that BigQuery would refuse."""
    faults = [f"{key!r}" for key in labels if not re.fullmatch(KEY[1:-1], key)]
    if faults:
        raise ValueError(
            f"{where}: labels: {', '.join(faults)} cannot be keys; expected up to 63 small letters, digits, _ and -, "
            "a letter first"
        )
    wrong = [f"{key}: {value!r}" for key, value in labels.items() if not re.fullmatch(VALUE[1:-1], value)]
    if wrong:
        raise ValueError(
            f"{where}: labels: {', '.join(wrong)} cannot be values; expected up to 63 small letters, digits, _ and -"
        )
    if len(labels) > MOST_LABELS:
        raise ValueError(f"{where}: labels: {len(labels)} are too many; BigQuery takes {MOST_LABELS}")


def cost_labels(owners: Sequence[str], tags: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    """Labels for cost attribution: the first owner, the tags, and over both what was written.

    Other characters than BigQuery's become ``_``; a tag with a namespace, such as ``dagster/…``, is left out.
    """
    made: dict[str, str] = {}
    if owners:
        kind, _, name = owners[0].rpartition(":")
        made[_key(kind) if kind else "owner"] = label_value(name)
    for tag, value in tags.items():
        if "/" not in tag:
            made[_key(tag)] = label_value(value)
    return dict(
        list({**labels, **{key: value for key, value in made.items() if key not in labels}}.items())[:MOST_LABELS]
    )


def label_value(text: str) -> str:
    """Text as a label's value."""
    return re.sub(r"[^a-z0-9_-]", "_", text.lower())[:63]


def _key(text: str) -> str:
    kept = label_value(text)
    return kept if kept[:1].isalpha() else f"l_{kept}"[:63]
