"""Secrets of AWS Secrets Manager: the real SDK, over moto and over a server that fails."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from components.governance.policy_secrets import AwsSecrets
from components.secrets import SecretError, SecretMissingError, SecretStoreError, aws, read_secret, read_secrets

STORE = AwsSecrets(store="aws_secrets_manager", prefix="data/", region="eu-central-1")


def told(kind: type[SecretError], store: AwsSecrets = STORE) -> str:
    """What reading a secret says when it fails; never more than it may say."""
    with pytest.raises(kind) as caught:
        read_secret(store, "API_KEY")
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert "AKIA" not in str(caught.value)
    return str(caught.value)


def test_a_secret_is_found_by_prefix_and_name(aws: Any):
    aws.create_secret(Name="data/API_KEY", SecretString="sk-1")
    aws.create_secret(Name="data/BYTES", SecretBinary="käse".encode())

    assert read_secrets(STORE, ["API_KEY", "BYTES"]) == {"API_KEY": "sk-1", "BYTES": "käse"}


def test_a_rotated_secret_is_seen_on_demand(aws: Any):
    aws.create_secret(Name="data/API_KEY", SecretString="sk-old")
    assert read_secret(STORE, "API_KEY") == "sk-old"
    aws.put_secret_value(SecretId="data/API_KEY", SecretString="sk-new")

    assert read_secret(STORE, "API_KEY") == "sk-old"
    assert read_secret(STORE, "API_KEY", fresh=True) == "sk-new"


def test_the_region_may_come_from_the_environment(aws: Any, monkeypatch: pytest.MonkeyPatch):
    aws.create_secret(Name="API_KEY", SecretString="sk-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    assert read_secret(AwsSecrets(store="aws_secrets_manager"), "API_KEY") == "sk-1"


def test_no_region_is_told(aws: Any):
    message = told(SecretMissingError, AwsSecrets(store="aws_secrets_manager"))

    assert "NoRegionError; set region under secrets in policy.yaml, or AWS_REGION" in message


def test_a_secret_that_is_not_there_is_named(aws: Any):
    message = told(SecretMissingError)

    assert "secret 'data/API_KEY' of AWS Secrets Manager in eu-central-1 does not exist; create it" in message


def test_a_secret_marked_for_deletion_is_told(aws: Any):
    aws.create_secret(Name="data/API_KEY", SecretString="sk-1")
    aws.delete_secret(SecretId="data/API_KEY")

    assert "is marked for deletion; restore it" in told(SecretMissingError)


def test_bytes_that_are_no_text_are_refused(aws: Any):
    aws.create_secret(Name="data/API_KEY", SecretBinary=b"\xff\xfe\xfa")

    assert "is not text; store it as a string" in told(SecretMissingError)


class Failing:
    """An endpoint that answers as it is told."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.requests: list[str] = []
        failing = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                failing.requests.append(self.headers["X-Amz-Target"])
                status, body = failing.answers.pop(0) if len(failing.answers) > 1 else failing.answers[0]
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Failing]:
    failing = Failing()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATESTING")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", f"http://127.0.0.1:{failing.server.server_port}")
    thread = threading.Thread(target=failing.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield failing
    failing.server.shutdown()
    failing.server.server_close()


GOOD = (200, {"Name": "data/API_KEY", "SecretString": "sk-1", "VersionId": "a" * 32})


@pytest.mark.parametrize(
    "fault",
    [
        (400, {"__type": "ThrottlingException"}),
        (429, {"__type": "TooManyRequestsException"}),
        (500, {"__type": "InternalServiceError"}),
        (503, {}),
    ],
)
def test_a_fault_that_passes_is_not_noticed(fault: tuple[int, dict[str, Any]], failing: Failing):
    failing.answers = [fault, GOOD]

    assert read_secret(STORE, "API_KEY") == "sk-1"
    assert len(failing.requests) == 2


def test_a_fault_that_stays_is_told_after_every_try(failing: Failing, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(aws, "TRIES", 2)
    failing.answers = [(500, {"__type": "InternalServiceError"})]

    assert "could not be read: InternalServiceError; tried 2 times" in told(SecretStoreError)
    assert len(failing.requests) == 2


def test_credentials_renewed_meanwhile_are_read_again(failing: Failing):
    expired = (400, {"__type": "ExpiredTokenException", "Message": "The security token included is expired"})
    failing.answers = [expired, GOOD]

    assert read_secret(STORE, "API_KEY") == "sk-1"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "let the role do secretsmanager:GetSecretValue on it"),
        ("UnrecognizedClientException", "AWS does not know the credentials"),
        ("DecryptionFailure", "let the role use its KMS key"),
    ],
)
def test_a_refusal_says_what_to_do(code: str, words: str, failing: Failing):
    failing.answers = [(400, {"__type": code, "Message": "arn:aws:iam::1:user/ada may not"})]

    assert words in told(SecretMissingError)


def test_no_connection_is_told(failing: Failing, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:1")
    monkeypatch.setattr(aws, "TRIES", 1)

    assert "no answer (EndpointConnectionError); check region and network" in told(SecretStoreError)


def test_no_credentials_are_told(failing: Failing, monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    assert "finds no credentials" in told(SecretMissingError)
