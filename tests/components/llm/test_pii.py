"""Personal data is taken out before a text leaves, and can be put back here."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.llm.messages import Completion
from components.llm.pii import redact
from components.llm.settings import ALL_KINDS
from tests.components.llm.desk import Desk

EXAMPLES = {
    "email": ["ana.lopez+x@example.co.uk", "a@b.io"],
    "phone": ["+44 20 7946 0958", "(415) 555-2671", "+49 30 901820"],
    "card": [
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "378282246310005",
    ],  # numbers that card networks publish for tests
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"],
    "ssn": ["536-22-1234"],
    "ip": ["192.168.17.4", "2001:db8::8a2e:370:7334"],
}
HARMLESS = [
    "order 4111 1111 1111 1112",
    "version 1.2.3",
    "at 10:30:00",
    "2026-11-21",
    "room 12-34",
    "DE00 1234 5678",
    "4111 1111 1111",
]
PAIRS = [(kind, text) for kind, texts in EXAMPLES.items() for text in texts]


@pytest.mark.parametrize(("kind", "text"), PAIRS)
def test_a_value_is_replaced_by_its_kind(kind: str, text: str) -> None:
    found = redact(f"Write to {text}, please. Thanks", ALL_KINDS)
    assert found.text == f"Write to [{kind.upper()}_1], please. Thanks"
    assert dict(found.counts) == {kind: 1}


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert redact(text, ALL_KINDS).text == text


def test_a_number_beside_a_card_does_not_hide_it() -> None:
    assert redact("12 4111 1111 1111 1111 77", ["card"]).text == "12 [CARD_1] 77"


def test_equal_values_get_equal_placeholders_and_kinds_that_are_not_named_stay() -> None:
    found = redact("a@b.io or c@d.io or a@b.io, 192.168.17.4", ["email"])
    assert found.text == "[EMAIL_1] or [EMAIL_2] or [EMAIL_1], 192.168.17.4"


pieces = st.one_of(
    st.text(max_size=20), st.sampled_from([text for _, text in PAIRS]), st.just("[EMAIL_1]"), st.just(" ")
)


@given(st.lists(pieces, max_size=8).map("".join))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    found = redact(text, ALL_KINDS)
    assert found.restored(found.text) == text


@given(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=6), st.text(alphabet="abc xyz\n", min_size=1, max_size=9))
def test_no_value_is_left_wherever_it_stands(values: list[tuple[str, str]], between: str) -> None:
    text = f" {between} ".join(value for _, value in values)
    left = redact(text, ALL_KINDS).text
    assert not [value for _, value in values if value in re.sub(r"\[[A-Z]+_\d+\]", "", left)]


@pytest.mark.slot("ai", "redaction", "fake")
def test_no_provider_sees_personal_data_and_the_answer_has_it_again(desk: Desk) -> None:
    settings = desk.settings("openai", redact=ALL_KINDS, restore_redacted=True)
    with desk.calls(settings) as calls:
        (reply,) = calls.complete([Completion("1", "Write to ana@example.com about 4111 1111 1111 1111")])
        calls.embed(["ana@example.com wrote"])
    assert "ana@example.com" not in desk.models.sent()
    assert "4111" not in desk.models.sent()
    assert "[EMAIL_1]" in desk.models.sent()
    assert "ana@example.com about 4111 1111 1111 1111" in reply.text
    assert calls.metadata()["redacted"].value == {"email": 2, "card": 1}
    assert b"ana@example.com" not in (desk.root / "data/model_calls.db").read_bytes()


def test_texts_are_redacted_for_every_provider_elsewhere_unless_told_otherwise(desk: Desk) -> None:
    elsewhere = desk.settings("openai", base_url=None)
    assert elsewhere.redacted_kinds == ALL_KINDS
    assert desk.settings("openai", base_url=None, redact=[]).redacted_kinds == []
    assert desk.settings("openai").redacted_kinds == [], "a server on this machine"
