"""The name of a source's op and dlt pipeline follows its place, wherever that is."""

import pytest
import yaml

from components.ingestion.file_source import FileSourceComponent
from components.warehouse.component import WarehouseComponent
from tests.components.ingestion.test_loading import ORDERS, orders, source

TYPE = f"{FileSourceComponent.__module__}.{FileSourceComponent.__name__}"
PEOPLE = {"name": "people", "file": "people.csv"}


def with_documents(project, folder: str) -> None:
    """Two sources in one defs.yaml."""
    project.file("landing/orders.csv", "id,amount\n1,10\n")
    project.file("landing/people.csv", "id\n7\n")
    file = project.add(FileSourceComponent, folder, {}) / "defs.yaml"
    documents = [{"type": TYPE, "attributes": source(table)} for table in (ORDERS, PEOPLE)]
    if folder == ".":  # where no other file of the project is looked for
        warehouse = f"{WarehouseComponent.__module__}.{WarehouseComponent.__name__}"
        documents.append({"type": warehouse, "attributes": {"engine": "postgres"}})
    file.write_text(yaml.safe_dump_all(documents))


@pytest.mark.parametrize("folder", [".", "2024", "ingestion/2024"])
def test_both_documents_of_a_file_load(project, folder: str):
    with_documents(project, folder)
    metadata = project.materialize()
    assert set(metadata) == {"raw/orders", "raw/people"}
    assert orders(project) == [(1, 10)]
    assert project.rows("SELECT id FROM raw.people") == [(7,)]


def test_the_second_document_of_the_root_has_a_name_that_dlt_takes(project):
    with_documents(project, ".")
    metadata = project.materialize()
    assert metadata["raw/orders"]["dlt_pipeline"] == "files"
    assert metadata["raw/people"]["dlt_pipeline"] == "files_1"


@pytest.mark.parametrize(("folder", "name"), [("ingestion/orders", "ingestion_orders"), ("2024/q-1", "files_2024_q_1")])
def test_a_name_follows_the_folder(project, folder: str, name: str):
    project.file("landing/orders.csv", "id,amount\n1,10\n")
    project.add(FileSourceComponent, folder, source(ORDERS))
    assert project.materialize()["raw/orders"]["dlt_pipeline"] == name
