"""Calls of the Kubernetes API that outlast a busy server and a bad network, and say plainly what was refused."""

import json
import os
import time
from pathlib import Path
from typing import Any

from ..governance.policy_compute import KubernetesProfile
from .job import JobError

TIMEOUTS = (10.0, 60.0)  # seconds to connect, and between two pieces of an answer
_ATTEMPTS = 8
_LONGEST_WAIT = 20.0
_AGAIN = {429, 500, 502, 503, 504}


class RefusedError(JobError):
    """The cluster refused a call.

    Args:
        status: HTTP status; 0 where there was no answer.
        message: What the cluster says.
        retry_after: Seconds that it asks to wait.
    """

    def __init__(self, status: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class Cluster:
    """One namespace of one cluster.

    Args:
        profile: Which; login is what the kubeconfig has, or the pod's own account inside a cluster.

    Raises:
        JobError: there is neither, or the kubeconfig has no such context.
    """

    def __init__(self, profile: KubernetesProfile) -> None:
        from kubernetes import client, config

        self.namespace = profile.namespace
        settings = client.Configuration()
        try:
            file = os.environ.get("KUBECONFIG") or None
            config.load_kube_config(config_file=file, context=profile.context, client_configuration=settings)
        except config.ConfigException as reason:
            if profile.context or not Path("/var/run/secrets/kubernetes.io/serviceaccount/token").is_file():
                raise JobError(f"compute profile: no Kubernetes cluster can be used: {reason}") from None
            config.load_incluster_config(client_configuration=settings)
        settings.retries = 0  # they are made here, where Retry-After counts
        self._client = client.ApiClient(settings)
        self._apis = (client.BatchV1Api(self._client), client.CoreV1Api(self._client))

    def create(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make an object; once, also where the answer to the first attempt was lost.

        Args:
            kind: ``job``, ``secret`` or ``config_map``.
            body: The object, with a name that nothing else has.

        Raises:
            RefusedError: the cluster refuses it.
        """
        return self._repeated(f"create_namespaced_{kind}", self.namespace, body, made=body["metadata"]["name"])

    def call(self, method: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        """The answer of a method of the client, such as ``read_namespaced_job``.

        Raises:
            RefusedError: the cluster refuses, or did not answer for too long.
        """
        return self._repeated(method, *arguments, **options)

    def delete(self, kind: str, name: str) -> None:
        """Delete an object that may be gone."""
        try:
            self.call(f"delete_namespaced_{kind}", name, self.namespace, propagation_policy="Background")
        except RefusedError as error:
            if error.status != 404:
                raise

    def open_log(self, pod: str, *, follow: bool) -> Any:
        """The log of a pod as a stream of bytes; one attempt."""
        return self._send(
            "read_namespaced_pod_log", pod, self.namespace, follow=follow, timestamps=True, _request_timeout=TIMEOUTS
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _send(self, method: str, *arguments: Any, **options: Any) -> Any:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        api = next(api for api in self._apis if hasattr(api, method))
        try:
            answer = getattr(api, method)(*arguments, _preload_content=False, **options)
        except ApiException as error:
            raise _refused(error.status or 0, error.body, error.headers) from None
        except HTTPError as error:
            raise RefusedError(0, f"the Kubernetes API does not answer: {type(error).__name__}") from None
        if answer.status >= 300:
            raise _refused(answer.status, answer.data, answer.headers)
        return answer

    def _repeated(self, method: str, *arguments: Any, made: str | None = None, **options: Any) -> dict[str, Any]:
        for attempt in range(_ATTEMPTS):
            try:
                answer = self._send(method, *arguments, _request_timeout=TIMEOUTS, **options)
                content = json.loads(answer.data)
                return content if isinstance(content, dict) else {}
            except RefusedError as error:
                if error.status == 409 and made and attempt:
                    return self.call(method.replace("create", "read"), made, self.namespace)
                if error.status not in {0, *_AGAIN} or attempt == _ATTEMPTS - 1:
                    raise
                wait = 0.25 * 2**attempt if error.retry_after is None else error.retry_after
                time.sleep(min(wait, _LONGEST_WAIT))
            except ValueError:
                if attempt == _ATTEMPTS - 1:
                    raise RefusedError(
                        0, f"the Kubernetes API answered {method} with something that is no JSON"
                    ) from None
                time.sleep(0.25 * 2**attempt)
        raise AssertionError("unreachable")


def _refused(status: int, body: Any, headers: Any) -> RefusedError:
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        message = json.loads(text).get("message") or text
    except (ValueError, AttributeError):
        message = text[:500]
    after = (headers or {}).get("Retry-After") or ""
    wait = float(after) if after.isdigit() else None
    return RefusedError(status, f"the Kubernetes API refused ({status}): {message}", wait)
