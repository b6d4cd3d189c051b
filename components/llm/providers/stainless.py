"""What the SDKs of OpenAI and Anthropic have in common: their errors, told in one way."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import FailedError, LimitedError, RefusedError, RejectedError
from ..settings import ProviderSettings
from .base import broken_off, not_json, told

_IN_STREAM = {"overloaded_error": 529, "rate_limit_error": 429, "rate_limit_exceeded": 429, "api_error": 500}


@contextmanager
def explained(settings: ProviderSettings, sdk: Any) -> Iterator[None]:
    """Turn what the SDK raises into the errors of ``components/llm/errors.py``.

    Args:
        settings: The model.
        sdk: The module ``openai`` or ``anthropic``.
    """
    transport = __import__("httpx2")
    try:
        yield
    except (LimitedError, FailedError, RejectedError, RefusedError):
        raise
    except sdk.APIConnectionError as error:
        raise broken_off(settings, error) from None
    except sdk.APIStatusError as error:
        raise _of_status(settings, error) from None
    except sdk.APIError as error:  # an error that came inside a stream
        raise told(settings, _IN_STREAM.get(str(error.type), 500), error.message) from None
    except transport.HTTPError as error:  # a stream that was cut
        raise broken_off(settings, error) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise not_json(settings, error) from None
    except (AttributeError, TypeError, IndexError, KeyError) as error:  # JSON of another shape: the SDK does not check
        raise not_json(settings, error) from None


def _of_status(settings: ProviderSettings, error: Any) -> Exception:
    body = error.body if isinstance(error.body, dict) else {}
    inner = body.get("error", body)
    about = inner if isinstance(inner, dict) else {"message": str(inner)}
    said = " ".join(str(about[key]) for key in ("code", "message") if about.get(key)) or error.message
    status = error.status_code
    if status < 400:  # an error inside a stream that had begun well
        status = _IN_STREAM.get(str(about.get("type")), 500)
    return told(settings, status, said, error.response.headers)
