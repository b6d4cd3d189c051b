"""Logging in: personal access tokens, and OAuth client credentials whose tokens end."""

import base64
import itertools
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.databricks.wire import Ask, Refused, route


class Logins:
    """Who may come in.

    Attributes:
        tokens: Tokens that are valid.
        clients: OAuth clients and their secrets.
        lifetime: Requests that a token of OAuth is good for; None for ever.
    """

    def __init__(self, workspace: Any) -> None:
        self._workspace = workspace
        self.tokens = {"made-up", "of-the-runtime", "dapi-s3cret"}
        self.clients = {"dagster": "s3cret-of-dagster"}
        self.lifetime: int | None = None
        self.given: list[str] = []
        self._uses: dict[str, int] = {}
        self._numbers = itertools.count(1)

    def who(self, headers: Any) -> str:
        """The token of a request.

        Raises:
            Refused: it is none of ours, or its time is over.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        with self._workspace.lock:
            if scheme == "Bearer" and token in self.tokens:
                return token
            if scheme == "Bearer" and token in self.given:
                self._uses[token] = self._uses.get(token, 0) + 1
                if self.lifetime is None or self._uses[token] <= self.lifetime:
                    return token
                raise Refused(401, "UNAUTHENTICATED", "Access token expired. Please provide a valid access token")
        raise Refused(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type for this API.")

    @route("GET", "/oidc/.well-known/oauth-authorization-server")
    def endpoints(self, ask: Ask) -> dict[str, Any]:
        address = self._workspace.address
        return {"authorization_endpoint": f"{address}/oidc/v1/authorize", "token_endpoint": f"{address}/oidc/v1/token"}

    @route("GET", "/.well-known/databricks-config")
    def host(self, ask: Ask) -> dict[str, Any]:
        return {"oidc_endpoint": f"{self._workspace.address}/oidc", "workspace_id": "1", "cloud": "AWS"}

    @route("POST", "/oidc/v1/token")
    def token(self, ask: Ask) -> dict[str, Any]:
        sent = base64.b64decode(ask.headers.get("authorization", "").removeprefix("Basic ")).decode()
        client, _, secret = sent.partition(":")
        form = parse_qs(ask.raw.decode())
        if form.get("grant_type") != ["client_credentials"] or self.clients.get(client) != secret:
            refused = Refused(401, "", "")
            refused.payload = {"error": "invalid_client", "error_description": "Client authentication failed"}
            raise refused
        token = f"oauth-{next(self._numbers)}"
        self.given.append(token)
        return {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": "all-apis"}

    @route("GET", "preview/scim/v2/Me")
    def me(self, ask: Ask) -> dict[str, Any]:
        return {"id": "1", "userName": "ann@example.com", "displayName": "Ann", "active": True}
