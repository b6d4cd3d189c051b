"""The workspace: a login by the SDK's unified authentication that is made when it is first needed."""

import os
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from ...compute.databricks_calls import repeated
from ...governance.policy import Policy, policy_for
from ..target import HOST_VARIABLE
from .errors import WorkspaceError, explained

WAREHOUSE_VARIABLE = "DATABRICKS_WAREHOUSE_ID"
HTTP_PATH_VARIABLE = "DATABRICKS_HTTP_PATH"
RETRY_SECONDS = 120
CONNECTIONS = 32
_LOGINS = ("DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID", "DATABRICKS_CONFIG_PROFILE")
_T = TypeVar("_T")


class Workspace:
    """A workspace that the environment names, and the policy that says what may be done there.

    Args:
        project_root: Folder of policy.yaml.
    """

    def __init__(self, project_root: Path) -> None:
        self.project_root = project_root
        self._lock = threading.Lock()
        self._made: Any = None

    @cached_property
    def policy(self) -> Policy:
        """The project's policy.

        Raises:
            PolicyError: policy.yaml is missing or broken.
        """
        return policy_for(self.project_root)

    @property
    def host(self) -> str:
        """The workspace's address, as the login found it."""
        return str(self.client.config.host).rstrip("/")

    @property
    def client(self) -> Any:
        """The SDK's ``WorkspaceClient``.

        Raises:
            WorkspaceError: the environment names no workspace, or no way to log in.
        """
        with self._lock:
            if self._made is None:
                self._made = self._login()
            return self._made

    @property
    def warehouse_id(self) -> str | None:
        """The SQL warehouse that the environment names."""
        path = os.environ.get(HTTP_PATH_VARIABLE, "")
        return os.environ.get(WAREHOUSE_VARIABLE) or path.rpartition("/warehouses/")[2] or None

    def call(self, what: str, call: Callable[[Any], _T], *, again: bool = True) -> _T:
        """The answer of the workspace to a call of its client.

        Args:
            what: What is done, for messages.
            call: Gets the client.
            again: Whether the call may be made twice; one that makes something is not, where its answer got lost.

        Raises:
            WorkspaceError: the workspace refuses, or does not answer.
        """
        from databricks.sdk.errors import DatabricksError, Unauthenticated
        from requests.exceptions import RequestException

        client = self.client
        attempts = None if again else 1
        try:
            try:
                return repeated(lambda: call(client), attempts)
            except Unauthenticated:
                # A token that ended half-way: a new login gets another one where there is one to get.
                return repeated(lambda: call(self._renewed(client)), attempts)
        except (DatabricksError, RequestException, TimeoutError, OSError, ValueError) as error:
            raise explained(error, what, os.environ.get(HOST_VARIABLE) or "the workspace") from None

    def do(self, what: str, method: str, path: str, *, query: Any = None, body: Any = None, again: bool = True) -> Any:
        """The answer of the API itself, where the typed client would drop something.

        Args:
            what: What is done, for messages.
            method: Method of HTTP.
            path: Path with its version.
            query: Parameters of the address.
            body: What is sent.
            again: Whether the call may be made twice.

        Raises:
            WorkspaceError: the workspace refuses, or does not answer.
        """
        return self.call(what, lambda client: client.api_client.do(method, path, query=query, body=body), again=again)

    def found(self, what: str, path: str) -> dict[str, Any] | None:
        """Something that is there, or None.

        Raises:
            WorkspaceError: the workspace refuses, or does not answer.
        """
        try:
            return dict(self.do(what, "GET", path))
        except WorkspaceError as error:
            if error.missing:
                return None
            raise

    def make(self, what: str, path: str, body: Any, there: Callable[[], Any]) -> Any:
        """Make something once.

        Args:
            what: What is made, for messages.
            path: Path with its version.
            body: What is sent.
            there: Gives what is there of it, for an answer that got lost.

        Raises:
            WorkspaceError: the workspace refuses, or does not answer.
        """
        try:
            return self.do(what, "POST", path, body=body, again=False)
        except WorkspaceError as error:
            if not error.transient or (found := there()) is None:
                raise
            return found

    def _renewed(self, before: Any) -> Any:
        with self._lock:
            if self._made is before:
                self._made = self._login()
            return self._made

    def _stored_token(self) -> str | None:
        """The token of the policy's secret store; the environment is left to the SDK."""
        if self.policy.secrets.store == "environment" or any(map(os.environ.get, _LOGINS)):
            return None
        from ...secrets import SecretError, read_secret

        try:
            return read_secret(self.policy.secrets, "DATABRICKS_TOKEN", fresh=self._made is not None)
        except SecretError as error:
            raise WorkspaceError(f"no login for Databricks: {error}", transient=False) from None

    def _login(self) -> Any:
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.core import Config

        try:
            config = Config(
                token=self._stored_token(),
                retry_timeout_seconds=RETRY_SECONDS,
                http_timeout_seconds=60,
                max_connections_per_pool=CONNECTIONS,
                product="dagster",
            )
            return WorkspaceClient(config=config)
        except ValueError as error:
            reason = " ".join(str(error).split()).split(" Config: ")[0]  # the SDK adds its whole configuration
            raise WorkspaceError(
                f"no login for Databricks: {reason}. Set {HOST_VARIABLE}, and DATABRICKS_TOKEN or DATABRICKS_CLIENT_ID "
                "and DATABRICKS_CLIENT_SECRET, or a profile of the Databricks command.",
                transient=False,
            ) from None
