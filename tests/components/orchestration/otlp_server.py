"""A local OpenTelemetry collector: takes OTLP over HTTP, decodes the protobuf, and has faults when asked."""

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

_KINDS = {
    "/v1/traces": (ExportTraceServiceRequest, ExportTraceServiceResponse),
    "/v1/metrics": (ExportMetricsServiceRequest, ExportMetricsServiceResponse),
}


class OtlpServer:
    """What was taken, and faults that are due: (status, headers, seconds to wait)."""

    def __init__(self) -> None:
        self.traces: list[Any] = []
        self.metrics: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.faults: list[tuple[int, dict[str, str], float]] = []
        self.down = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path: str, body: bytes) -> bytes:
        """Decode one request; the answer."""
        request_class, response_class = _KINDS[path]
        request = request_class.FromString(body)
        (self.traces if path == "/v1/traces" else self.metrics).append(request)
        return response_class().SerializeToString()

    def spans(self) -> list[Any]:
        return [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def points(self, name: str, request: int = -1) -> list[Any]:
        """The points of a metric in one request."""
        return [
            point
            for resource in self.metrics[request].resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in getattr(metric, metric.WhichOneof("data")).data_points
        ]


def attributes(of: Any) -> dict[str, Any]:
    """Attributes of a span, event, point or resource as plain values."""
    return {pair.key: _plain(pair.value) for pair in of.attributes}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def running_collector() -> Iterator[OtlpServer]:
    """A collector that answers until the block ends."""
    collector = OtlpServer()
    thread = threading.Thread(target=collector.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.server.shutdown()
        collector.server.server_close()


def _handler(collector: OtlpServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.headers.append({"path": self.path, **dict(self.headers.items())})
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            status, headers, wait = (503, {}, 0.0) if collector.down else (200, {}, 0.0)
            if collector.faults:
                status, headers, wait = collector.faults.pop(0)
            time.sleep(wait)
            answer = b""
            if status == 200:
                assert self.headers["Content-Type"] == "application/x-protobuf"
                answer = collector.take(self.path, body)
            self.send_response(status)
            for name, value in {"Content-Type": "application/x-protobuf", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None: ...

    return Handler
