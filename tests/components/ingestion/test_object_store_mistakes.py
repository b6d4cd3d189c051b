"""What an object store does wrong is named, loses and doubles nothing, and the next run completes."""

import urllib.request

import pytest

from components.ingestion.file_source import FileSourceComponent
from components.ingestion.loading import Loader
from components.ingestion.object_store import ObjectStore
from tests.components.ingestion.test_object_stores import CHANGED, NEW, ORDERS, add, failure, load, orders

PEOPLE = {"name": "people", "file": "people.csv", "description": "People."}


def test_s3_that_refuses_the_login_is_told_without_the_secret(project, s3, monkeypatch):
    s3.put("orders/1.csv", b"id,amount\n1,10\n")
    monkeypatch.setenv("LANDING_KEY", "another-key")
    monkeypatch.setenv("LANDING_SECRET", "s3cret-and-wrong")
    enforce(s3, "0")
    try:
        message = failure(project, s3, ORDERS, credentials={"key": "LANDING_KEY", "secret": "LANDING_SECRET"})
    finally:
        enforce(s3, "inf")
    assert message.startswith(f"S3 denied access to {s3.url}. Check credentials, else AWS_ACCESS_KEY_ID and")
    assert "s3cret" not in message


def enforce(s3, after: str) -> None:
    """Let moto check every key after so many calls."""
    headers = {"Content-Type": "text/plain"}
    request = urllib.request.Request(f"{s3.endpoint}/moto-api/reset-auth", after.encode(), headers, method="POST")
    urllib.request.urlopen(request)


@pytest.mark.e2e
def test_azure_that_refuses_the_login_is_told_without_the_secret(project, adls, monkeypatch):
    adls.put("orders/1.csv", b"id,amount\n1,10\n")
    right = adls.connection.split("AccountKey=")[1].split(";")[0]
    monkeypatch.setenv("LANDING_CONNECTION", adls.connection.replace(right, "c2VjcmV0LXMzY3JldA=="))
    message = failure(project, adls, ORDERS)
    assert message.startswith(f"Azure Storage denied access to {adls.url}")
    assert "c2Vj" not in message


def test_a_file_that_vanishes_while_it_is_read_is_named_and_the_next_run_completes(project, s3, monkeypatch):
    s3.put("orders/1.csv", b"id,amount\n1,10\n")
    s3.put("orders/2.csv", b"id,amount\n2,20\n")
    found = ObjectStore.find

    def find_and_lose(self, table):
        files = found(self, table)
        s3.delete("orders/2.csv")
        return files

    with monkeypatch.context() as losing:
        losing.setattr(ObjectStore, "find", find_and_lose)
        add(project, s3, NEW)
        failed = project.failed()
    assert str(failed.description).startswith(f"{s3.url}/orders/2.csv vanished while it was read")
    assert failed.allow_retries
    assert load(project, s3, NEW)["raw/orders"]["dagster/row_count"] == 1


def test_a_store_that_does_not_answer_is_tried_again(project, s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    add(project, s3, ORDERS)
    failed = project.failed()
    assert str(failed.description).startswith(f"S3 gave no answer for {s3.url}: ")
    assert failed.allow_retries


def test_a_load_that_is_cut_off_leaves_no_file_out_and_takes_none_twice(any_project, monkeypatch):
    project = any_project
    project.file("landing/orders/1.csv", "id,amount\n1,10\n")
    given = {"source": {"folder": "landing"}, "tables": [NEW]}
    project.add(FileSourceComponent, "ingestion/landing", given)
    project.materialize()
    project.file("landing/orders/2.csv", "id,amount\n2,20\n")
    loads = Loader.load

    def load_and_die(self, staged):
        loads(self, staged)
        # As if the process had ended after the rows were there and before dlt called the load complete.
        self.engine.execute("DELETE FROM raw._dlt_loads WHERE load_id = (SELECT max(load_id) FROM raw._dlt_loads)")
        raise RuntimeError("power cut")

    with monkeypatch.context() as dying:
        dying.setattr(Loader, "load", load_and_die)
        with pytest.raises(RuntimeError, match="power cut"):
            project.materialize()
    assert orders(project) == [(1, 10), (2, 20)]
    assert project.materialize()["raw/orders"]["files"] == ["2.csv"]
    assert orders(project) == [(1, 10), (2, 20)]


def test_rows_that_were_loaded_before_files_were_written_down_are_not_doubled(project):
    project.file("landing/orders/1.csv", "id,amount\n1,10\n")
    before = {**ORDERS, "write_disposition": "append"}
    project.add(FileSourceComponent, "landing", {"source": {"folder": "landing"}, "tables": [before]})
    project.materialize()
    project.add(FileSourceComponent, "landing", {"source": {"folder": "landing"}, "tables": [NEW]})
    assert "only_new name cannot tell which files its rows came from" in project.failure()
    assert orders(project) == [(1, 10)]


def test_a_table_that_somebody_dropped_takes_all_files_again(project):
    project.file("landing/orders/1.csv", "id,amount\n1,10\n")
    project.add(FileSourceComponent, "landing", {"source": {"folder": "landing"}, "tables": [NEW]})
    project.materialize()
    project.warehouse.execute("DROP TABLE raw.orders")
    assert project.materialize()["raw/orders"]["files"] == ["1.csv"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"only_new": "name"}, "table 'orders': only_new name needs write_disposition append or merge; replace would"),
        ({**CHANGED, "write_disposition": "append"}, "only_new content needs write_disposition merge; append would"),
    ],
)
def test_a_mistake_in_a_table_is_named_when_it_loads(project, change, expected):
    project.add(FileSourceComponent, "landing", {"source": {"folder": "landing"}, "tables": [{**ORDERS, **change}]})
    assert expected in project.load_error()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"folder": "landing", "url": "s3://b/x"}, "source: one place only, not folder or package and url"),
        ({"folder": "landing", "sample": "sample"}, "sample stands in while url_env is not set; name the variable"),
        ({"folder": "landing", "credentials": {"key": "K"}}, "source: credentials are for a url or url_env"),
        ({"url": "ftp://host/x"}, "url: 'ftp://host/x' does not match"),
    ],
)
def test_a_mistake_in_the_place_is_named_when_it_loads(project, source, expected):
    project.add(FileSourceComponent, "landing", {"source": source, "tables": [PEOPLE]})
    assert expected in project.load_error()


def test_a_missing_library_is_named(project, s3, monkeypatch):
    monkeypatch.setattr("components.ingestion.object_store.find_spec", lambda name: None)
    message = failure(project, s3, ORDERS)
    assert message == f"source: {s3.url} needs the package s3fs. Add it to the project's dependencies."
