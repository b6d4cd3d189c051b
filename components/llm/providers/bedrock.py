"""Amazon Bedrock: any model through Converse, and embeddings of Titan and Cohere."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from ..errors import FailedError, LimitedError, RefusedError, RejectedError
from ..messages import Answered, Completion, Embedded, Stop
from ..schemas import portable
from ..settings import ProviderSettings
from .base import ModelProvider, broken_off, counted, not_json

_TOOL = "answer"
_STOPS: dict[str, Stop] = {
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "guardrail_intervened": "refusal",
    "content_filtered": "refusal",
}
_LIMITED = {"ThrottlingException", "TooManyRequestsException", "ServiceQuotaExceededException"}
_FAILED = {
    *("InternalServerException", "ServiceUnavailableException", "ModelTimeoutException", "ModelErrorException"),
    *("ModelNotReadyException", "500", "502", "503", "504"),
}
_REJECTED = {"ValidationException"}


class Provider(ModelProvider):
    """Bedrock through boto3 and AWS's own chain of credentials, with one attempt a call."""

    package = "boto3"

    def __init__(self, settings: ProviderSettings, key: str | None) -> None:
        super().__init__(settings, key)
        self.most_texts = 96 if self._is_cohere else 1  # Titan takes one text a call

    @property
    def _is_cohere(self) -> bool:
        return "cohere." in self.settings.name

    @cached_property
    def client(self) -> Any:
        """The SDK's client; threads share it."""
        config = self.sdk("botocore.config").Config(
            read_timeout=self.settings.timeout_seconds,
            connect_timeout=10,
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=self.settings.concurrency,
        )
        session = self.sdk("boto3").Session()
        return session.client(
            "bedrock-runtime", region_name=self.settings.region, endpoint_url=self.settings.base_url, config=config
        )

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed texts in one call."""
        if self._is_cohere:
            body: dict[str, Any] = {"texts": list(texts), "input_type": "search_document"}
            if self.settings.dimensions:
                body["output_dimension"] = self.settings.dimensions
        else:
            body = {"inputText": texts[0], "normalize": True}
            if self.settings.dimensions:
                body["dimensions"] = self.settings.dimensions
        with self._explained():
            answer = self.client.invoke_model(modelId=self.settings.name, body=json.dumps(body))
            found = json.loads(answer["body"].read())
            vectors = found["embeddings"] if self._is_cohere else [found["embedding"]]
            headers = answer["ResponseMetadata"]["HTTPHeaders"]
            tokens = int(headers.get("x-amzn-bedrock-input-token-count") or found.get("inputTextTokenCount") or 0)
        vectors = vectors["float"] if isinstance(vectors, dict) else vectors
        counted(self.settings, vectors, texts)
        return Embedded(vectors, tokens)

    def complete(self, request: Completion) -> Answered:
        """Answer one request; a schema becomes a tool that the model has to use."""
        extra: dict[str, Any] = {}
        if request.system:
            extra["system"] = [{"text": request.system}]
        if request.schema is not None:
            tool = {"name": _TOOL, "inputSchema": {"json": portable(request.schema)}}
            extra["toolConfig"] = {"tools": [{"toolSpec": tool}], "toolChoice": {"tool": {"name": _TOOL}}}
        with self._explained():
            answer = self.client.converse(
                modelId=self.settings.name,
                messages=[{"role": "user", "content": [{"text": request.prompt}]}],
                inferenceConfig={"maxTokens": request.max_output_tokens},
                **extra,
            )
            parts = answer["output"]["message"]["content"]
            used = [part["toolUse"]["input"] for part in parts if "toolUse" in part]
            text = json.dumps(used[0]) if used else "".join(part.get("text", "") for part in parts)
            usage = answer["usage"]
            stop = _STOPS.get(answer["stopReason"], "end")
            return Answered(text, stop, usage["inputTokens"], usage["outputTokens"])

    @contextmanager
    def _explained(self) -> Iterator[None]:
        errors = self.sdk("botocore.exceptions")
        try:
            yield
        except errors.ClientError as error:
            raise self._told(error) from None
        except (errors.NoCredentialsError, errors.PartialCredentialsError, errors.NoRegionError) as error:
            raise RefusedError(
                f"bedrock: {error} Set credentials as the AWS SDK finds them, and region in the YAML or AWS_REGION"
            ) from None
        except errors.ParamValidationError as error:
            raise RejectedError(f"bedrock: {error}") from None
        except self.sdk("botocore.parsers").ResponseParserError as error:
            raise not_json(self.settings, error) from None
        except (errors.BotoCoreError, OSError) as error:
            raise broken_off(self.settings, error) from None
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise not_json(self.settings, error) from None

    def _told(self, error: Any) -> Exception:
        about = error.response.get("Error", {})
        code, message = str(about.get("Code", "")), str(about.get("Message", ""))
        said = f"{self.settings.title} answered {code}: {message[:300]}"
        if code in _LIMITED:
            headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
            wait = str(headers.get("retry-after", ""))
            return LimitedError(said, float(wait) if wait.isdigit() else None)
        if code in _FAILED:
            return FailedError(said)
        return RejectedError(said) if code in _REJECTED else RefusedError(said)
