"""Providers: one small interface, one module each, the vendor's own SDK inside."""

from importlib import import_module

from ..settings import ProviderSettings
from .base import ModelProvider

_MODULES = {
    "local": "here",
    "openai": "openai",
    "openai_compatible": "compatible",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "bedrock": "bedrock",
}


def provider_for(settings: ProviderSettings, key: str | None) -> ModelProvider:
    """The provider that settings name.

    Args:
        settings: The model.
        key: Value of its secret.

    Raises:
        RefusedError: the package of the provider's SDK is not installed.
    """
    module = import_module(f".{_MODULES[settings.provider]}", __name__)
    made: ModelProvider = module.Provider(settings, key)
    return made
