"""Which assets of the platform the dbt sources are."""

from tests.components.dbt.harness import Platform
from tests.components.dbt.test_assets import check_names, parents


def test_an_explicit_entry_maps_one_table(platform: Platform) -> None:
    defs = platform.load(upstream={"assets": {"raw.orders": "ingest/transaction_data"}})
    assert parents(defs, "staging/stg_orders") == {"ingest/transaction_data"}
    assert parents(defs, "staging/stg_customers") == {"raw/customers"}
    assert "ingest/transaction_data:freshness" in check_names(defs)


def test_a_pattern_maps_every_table_of_a_source(platform: Platform) -> None:
    defs = platform.load(upstream={"patterns": [{"source": "r*", "key": "landing/{source}_{table}"}]})
    assert parents(defs, "staging/stg_orders") == {"landing/raw_orders"}


def test_a_namespace_replaces_the_name_of_the_source(platform: Platform) -> None:
    defs = platform.load(upstream={"namespaces": {"data_eng": "raw"}})
    assert parents(defs, "staging/stg_orders") == {"data_eng/orders"}


def test_an_explicit_entry_wins_over_a_pattern_and_a_pattern_over_a_namespace(platform: Platform) -> None:
    defs = platform.load(
        upstream={
            "assets": {"raw.orders": "ingest/orders"},
            "patterns": [{"source": "raw", "key": "landing/{table}"}],
            "namespaces": {"data_eng": "raw"},
        }
    )
    assert parents(defs, "staging/stg_orders") == {"ingest/orders"}
    assert parents(defs, "staging/stg_customers") == {"landing/customers"}


def test_without_automatic_match_every_source_must_be_mapped(platform: Platform) -> None:
    message = platform.refusal(upstream={"match": False, "assets": {"raw.orders": "ingest/orders"}})
    assert "upstream.match: false" in message
    assert "raw.customers" in message
    assert "raw.orders" not in message


def test_without_automatic_match_a_namespace_maps_its_source(platform: Platform) -> None:
    defs = platform.load(upstream={"match": False, "namespaces": {"data_eng": "raw"}})
    assert parents(defs, "staging/stg_customers") == {"data_eng/customers"}


def test_a_table_that_the_project_lacks_is_named_with_the_nearest(platform: Platform) -> None:
    message = platform.refusal(upstream={"assets": {"raw.custmers": "ingest/customers"}})
    assert "transform/defs.yaml: upstream.assets: 'raw.custmers'" in message
    assert "did you mean 'raw.customers'" in message


def test_a_pattern_for_no_source_is_named(platform: Platform) -> None:
    message = platform.refusal(upstream={"patterns": [{"source": "rew", "key": "landing/{table}"}]})
    assert "upstream.patterns.0.source: 'rew'" in message
    assert "did you mean 'raw'" in message


def test_an_unknown_placeholder_is_named(platform: Platform) -> None:
    message = platform.refusal(upstream={"patterns": [{"source": "raw", "key": "landing/{tabel}"}]})
    assert "upstream.patterns.0.key: 'landing/{tabel}' has the placeholder 'tabel'" in message
    assert "valid: source, table" in message


def test_a_brace_without_its_pair_is_named(platform: Platform) -> None:
    message = platform.refusal(upstream={"patterns": [{"source": "raw", "key": "landing/{table"}]})
    assert "has a brace without its pair" in message


def test_a_namespace_of_no_source_is_named(platform: Platform) -> None:
    message = platform.refusal(upstream={"namespaces": {"data_eng": "raww"}})
    assert "upstream.namespaces.data_eng: 'raww'" in message
    assert "valid: raw" in message


def test_two_namespaces_for_one_source_are_named(platform: Platform) -> None:
    message = platform.refusal(upstream={"namespaces": {"data_eng": "raw", "ingest": "raw"}})
    assert "upstream.namespaces.data_eng: 'raw' stands under 'ingest' too" in message


def test_an_empty_asset_key_is_named(platform: Platform) -> None:
    message = platform.refusal(upstream={"assets": {"raw.orders": "ingest/"}})
    assert "upstream.assets.raw.orders: 'ingest/' is no asset key" in message
