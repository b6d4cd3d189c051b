"""A local OpenLineage receiver: keeps events that are valid by the classes generated from the specification."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any

from openlineage.client.generated import base

from tests.fakes.tls_proxy import serving

FACETS = {  # the class of each facet that this project sends
    "jobType": "job_type_job.JobTypeJobFacet",
    "processing_engine": "processing_engine_run.ProcessingEngineRunFacet",
    "parent": "parent_run.ParentRunFacet",
    "errorMessage": "error_message_run.ErrorMessageRunFacet",
    "schema": "schema_dataset.SchemaDatasetFacet",
    "columnLineage": "column_lineage_dataset.ColumnLineageDatasetFacet",
    "outputStatistics": "output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet",
    "dataQualityAssertions": "data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet",
    "symlinks": "symlinks_dataset.SymlinksDatasetFacet",
    "tags of a run": "tags_run.TagsRunFacet",  # the client says which version of it sends
    "tags of a job": "tags_job.TagsJobFacet",
    "documentation of a job": "documentation_job.DocumentationJobFacet",
    "documentation of a dataset": "documentation_dataset.DocumentationDatasetFacet",
    "ownership of a job": "ownership_job.OwnershipJobFacet",
    "ownership of a dataset": "ownership_dataset.OwnershipDatasetFacet",
}


class LineageServer:
    """What was taken; ``faults`` are statuses for the next requests."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.faults: list[int] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = server.faults.pop(0) if server.faults else 201
                if status == 201 and self.path == "/api/v1/lineage":
                    checked(event)
                    server.events.append(event)
                    server.keys.append(self.headers.get("Authorization"))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def of(self, job: str, kind: str) -> dict[str, Any]:
        [found] = [event for event in self.events if (event["job"]["name"], event["eventType"]) == (job, kind)]
        return found


@contextmanager
def running_lineage() -> Iterator[LineageServer]:
    server = LineageServer()
    with serving(server.server):
        yield server


def checked(event: dict[str, Any]) -> None:
    """Build the event from the generated classes, which refuse unknown keys, bad times, addresses and identities."""
    inputs = [base.InputDataset(**_facets(dataset, "a dataset", "inputFacets")) for dataset in event["inputs"]]
    outputs = [base.OutputDataset(**_facets(dataset, "a dataset", "outputFacets")) for dataset in event["outputs"]]
    base.RunEvent(
        **{name: value for name, value in event.items() if name != "schemaURL"}
        | {
            "eventType": base.EventType(event["eventType"]),
            "run": base.Run(**_facets(event["run"], "a run")),
            "job": base.Job(**_facets(event["job"], "a job")),
            "inputs": inputs,
            "outputs": outputs,
        }
    )
    assert event["schemaURL"].startswith("https://openlineage.io/spec/")


def _facets(given: dict[str, Any], of: str, *more: str) -> dict[str, Any]:
    for place in ("facets", *more):
        for name, facet in (given.get(place) or {}).items():
            module, _, cls = FACETS.get(f"{name} of {of}", FACETS.get(name, "")).partition(".")
            made = getattr(import_module(f"openlineage.client.generated.{module}"), cls)
            names = {"_producer": "producer", "_schemaURL": "schemaURL", "_deleted": "deleted"}
            made(**{names.get(key, key): value for key, value in facet.items() if key not in ("_schemaURL",)})
            assert facet["_schemaURL"] == made._get_schema()
    return given
