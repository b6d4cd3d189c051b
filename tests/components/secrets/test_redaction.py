"""No secret stays in a text, however a tool wrote it."""

import base64
import html
import json
import re
import shlex
import time
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.secrets import redacted

ENCODINGS = {
    "as it is": str,
    "json": json.dumps,
    "json, not only ASCII": lambda value: json.dumps(value, ensure_ascii=False),
    "json in json": lambda value: json.dumps(json.dumps({"password": value})),
    "repr": repr,
    "ascii": ascii,
    "repr of repr": lambda value: repr(repr([value])),
    "part of a URL": lambda value: quote(value, safe=""),
    "path of a URL": quote,
    "form": quote_plus,
    "form in lower case": lambda value: re.sub("%..", lambda code: code[0].lower(), quote_plus(value)),
    "URL in a URL": lambda value: quote(quote(value, safe=""), safe=""),
    "html": html.escape,
    "html attribute": quoteattr,
    "html of html": lambda value: html.escape(html.escape(value)),
    "shell": shlex.quote,
    "SQL": lambda value: "'" + value.replace("'", "''") + "'",
    "CSV": lambda value: '"' + value.replace('"', '""') + '"',
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=30)
TANGLED = st.text(st.sampled_from("ab*\\\"'n% +&;"), min_size=4, max_size=8)


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(deadline=None)
@given(before=TEXT, secret=SECRETS, after=TEXT)
def test_no_way_of_writing_it_leaves_a_secret(encoding: str, before: str, secret: str, after: str):
    written = ENCODINGS[encoding](secret)

    text = redacted(f"{before}{written}{after}", [secret])

    bare = written.strip("\"'")
    assert secret not in text
    assert len(bare) < 4 or bare not in text


@settings(deadline=None)
@given(before=st.binary(max_size=8), secret=st.text(min_size=8, max_size=40), after=st.binary(max_size=8))
def test_a_secret_inside_base64_goes(before: bytes, secret: str, after: bytes):
    raw = before + secret.encode("utf-8", "surrogatepass") + after
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = redacted(f"Authorization: Basic {encode(raw).decode()}", [secret])

        assert "***" in text
        assert encode(secret.encode("utf-8", "surrogatepass")).decode().rstrip("=")[:-1] not in text


@settings(deadline=None)
@given(st.lists(TANGLED, min_size=1, max_size=4), st.lists(st.sampled_from("ab*\\\"'n% +&;"), max_size=30))
def test_secrets_that_overlap_or_look_like_the_mask_all_go(secrets: list[str], letters: list[str]):
    text = redacted("".join([*letters, *secrets, secrets[0][:3], *reversed(secrets)]), secrets)

    assert [secret for secret in secrets if secret in text] == []


def test_everything_of_overlapping_secrets_goes():
    assert redacted("x hunter2hunter3 y", ["hunter2hunt", "2hunter3"]) == "x *** y"


def test_the_longest_secret_wins_whatever_the_order():
    assert redacted("token-of-ada-and-bob", ["token", "token-of-ada-and-bob"]) == "***"
    assert redacted("token-of-ada-and-bob", ["token-of-ada-and-bob", "token"]) == "***"


def test_the_lines_of_a_key_go_one_by_one():
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n"

    assert redacted("log: MIIEvQIBADANBgkq", [key]) == "log: ***"
    assert redacted("-----BEGIN PRIVATE KEY-----", [key]) == "-----BEGIN PRIVATE KEY-----"


@pytest.mark.parametrize("values", [[], [""], ["abc"], ["", "a", "abc"]])
def test_values_too_short_to_tell_from_words_are_left(values: list[str]):
    assert redacted("abc is a word", values) == "abc is a word"


def test_text_without_a_secret_stays_as_it_is():
    text = 'a "quoted" \\n text, 100 % +1 &amp; ***'

    assert redacted(text, ["hunter2!"]) == text


def test_text_made_to_be_slow_is_not():
    secret = "\\\\\\\\\\\\\\\\\\\\\\\\x" + "'\"" * 10
    started = time.process_time()

    redacted("\\" * 5_000 + "'" * 5_000, [secret])
    redacted("aaaa" * 20_000, ["a" * 200 + "b"])

    assert time.process_time() - started < 5
