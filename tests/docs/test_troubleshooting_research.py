"""What the troubleshooting page says of notebooks, Spark and models happens as it is written, and its fix mends it."""

import pytest

from tests.docs import troubles_with_research
from tests.docs.troubles import Entry, happens, reproduced_by

ENTRIES = reproduced_by(troubles_with_research)


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.symptom for entry in ENTRIES])
def test_what_the_page_quotes_is_what_is_said_and_the_fix_mends_it(entry: Entry, request: pytest.FixtureRequest):
    happens(entry, request.getfixturevalue)
