"""A provider without its key: something local stands in and says so, and nothing does in production."""

import pytest

from components.governance.policy import Policy
from components.llm.errors import ModelCallError
from components.llm.settings import ProviderSettings, local_rules
from components.llm.stand_in import in_force, stands_in
from components.secrets import SecretMissingError

NEEDING = ProviderSettings(provider="openai", name="gpt-5-mini", needs=["TEST_MODEL_KEY"])


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_MODEL_KEY", raising=False)
    monkeypatch.delenv("WAREHOUSE_TARGET", raising=False)


def test_without_its_key_the_local_model_is_used_and_the_log_says_which_variable_is_missing():
    said: list[str] = []
    assert in_force(NEEDING, local_rules(), Policy(version=1), said.append).provider == "local"
    assert said == [
        "SAMPLE: TEST_MODEL_KEY not set, so openai gpt-5-mini was not asked. local rules stands in, on this machine; "
        "it is no language model."
    ]


def test_with_its_key_the_provider_is_used_and_nothing_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TEST_MODEL_KEY", "k")
    said: list[str] = []
    assert in_force(NEEDING, local_rules(), Policy(version=1), said.append) is NEEDING
    assert said == []


def test_in_production_nothing_stands_in(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    with pytest.raises(ModelCallError, match="needs TEST_MODEL_KEY: WAREHOUSE_TARGET is production"):
        in_force(NEEDING, local_rules(), Policy(version=1), print)
    with pytest.raises(SecretMissingError, match="the store pinecone needs TEST_MODEL_KEY"):
        stands_in(["TEST_MODEL_KEY"], Policy(version=1), "the store pinecone")


def test_a_provider_that_names_no_need_is_used_as_it_is():
    settings = ProviderSettings(provider="openai", name="gpt-5-mini")
    assert in_force(settings, local_rules(), Policy(version=1), print) is settings


def test_a_server_without_an_address_is_refused_unless_something_may_stand_in():
    with pytest.raises(ValueError, match="base_url is missing"):
        ProviderSettings(provider="openai_compatible", name="llama3.2")
    assert ProviderSettings(provider="openai_compatible", name="llama3.2", needs=["MODEL_URL"]).base_url is None
