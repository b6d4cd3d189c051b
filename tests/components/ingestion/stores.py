"""Local object stores, filled and asked by the vendors' own clients."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from http.server import ThreadingHTTPServer
from typing import Any, Protocol

from tests.rendering import ROOT
from tests.server_process import free_port, run

BUCKET = "landing"
AZURITE = ROOT / "build" / "tools" / "azurite"
AZURITE_VERSION = "3.35.0"
AZURITE_ACCOUNT = "devstoreaccount1"  # its account and key are published in its documentation
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Store(Protocol):
    """A store with one bucket, as a vendor's client sees it, and what a project needs to read it."""

    url: str
    environment: dict[str, str]
    credentials: dict[str, str]

    def put(self, name: str, content: bytes) -> None: ...

    def delete(self, name: str) -> None: ...


def folder_of(url: str) -> str:
    """What follows the bucket."""
    return url.split("/", 3)[3]


@dataclass
class S3:
    """A bucket of moto's server, through boto3."""

    endpoint: str
    url: str = f"s3://{BUCKET}/shop"

    def __post_init__(self) -> None:
        self.environment = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "a-key",
            "AWS_SECRET_ACCESS_KEY": "s3cret-and-right",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self.credentials: dict[str, str] = {}

    @property
    def folder(self) -> str:
        return folder_of(self.url)

    @cached_property
    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="a-key",
            aws_secret_access_key="s3cret-and-right",
        )

    def put(self, name: str, content: bytes) -> None:
        with suppress(self.client.exceptions.BucketAlreadyOwnedByYou):
            self.client.create_bucket(Bucket=BUCKET)
        self.client.put_object(Bucket=BUCKET, Key=f"{self.folder}/{name}", Body=content)

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=f"{self.folder}/{name}")


@dataclass
class GCS:
    """A bucket of a Google Cloud Storage emulator, through Google's client."""

    endpoint: str
    url: str = f"gs://{BUCKET}/shop"

    def __post_init__(self) -> None:
        self.environment = {"STORAGE_EMULATOR_HOST": self.endpoint, "LANDING_TOKEN": "anon"}
        self.credentials = {"token": "LANDING_TOKEN"}

    @property
    def folder(self) -> str:
        return folder_of(self.url)

    @cached_property
    def bucket(self) -> Any:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import storage

        client = storage.Client(
            project="test", credentials=AnonymousCredentials(), client_options={"api_endpoint": self.endpoint}
        )
        return client.lookup_bucket(BUCKET) or client.create_bucket(BUCKET)

    def put(self, name: str, content: bytes) -> None:
        self.bucket.blob(f"{self.folder}/{name}").upload_from_string(content)

    def delete(self, name: str) -> None:
        self.bucket.blob(f"{self.folder}/{name}").delete()


@dataclass
class ADLS:
    """A container of Azurite, through Azure's client."""

    endpoint: str
    url: str = f"az://{BUCKET}/shop"

    def __post_init__(self) -> None:
        self.connection = (
            f"DefaultEndpointsProtocol=http;AccountName={AZURITE_ACCOUNT};AccountKey={AZURITE_KEY};"
            f"BlobEndpoint={self.endpoint}/{AZURITE_ACCOUNT};"
        )
        self.environment = {"LANDING_CONNECTION": self.connection}
        self.credentials = {"connection_string": "LANDING_CONNECTION"}

    @property
    def folder(self) -> str:
        return folder_of(self.url)

    @cached_property
    def container(self) -> Any:
        from azure.storage.blob import BlobServiceClient

        container = BlobServiceClient.from_connection_string(self.connection).get_container_client(BUCKET)
        if not container.exists():
            container.create_container()
        return container

    def put(self, name: str, content: bytes) -> None:
        self.container.upload_blob(f"{self.folder}/{name}", content, overwrite=True)

    def delete(self, name: str) -> None:
        self.container.delete_blob(f"{self.folder}/{name}")


@contextmanager
def running_s3() -> Iterator[S3]:
    """moto's server, with its memory emptied."""
    from moto.server import ThreadedMotoServer

    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    try:
        yield S3(f"http://127.0.0.1:{port}")
    finally:
        server.stop()


@contextmanager
def running_gcs() -> Iterator[GCS]:
    """An emulator of Google Cloud Storage from PyPI."""
    from gcp_storage_emulator.server import RequestHandler
    from gcp_storage_emulator.storage import Storage

    # Its own server answers one connection at a time, and clients keep theirs open.
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(RequestHandler, Storage(use_memory_fs=True))) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield GCS(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


@contextmanager
def running_adls() -> Iterator[ADLS]:
    """Azurite, Microsoft's own emulator, installed below build/ the first time."""
    program = AZURITE / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    if not program.is_file():
        npm = shutil.which("npm")
        if not npm:
            raise RuntimeError("npm is missing: install it (Debian, Ubuntu: apt-get install nodejs npm)")
        AZURITE.mkdir(parents=True, exist_ok=True)
        run([npm, "install", "--prefix", str(AZURITE), "--no-audit", "--no-fund", f"azurite@{AZURITE_VERSION}"])
    port = free_port()
    command = ["node", str(program), "--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--loose"]
    command += ["--disableTelemetry"]
    server = subprocess.Popen(
        [*command, "--blobHost", "127.0.0.1", "--blobPort", str(port)], env=os.environ, stdout=subprocess.DEVNULL
    )
    try:
        store = ADLS(f"http://127.0.0.1:{port}")
        _wait(store, server)
        yield store
    finally:
        server.terminate()
        server.wait(20)


def _wait(store: ADLS, server: subprocess.Popen[bytes]) -> None:
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    end = time.monotonic() + 60
    while True:
        try:
            urlopen(store.endpoint, timeout=5)
        except HTTPError:
            return  # it answers
        except URLError:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError("Azurite does not start") from None
            time.sleep(0.1)
