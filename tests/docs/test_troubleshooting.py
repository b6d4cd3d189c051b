"""Every entry of the troubleshooting page happens as it is written, and its fix mends it.

Notebooks, Spark and models are in test_troubleshooting_research.py, so that two processes can share the work.
"""

import pytest

from tests.docs import troubles_with_research, troubles_with_runs, troubles_with_the_rest, troubles_with_yaml
from tests.docs.troubles import REPRODUCTIONS, Entry, entries, happens, reproduced_by

ENTRIES = entries()
OURS = (troubles_with_yaml, troubles_with_runs, troubles_with_the_rest)
HERE = [entry for module in OURS for entry in reproduced_by(module)]


def test_every_entry_is_reproduced_and_every_reproduction_is_an_entry():
    assert set(ENTRIES) == set(REPRODUCTIONS)
    assert len(HERE) + len(reproduced_by(troubles_with_research)) == len(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))
def test_an_entry_is_short(entry: Entry):
    assert len(entry.message) <= 3
    assert len(entry.cause) <= 300
    assert len(entry.fix) <= 300


@pytest.mark.parametrize("entry", HERE, ids=[entry.symptom for entry in HERE])
def test_what_the_page_quotes_is_what_is_said_and_the_fix_mends_it(entry: Entry, request: pytest.FixtureRequest):
    happens(entry, request.getfixturevalue)
