"""A drop-in for litellm and for edgequake-litellm: their names and shapes over pyagent.

    import pyagent.litellm as litellm

    answer = litellm.completion("openai/gpt-4o-mini", [{"role": "user", "content": "Hello!"}])
    print(answer.choices[0].message.content)

The attributes below are what litellm's users set on the module: keys, defaults of calls, callbacks. They may be changed
at any time. Everything else is imported when it is first used. docs/litellm.md says name by name what is the same."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .chunks import (
        ChatCompletionDeltaToolCall,
        Delta,
        ModelResponseStream,
        StreamingChoices,
    )
    from .completion import (
        acompletion,
        completion,
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
    from .streaming import (
        CustomStreamWrapper,
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
    "completion": ("completion acompletion"),
    "streaming": ("CustomStreamWrapper"),
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
}

__all__ = [
    "api_key",
    "api_base",
    "api_version",
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
    "completion",
    "acompletion",
    "CustomStreamWrapper",
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
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; docs/litellm.md lists what there is")
    from importlib import import_module

    place = next(module for module, names in _PLACES.items() if name in names.split())
    value = getattr(import_module(f".{place}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
