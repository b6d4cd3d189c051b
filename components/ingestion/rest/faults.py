"""What went wrong with an API, in one sentence that names connector, resource and secret, and never a value."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...secrets import redacted
from ..files import SourceError, SourceUnreachableError

_LONGEST = 200


def told(error: BaseException, title: str, secrets: Mapping[str, str]) -> SourceError | None:
    """What a failed load says; None where it is not the API's doing.

    Args:
        error: What dlt raised.
        title: Name of the service.
        secrets: Values of the secrets by the names that the project has for them.
    """
    import requests
    from dlt.common.schema.exceptions import DataValidationError

    chain = list(_chain(error))
    place = next((f", resource {name!r}" for part in chain if (name := getattr(part, "pipe_name", None))), "")
    for part in reversed(chain):
        kind: type[SourceError] = SourceError
        if isinstance(part, SourceError):
            kind, place, text = type(part), "", str(part).rstrip(".")
        elif isinstance(part, DataValidationError):
            text = f"new column {part.column_name!r}, and schema_contract is freeze"
        elif isinstance(part, requests.HTTPError) and part.response is not None:
            kind, text = _refusal(part.response, secrets)
        elif isinstance(part, requests.JSONDecodeError):
            text = "the answer is no JSON"
        elif isinstance(part, requests.Timeout):
            kind, text = SourceUnreachableError, "no answer in time"
        elif isinstance(part, requests.RequestException):
            kind, text = SourceUnreachableError, f"no connection ({type(part).__name__})"
        else:
            continue
        return kind(redacted(f"{title}{place}: {text}. Nothing was loaded.", secrets.values()))
    return None


def _refusal(response: Any, secrets: Mapping[str, str]) -> tuple[type[SourceError], str]:
    status, path = response.status_code, urlsplit(response.url).path
    said = " ".join(response.text.split())[:_LONGEST]
    reason = f" It says: {said}" if said else ""
    named = ", ".join(secrets) or "no secret"
    if status in (401, 403):
        return SourceError, f"{path} refused our access with status {status}; check secret {named}.{reason}"
    if status == 404:
        return SourceError, f"there is no {path} (status 404); has the resource gone, or is a variable wrong?{reason}"
    if status == 429:
        return SourceUnreachableError, f"{path} still says too many requests (status 429) after several tries.{reason}"
    if status >= 500:
        return SourceUnreachableError, f"{path} answers with status {status}, also after several tries.{reason}"
    return SourceError, f"{path} refused the request with status {status}; check secret {named}, too.{reason}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
