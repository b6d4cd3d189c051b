"""A local server that speaks the wire protocols of OpenAI, Anthropic, Gemini and Bedrock."""

from .server import FakeModels, Seen, model_server
from .trouble import Limit, Trouble

__all__ = ["FakeModels", "Limit", "Seen", "Trouble", "model_server"]
