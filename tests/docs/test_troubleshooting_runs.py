"""What the troubleshooting page says of runs happens as it is written, and its fix mends it."""

import pytest

from tests.docs import troubles_with_runs
from tests.docs.troubles import Entry, happens, reproduced_by

ENTRIES = reproduced_by(troubles_with_runs)


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.symptom for entry in ENTRIES])
def test_what_the_page_quotes_is_what_a_run_says_and_the_fix_mends_it(entry: Entry, request: pytest.FixtureRequest):
    happens(entry, request.getfixturevalue)
