"""A drop-in for litellm and for edgequake-litellm: their names and shapes over pyagent.

    import pyagent.litellm as litellm

    answer = litellm.completion("openai/gpt-4o-mini", [{"role": "user", "content": "Hello!"}])
    print(answer.choices[0].message.content)

The attributes below are what litellm's users set on the module: keys, defaults of calls, callbacks. They may be changed
at any time. Everything else is imported when it is first used. docs/litellm.md says name by name what is the same."""

from __future__ import annotations

import sys

from pyagent import __version__

from ._settings import Module as _Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import discovery, exceptions
    from ._attribution import (
        ApplicationContext,
    )
    from ._callbacks import (
        CustomLogger,
    )
    from ._completion import (
        acompletion,
        completion,
    )
    from ._config import (
        EdgeQuakeConfig,
        LiteLLMEdgeConfig,
        get_config,
        set_default_model,
        set_default_provider,
    )
    from ._embedding import (
        Embedding,
        EmbeddingResponse,
        aembedding,
        embedding,
    )
    from ._model_data import (
        get_llm_provider,
        get_max_tokens,
        get_model_info,
        get_supported_openai_params,
        supports_audio_input,
        supports_audio_output,
        supports_function_calling,
        supports_parallel_function_calling,
        supports_pdf_input,
        supports_reasoning,
        supports_response_schema,
        supports_system_messages,
        supports_tool_choice,
        supports_vision,
        validate_environment,
    )
    from ._money import (
        completion_cost,
        cost_per_token,
        register_model,
    )
    from .batch import (
        batch_completion,
        batch_completion_models,
        batch_completion_models_all_responses,
    )
    from .building import (
        stream_chunk_builder,
    )
    from .chunks import (
        ChatCompletionDeltaToolCall,
        Delta,
        ModelResponseStream,
        StreamingChoices,
    )
    from .edgequake import (
        EmbeddingResponseCompat,
        LiteLLMModelResponse,
        LiteLLMUsage,
        ModelResponseCompat,
        StreamChunk,
        StreamChunkCompat,
        ToolCall,
        build_options,
        detect_provider,
        get_provider_attribution,
        list_provider_attribution,
        list_providers,
        stream,
    )
    from .exceptions import (
        APIConnectionError,
        APIError,
        APIResponseValidationError,
        AuthenticationError,
        BadGatewayError,
        BadRequestError,
        BudgetExceededError,
        ContentPolicyViolationError,
        ContextWindowExceededError,
        EdgeQuakeError,
        InternalServerError,
        InvalidRequestError,
        JSONSchemaValidationError,
        LiteLLMEdgeError,
        LiteLLMUnknownProvider,
        MidStreamFallbackError,
        ModelNotFoundError,
        NotFoundError,
        OpenAIError,
        PaymentRequiredError,
        PermissionDeniedError,
        RateLimitError,
        ServiceUnavailableError,
        Timeout,
        UnprocessableEntityError,
        UnsupportedParamsError,
    )
    from .retrying import (
        acompletion_with_retries,
        completion_with_retries,
    )
    from .router import (
        Router,
    )
    from .streaming import (
        CustomStreamWrapper,
    )
    from .text import (
        TextCompletionStreamWrapper,
        atext_completion,
        text_completion,
    )
    from .tokens import (
        decode,
        encode,
        token_counter,
    )
    from .types import (
        ChatCompletionMessageToolCall,
        Choices,
        CompletionTokensDetailsWrapper,
        Function,
        FunctionCall,
        Message,
        ModelResponse,
        PromptTokensDetailsWrapper,
        TextChoices,
        TextCompletionResponse,
        Usage,
    )

# Keys and addresses, for calls that give none. A vendor's own key is set as its name and "_key": `anthropic_key`.
api_key: str | None = None
api_base: str | None = None
api_version: str | None = None
organization: str | None = None
openai_key: str | None = None
anthropic_key: str | None = None
azure_key: str | None = None
openrouter_key: str | None = None
groq_key: str | None = None
huggingface_key: str | None = None
togetherai_api_key: str | None = None
headers: dict[str, str] | None = None

# Defaults of calls.
drop_params: bool = False
modify_params: bool = False
set_verbose: bool = False
num_retries: int | None = None
request_timeout: float | None = None
default_fallbacks: list[Any] | None = None
context_window_fallbacks: list[dict[str, list[str]]] | None = None
content_policy_fallbacks: list[dict[str, list[str]]] | None = None
model_alias_map: dict[str, str] = {}

# Whom to tell of calls: functions, or objects with litellm's methods.
input_callback: list[Any] = []
success_callback: list[Any] = []
failure_callback: list[Any] = []
callbacks: list[Any] = []

# Where every other name is.
_PLACES = {
    "_completion": ("completion acompletion"),
    "text": ("text_completion atext_completion TextCompletionStreamWrapper"),
    "_embedding": ("embedding aembedding EmbeddingResponse Embedding"),
    "batch": ("batch_completion batch_completion_models batch_completion_models_all_responses"),
    "building": ("stream_chunk_builder"),
    "streaming": ("CustomStreamWrapper"),
    "router": ("Router"),
    "retrying": ("completion_with_retries acompletion_with_retries _should_retry"),
    "_settings": ("_turn_on_debug"),
    "tokens": ("token_counter encode decode"),
    "_money": ("cost_per_token completion_cost register_model"),
    "_model_data": (
        "get_model_info get_max_tokens get_llm_provider get_supported_openai_params validate_environment "
        "supports_function_calling supports_parallel_function_calling supports_tool_choice supports_vision "
        "supports_response_schema supports_reasoning supports_audio_input supports_audio_output "
        "supports_pdf_input supports_system_messages"
    ),
    "_callbacks": ("CustomLogger"),
    "types": (
        "ModelResponse Choices Message Usage ChatCompletionMessageToolCall Function FunctionCall "
        "CompletionTokensDetailsWrapper PromptTokensDetailsWrapper TextCompletionResponse TextChoices"
    ),
    "chunks": ("ModelResponseStream StreamingChoices Delta ChatCompletionDeltaToolCall"),
    "exceptions": (
        "LiteLLMEdgeError EdgeQuakeError OpenAIError APIError APIConnectionError APIResponseValidationError "
        "AuthenticationError BadGatewayError BadRequestError BudgetExceededError ContentPolicyViolationError "
        "ContextWindowExceededError InternalServerError InvalidRequestError JSONSchemaValidationError "
        "LiteLLMUnknownProvider MidStreamFallbackError ModelNotFoundError NotFoundError PaymentRequiredError "
        "PermissionDeniedError RateLimitError ServiceUnavailableError Timeout UnprocessableEntityError "
        "UnsupportedParamsError"
    ),
    "edgequake": (
        "stream list_providers detect_provider get_provider_attribution list_provider_attribution "
        "build_options ModelResponseCompat StreamChunk StreamChunkCompat EmbeddingResponseCompat ToolCall "
        "LiteLLMModelResponse LiteLLMUsage"
    ),
    "_config": ("LiteLLMEdgeConfig EdgeQuakeConfig get_config set_default_provider set_default_model"),
    "_attribution": ("ApplicationContext"),
}

__all__ = [
    "__version__",
    "api_key",
    "api_base",
    "api_version",
    "organization",
    "openai_key",
    "anthropic_key",
    "azure_key",
    "openrouter_key",
    "groq_key",
    "huggingface_key",
    "togetherai_api_key",
    "headers",
    "drop_params",
    "modify_params",
    "set_verbose",
    "num_retries",
    "request_timeout",
    "default_fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "model_alias_map",
    "input_callback",
    "success_callback",
    "failure_callback",
    "callbacks",
    "discovery",
    "exceptions",
    "completion",
    "acompletion",
    "text_completion",
    "atext_completion",
    "TextCompletionStreamWrapper",
    "embedding",
    "aembedding",
    "EmbeddingResponse",
    "Embedding",
    "batch_completion",
    "batch_completion_models",
    "batch_completion_models_all_responses",
    "stream_chunk_builder",
    "CustomStreamWrapper",
    "Router",
    "completion_with_retries",
    "acompletion_with_retries",
    "token_counter",
    "encode",
    "decode",
    "cost_per_token",
    "completion_cost",
    "register_model",
    "get_model_info",
    "get_max_tokens",
    "get_llm_provider",
    "get_supported_openai_params",
    "validate_environment",
    "supports_function_calling",
    "supports_parallel_function_calling",
    "supports_tool_choice",
    "supports_vision",
    "supports_response_schema",
    "supports_reasoning",
    "supports_audio_input",
    "supports_audio_output",
    "supports_pdf_input",
    "supports_system_messages",
    "CustomLogger",
    "ModelResponse",
    "Choices",
    "Message",
    "Usage",
    "ChatCompletionMessageToolCall",
    "Function",
    "FunctionCall",
    "CompletionTokensDetailsWrapper",
    "PromptTokensDetailsWrapper",
    "TextCompletionResponse",
    "TextChoices",
    "ModelResponseStream",
    "StreamingChoices",
    "Delta",
    "ChatCompletionDeltaToolCall",
    "LiteLLMEdgeError",
    "EdgeQuakeError",
    "OpenAIError",
    "APIError",
    "APIConnectionError",
    "APIResponseValidationError",
    "AuthenticationError",
    "BadGatewayError",
    "BadRequestError",
    "BudgetExceededError",
    "ContentPolicyViolationError",
    "ContextWindowExceededError",
    "InternalServerError",
    "InvalidRequestError",
    "JSONSchemaValidationError",
    "LiteLLMUnknownProvider",
    "MidStreamFallbackError",
    "ModelNotFoundError",
    "NotFoundError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServiceUnavailableError",
    "Timeout",
    "UnprocessableEntityError",
    "UnsupportedParamsError",
    "stream",
    "list_providers",
    "detect_provider",
    "get_provider_attribution",
    "list_provider_attribution",
    "build_options",
    "ModelResponseCompat",
    "StreamChunk",
    "StreamChunkCompat",
    "EmbeddingResponseCompat",
    "ToolCall",
    "LiteLLMModelResponse",
    "LiteLLMUsage",
    "LiteLLMEdgeConfig",
    "EdgeQuakeConfig",
    "get_config",
    "set_default_provider",
    "set_default_model",
    "ApplicationContext",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in {"discovery", "exceptions"}:
        return import_module(f".{name}", __name__)
    place = next((module for module, names in _PLACES.items() if name in names.split()), None)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; docs/litellm.md lists what there is")
    value = getattr(import_module(f".{place}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


sys.modules[__name__].__class__ = _Module
