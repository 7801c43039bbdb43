"""What edgequake-litellm has beside litellm's names: its stream, its providers and its options."""

from __future__ import annotations

import os

from . import _names
from ._embedding import EmbeddingResponse
from .chunks import ModelResponseStream
from .types import ChatCompletionMessageToolCall, ModelResponse, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

__all__ = [
    "EmbeddingResponseCompat",
    "LiteLLMModelResponse",
    "LiteLLMUsage",
    "ModelResponseCompat",
    "StreamChunk",
    "StreamChunkCompat",
    "ToolCall",
    "build_options",
    "detect_provider",
    "get_provider_attribution",
    "list_provider_attribution",
    "list_providers",
    "stream",
]

# Its names for the types.
ModelResponseCompat = LiteLLMModelResponse = ModelResponse
StreamChunk = StreamChunkCompat = ModelResponseStream
EmbeddingResponseCompat = EmbeddingResponse
ToolCall = ChatCompletionMessageToolCall
LiteLLMUsage = Usage

# edgequake's names for vendors, and ours of litellm.
_ITS_NAMES = {
    "vertex_ai": "vertexai",
    "custom_openai": "openai-compatible",
    "lm_studio": "lmstudio",
    "llamafile": "llamacpp",
    "hosted_vllm": "vllm-mlx",
    "nvidia_nim": "nvidia",
    "cohere_chat": "cohere",
}
# The order in which its environment is searched for a vendor that can be asked.
_SEARCHED = (
    "openai",
    "anthropic",
    "gemini",
    "mistral",
    "openrouter",
    "xai",
    "huggingface",
    "nvidia_nim",
    "azure",
    "cohere_chat",
)


async def stream(model: str, messages: list[Any], **options: Any) -> AsyncIterator[ModelResponseStream]:
    """The chunks of an answer as they come, each with content, thinking, is_finished, finish_reason and
    tool_call_delta: `async for chunk in stream(...)`.

    Args:
        model: "provider/model".
        messages: The conversation.
        options: Those of `completion`.

    Raises:
        LiteLLMEdgeError: The classes of `exceptions`.
    """
    from ._completion import acompletion

    answer: Any = await acompletion(model, messages, stream=True, **options)
    try:
        async for chunk in answer:
            if chunk.choices and (chunk.choices[0].delta.role is None or chunk.choices[0].delta.content):
                yield chunk
    finally:
        await answer.aclose()


def list_providers() -> list[str]:
    """The vendors that can be asked, by edgequake's names where it has any, and "mock"."""
    return [_ITS_NAMES.get(name, name) for name in _names.VENDORS] + ["mock"]


def detect_provider() -> str:
    """The vendor that the environment has a key for: EDGEQUAKE_LLM_PROVIDER, or the first of them; else "mock"."""
    chosen = os.environ.get("EDGEQUAKE_LLM_PROVIDER")
    if chosen:
        return chosen
    for name in _SEARCHED:
        if _names.read_first(_names.VENDORS[name].key_env):
            return _ITS_NAMES.get(name, name)
    return "mock"


def list_provider_attribution() -> dict[str, str]:
    """How much of an ApplicationContext reaches each vendor: "full" is headers and the user's id, "passthrough" is
    headers alone, as these vendors refuse the id, and "none" is the mock's."""
    return {name: get_provider_attribution(name) for name in list_providers()}


def get_provider_attribution(provider: str) -> str:
    """How much of an ApplicationContext reaches a vendor, as in `list_provider_attribution`.

    Raises:
        ValueError: There is no such provider.
    """
    if provider == "mock":
        return "none"
    vendor = _names.find_vendor(provider)
    if vendor is None:
        raise ValueError(f"Unknown provider: {provider}")
    from ._model_data import LACKS

    return "passthrough" if "user" in LACKS.get(vendor.vendor or "", "").split() else "full"


def build_options(
    max_tokens: int | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    stop: list[str] | None = None,
    frequency_penalty: float | None = None,
    presence_penalty: float | None = None,
    response_format: str | None = None,
    system_prompt: str | None = None,
) -> str | None:
    """The options that were given as JSON, as edgequake's core takes them; None if there are none."""
    given = {name: value for name, value in locals().items() if value is not None}
    if not given:
        return None
    from json import dumps

    return dumps(given)
