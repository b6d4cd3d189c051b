"""Faults of stores, models and secrets as failures of an asset, each in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from ..llm.errors import ModelCallError
from ..secrets import SecretError
from .engines.base import EngineError
from .stores.base import StoreError

# What the vendors' clients raise when a server is gone or refuses is of many kinds; trying again later may help.
_CLIENTS = {"chromadb", "databricks", "grpc", "httpx", "lancedb", "pinecone", "psycopg2", "pymilvus", "qdrant_client"}
_CLIENTS |= {"weaviate"}


@contextmanager
def told(key: str) -> Iterator[None]:
    """Turn faults into failures.

    Args:
        key: The asset, for the message.

    Raises:
        dagster.Failure: a store, a model or a secret cannot be used; it says whether trying again may help.
    """
    try:
        yield
    except ModelCallError as error:
        raise error.as_failure(key) from None
    except (EngineError, StoreError) as error:
        raise dg.Failure(f"{key}: {error}", allow_retries=error.transient) from None
    except SecretError as error:
        raise dg.Failure(f"{key}: {error}", allow_retries=False) from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _CLIENTS:
            raise
        raise dg.Failure(f"{key}: the vector store failed: {type(error).__name__}: {error}") from None
