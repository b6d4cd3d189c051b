"""The models and the vector store of the answers; defs.yaml says {{ completion }}, {{ embedding }}, {{ store }} …

What `needs` names is read from the environment or the store of secrets when it is first used. Where it is not there,
something on this machine stands in, and the run says so; in production (WAREHOUSE_TARGET) the run fails.
"""

import dagster as dg

from .components.llm.settings import ProviderSettings
from .components.retrieval.stores.attributes import StoreSettings


@dg.template_var
def completion() -> ProviderSettings:
    """The model that fills in the columns of tables."""
    return ProviderSettings(
        provider="local",
        name="rules",
    )


@dg.template_var
def language_model() -> ProviderSettings | None:
    """The model that answers from documents; without one, answers are the documents' own sentences."""
    return None


@dg.template_var
def embedding() -> ProviderSettings:
    """The model that embeds documents and questions."""
    return ProviderSettings(
        provider="local",
        name="lexical",
    )


@dg.template_var
def engine() -> str:
    """Where documents are cut and, by a model of this machine, embedded: local, spark or ray."""
    return "local"


@dg.template_var
def store() -> StoreSettings:
    """Where the index is."""
    return StoreSettings(
        type="sqlite",
    )
