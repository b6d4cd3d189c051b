"""Dry run, budget, labels, retries, restarts and cancellation, by the real client against a scripted server."""

import os
import signal
import threading

import dagster as dg
import pytest

from components.warehouse.bigquery_table import BigQueryTableComponent
from components.warehouse.component import WarehouseComponent
from tests.components.warehouse.bigquery_server import BigQueryServer
from tests.fakes.waiting import wait_for

ORDERS = {
    "key": "marts/orders",
    "description": "Orders of a day.",
    "sql": "SELECT day, COUNT(*) AS orders FROM raw.orders GROUP BY day",
    "partition_by": {"column": "day", "granularity": "month"},
    "cluster_by": ["orders"],
    "budget": {
        "max_bytes_billed": 2**40,
        "max_cost_usd": 1.5,
        "price_per_tib_usd": 6.25,
        "price_as_of": "2026-11-01",
    },
    "owners": ["team:data"],
    "tags": {"domain": "Sales.Co"},
    "labels": {"product": "shop"},
    "expires_after_days": 30,
    "columns": {"orders": "Number of orders."},
}


@pytest.fixture
def server(monkeypatch):
    with BigQueryServer() as server:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", server.address)
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "shop")
        monkeypatch.setenv("BIGQUERY_LOCATION", "EU")
        yield server


@pytest.fixture
def bigquery(project, server, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_TARGET", "production")
    project.add(WarehouseComponent, "warehouse", {"engine": "bigquery"})
    project.add(BigQueryTableComponent, "orders", ORDERS)
    return project


def test_a_query_within_its_budget_runs_once_with_its_limit_and_labels(bigquery, server):
    server.estimated = 2**37
    metadata = bigquery.materialize()["marts/orders"]
    [job] = server.jobs.values()
    configuration = job["configuration"]
    assert configuration["query"]["maximumBytesBilled"] == str(int(1.5 / 6.25 * 2**40))
    labels = configuration["labels"]
    assert (labels["team"], labels["domain"], labels["product"]) == ("data", "sales_co", "shop")
    assert (labels["dagster_asset"], len(labels["dagster_run_id"])) == ("marts_orders", 36)
    assert job["jobReference"]["location"] == "EU"
    statement = configuration["query"]["query"]
    assert statement.startswith("CREATE OR REPLACE TABLE `marts`.`orders` PARTITION BY DATE_TRUNC(`day`, MONTH)")
    assert "CLUSTER BY `orders` AS\nSELECT day" in statement
    assert metadata["bytes_estimated"] == metadata["bytes_processed"] == metadata["bytes_billed"] == 2**37
    assert (metadata["slot_ms"], metadata["dagster/row_count"]) == (777, 2)
    assert metadata["cost_usd"] == pytest.approx(6.25 / 8)
    assert metadata["price"] == "6.25 USD a TiB (2026-11-01)"
    assert metadata["job"].startswith("https://console.cloud.google.com/bigquery?project=shop&j=bq:EU:dagster-")


def test_the_table_says_what_it_is_and_whose(bigquery, server):
    bigquery.materialize()
    table = server.tables["marts.orders"]
    assert table["description"] == "Orders of a day."
    assert table["labels"] == {"product": "shop", "team": "data", "domain": "sales_co"}
    assert [field.get("description") for field in table["schema"]["fields"]] == [None, "Number of orders."]
    assert int(table["expirationTime"]) > 0
    assert server.datasets == {"marts"}


def test_a_query_over_its_budget_is_refused_before_anything_runs(bigquery, server):
    server.estimated = 2**39
    message = bigquery.failure()
    assert "refused before it ran: the query would read 549,755,813,888 bytes, 3.12 USD at 6.25 USD a TiB" in message
    assert "(2026-11-01), but its budget is 263,882,790,666 bytes, 1.50 USD" in message
    assert (server.jobs, server.datasets, server.tables) == ({}, set(), {})


def test_the_price_may_be_the_policys(bigquery, server):
    bigquery.add(BigQueryTableComponent, "orders", {**ORDERS, "budget": {"max_cost_usd": 1}})
    assert "budget.max_cost_usd needs a price" in bigquery.load_error()
    bigquery.file("policy.yaml", "version: 1\nquery_prices:\n  bigquery: {per_tib_usd: 5.0, as_of: 2026-10-01}\n")
    server.estimated = 2**40
    assert "5.00 USD at 5 USD a TiB (2026-10-01)" in bigquery.failure()


def test_calls_that_are_throttled_are_made_again(bigquery, server):
    server.faults = [(429, "rateLimitExceeded", "slow down"), (503, "backendError", "try again")]
    assert bigquery.materialize()["marts/orders"]["dagster/row_count"] == 2
    assert server.faults == []


def test_a_job_that_fails_for_a_passing_reason_is_followed_by_another(bigquery, server):
    server.job_errors = ["rateLimitExceeded", "backendError"]
    bigquery.materialize()
    assert [identity.rpartition("-")[2] for identity in server.jobs] == ["0", "1", "2"]


def test_a_job_that_fails_for_good_is_told_and_not_repeated(bigquery, server):
    server.job_errors = ["quotaExceeded"]
    message = bigquery.failure()
    assert "the job says quotaExceeded (quotaExceeded: a quota of the project is used up.)" in message
    assert len(server.jobs) == 1


def test_an_accepted_job_whose_answer_was_lost_is_not_run_twice(bigquery, server):
    server.lose_answers = 1
    bigquery.materialize()
    assert len(server.jobs) == 1


def test_a_restarted_run_takes_up_its_job(bigquery, server):
    run_id = "0b1d8a36-1111-4222-8333-944444444444"

    def run():
        with bigquery.definitions() as definitions:
            job = definitions.resolve_implicit_global_asset_job_def()
            return job.execute_in_process(run_id=run_id, instance=dg.DagsterInstance.ephemeral())

    assert run().success
    assert run().success
    assert len(server.jobs) == 1


def test_a_later_run_is_a_job_of_its_own(bigquery, server):
    bigquery.materialize()
    bigquery.materialize()
    assert len(server.jobs) == 2


@pytest.mark.parametrize("when", ["POST shop/jobs", "GET shop/queries"])
def test_a_cancelled_run_cancels_its_job(bigquery, server, when):
    server.hold = True

    def interrupt():
        wait_for(lambda: server.jobs and any(when in call for call in server.calls))
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - Dagster has its own kind of interruption
        bigquery.materialize()
    assert "Interrupt" in type(caught.value).__name__
    assert server.cancelled == list(server.jobs)


def test_a_table_by_arrival_is_made_by_the_jobs_destination(bigquery, server):
    arrival = {"partition_by": {"granularity": "hour"}, "require_partition_filter": True}
    bigquery.add(BigQueryTableComponent, "orders", {**ORDERS, **arrival})
    bigquery.materialize()
    [job] = server.jobs.values()
    query = job["configuration"]["query"]
    assert query["query"].startswith("SELECT day")
    assert query["timePartitioning"]["type"] == "HOUR"
    assert (query["writeDisposition"], query["clustering"]) == ("WRITE_TRUNCATE", {"fields": ["orders"]})


def test_a_materialized_view_is_one_for_bigquery_too(bigquery, server):
    view = {key: value for key, value in ORDERS.items() if key not in ("partition_by", "cluster_by")}
    bigquery.add(BigQueryTableComponent, "orders", {**view, "materialized": "materialized_view"})
    bigquery.materialize()
    bigquery.materialize()
    statements = [job["configuration"]["query"]["query"] for job in server.jobs.values()]
    assert len(statements) == 2  # and nothing was dropped in between
    assert all(text.startswith("CREATE OR REPLACE MATERIALIZED VIEW `marts`.`orders`") for text in statements)
    assert server.tables["marts.orders"]["labels"]["product"] == "shop"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ((401, "authError", "Invalid Credentials"), "BigQuery refused the login for project 'shop'"),
        ((403, "accessDenied", "Access Denied: Project shop"), "the login lacks a permission: BigQuery Job User"),
        ((403, "billingNotEnabled", "no billing"), "the project has no billing account"),
        ((400, "invalidQuery", "Unrecognized name: nocol at [1:8]"), "Unrecognized name: nocol at [1:8]"),
    ],
)
def test_what_google_refuses_is_said_in_plain_words(bigquery, server, fault, expected):
    server.faults = [fault]
    message = bigquery.failure()
    assert expected in message
    assert message.startswith("marts/orders (")
    assert server.jobs == {}


def test_a_server_that_does_not_answer_is_named(bigquery, monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1")
    monkeypatch.setattr("components.warehouse.engines.bigquery_client.RETRY_SECONDS", 0.5)
    assert "at 'http://127.0.0.1:1' (BIGQUERY_EMULATOR_HOST) does not answer" in bigquery.failure()
