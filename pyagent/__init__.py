"""Language models from Python over one Go core: streaming, every provider, no runtime dependencies.

    from pyagent import Provider

    provider = Provider("openai/gpt-4o-mini")
    print(provider.generate_text("Hello!"))
    for piece in provider.stream_text("Count from 1 to 5."):
        print(piece, end="", flush=True)

Importing this package does nothing else: a name's module is imported when the name is first used, the native library
when the first request is made."""

from __future__ import annotations

from ._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import costs, errors, events, messages
    from ._places import get_executable, get_include, get_library
    from .answers import Answers
    from .async_answers import AsyncAnswers
    from .async_processor import AsyncStreamProcessor
    from .async_stream import AsyncStream
    from .async_tool_stream import AsyncToolStream
    from .cache import CacheHook
    from .client import Client
    from .conversation import Conversation
    from .embeddings import Embeddings
    from .errors import (
        APIConnectionError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        BudgetExceededError,
        ConfigurationError,
        ConflictError,
        ContentPolicyViolationError,
        ContextWindowExceededError,
        ConversationBusyError,
        HookError,
        InternalError,
        InternalServerError,
        LimitExceededError,
        NotFoundError,
        ObjectError,
        ObjectRefusedError,
        ObjectTruncatedError,
        ObjectValidationError,
        PermissionDeniedError,
        PyAgentError,
        QuotaExceededError,
        RateLimitError,
        ResponseParseError,
        ServiceUnavailableError,
        StreamCancelledError,
        StreamInterruptedError,
        ToolError,
        ToolLimitError,
        UnprocessableEntityError,
        UnsupportedFeatureError,
    )
    from .hooks import DROP, Hook, Hooks, RequestContext
    from .models import Capabilities, ModelInfo, ModelLists
    from .objects import AsyncObjectStream, ObjectResult, ObjectStream
    from .openai_options import OpenAIOptions, OpenRouterOptions, ResponsesOptions
    from .options import Budget, Limits, Throttle, Timeouts
    from .processor import StreamProcessor
    from .provider import Provider
    from .rate_limits import RateLimit, RateLimits
    from .response import Choice, Response, ToolCall, Usage
    from .router import Deployment, DeploymentHealth, Router
    from .session import SessionConfig
    from .snapshot import Snapshot
    from .standard_hooks import LoggingHook, ResponseIdHook, SanitizingHook, UsageTotals, UsageTracker
    from .stream import Stream
    from .tool_run import ToolRun, ToolStep
    from .tool_stream import ToolStream
    from .tools import Tool, ToolResult, arun_tool_calls, run_tool_calls, tool
    from .vendor_options import (
        AnthropicOptions,
        GeminiOptions,
        OllamaOptions,
        VendorOptions,
        VolcengineOptions,
        ZaiOptions,
    )

    GenerateResult = Response
    TextStream = Stream

__all__ = [
    "__version__",
    "Provider",
    "Stream",
    "AsyncStream",
    "TextStream",
    "StreamProcessor",
    "AsyncStreamProcessor",
    "Snapshot",
    "Answers",
    "AsyncAnswers",
    "Response",
    "GenerateResult",
    "Choice",
    "ToolCall",
    "Usage",
    "ObjectResult",
    "ObjectStream",
    "AsyncObjectStream",
    "Embeddings",
    "ModelInfo",
    "Capabilities",
    "ModelLists",
    "Client",
    "Router",
    "Deployment",
    "DeploymentHealth",
    "Conversation",
    "SessionConfig",
    "RateLimit",
    "RateLimits",
    "Timeouts",
    "Limits",
    "Tool",
    "ToolResult",
    "ToolRun",
    "ToolStep",
    "ToolStream",
    "AsyncToolStream",
    "tool",
    "run_tool_calls",
    "arun_tool_calls",
    "Hooks",
    "Hook",
    "RequestContext",
    "DROP",
    "CacheHook",
    "LoggingHook",
    "ResponseIdHook",
    "SanitizingHook",
    "UsageTotals",
    "UsageTracker",
    "VendorOptions",
    "OpenAIOptions",
    "ResponsesOptions",
    "OpenRouterOptions",
    "AnthropicOptions",
    "GeminiOptions",
    "VolcengineOptions",
    "ZaiOptions",
    "OllamaOptions",
    "Throttle",
    "Budget",
    "get_include",
    "get_executable",
    "get_library",
    "costs",
    "errors",
    "events",
    "messages",
    "PyAgentError",
    "APIConnectionError",
    "APITimeoutError",
    "StreamInterruptedError",
    "APIStatusError",
    "BadRequestError",
    "ContextWindowExceededError",
    "ContentPolicyViolationError",
    "AuthenticationError",
    "PermissionDeniedError",
    "NotFoundError",
    "ConflictError",
    "UnprocessableEntityError",
    "RateLimitError",
    "QuotaExceededError",
    "InternalServerError",
    "ServiceUnavailableError",
    "ResponseParseError",
    "ObjectError",
    "ObjectValidationError",
    "ObjectRefusedError",
    "ObjectTruncatedError",
    "ConfigurationError",
    "UnsupportedFeatureError",
    "BudgetExceededError",
    "ConversationBusyError",
    "StreamCancelledError",
    "LimitExceededError",
    "ToolError",
    "ToolLimitError",
    "HookError",
    "InternalError",
]

# The names that are not in errors.py, and where they are. rusty-agent-sdk's names stand beside ours.
_PLACES = {
    "Provider": ("provider", "Provider"),
    "Stream": ("stream", "Stream"),
    "AsyncStream": ("async_stream", "AsyncStream"),
    "StreamProcessor": ("processor", "StreamProcessor"),
    "AsyncStreamProcessor": ("async_processor", "AsyncStreamProcessor"),
    "Snapshot": ("snapshot", "Snapshot"),
    "Answers": ("answers", "Answers"),
    "AsyncAnswers": ("async_answers", "AsyncAnswers"),
    "TextStream": ("stream", "Stream"),
    "Response": ("response", "Response"),
    "GenerateResult": ("response", "Response"),
    "Choice": ("response", "Choice"),
    "ToolCall": ("response", "ToolCall"),
    "Usage": ("response", "Usage"),
    "ObjectResult": ("objects", "ObjectResult"),
    "ObjectStream": ("objects", "ObjectStream"),
    "AsyncObjectStream": ("objects", "AsyncObjectStream"),
    "Embeddings": ("embeddings", "Embeddings"),
    "ModelInfo": ("models", "ModelInfo"),
    "Capabilities": ("models", "Capabilities"),
    "ModelLists": ("models", "ModelLists"),
    "Client": ("client", "Client"),
    "Router": ("router", "Router"),
    "Deployment": ("router", "Deployment"),
    "DeploymentHealth": ("router", "DeploymentHealth"),
    "Conversation": ("conversation", "Conversation"),
    "SessionConfig": ("session", "SessionConfig"),
    "RateLimit": ("rate_limits", "RateLimit"),
    "RateLimits": ("rate_limits", "RateLimits"),
    "Timeouts": ("options", "Timeouts"),
    "Limits": ("options", "Limits"),
    "Tool": ("tools", "Tool"),
    "ToolResult": ("tools", "ToolResult"),
    "ToolRun": ("tool_run", "ToolRun"),
    "ToolStep": ("tool_run", "ToolStep"),
    "ToolStream": ("tool_stream", "ToolStream"),
    "AsyncToolStream": ("async_tool_stream", "AsyncToolStream"),
    "tool": ("tools", "tool"),
    "run_tool_calls": ("tools", "run_tool_calls"),
    "arun_tool_calls": ("tools", "arun_tool_calls"),
    "Hooks": ("hooks", "Hooks"),
    "Hook": ("hooks", "Hook"),
    "RequestContext": ("hooks", "RequestContext"),
    "DROP": ("hooks", "DROP"),
    "CacheHook": ("cache", "CacheHook"),
    "LoggingHook": ("standard_hooks", "LoggingHook"),
    "ResponseIdHook": ("standard_hooks", "ResponseIdHook"),
    "SanitizingHook": ("standard_hooks", "SanitizingHook"),
    "UsageTotals": ("standard_hooks", "UsageTotals"),
    "UsageTracker": ("standard_hooks", "UsageTracker"),
    "VendorOptions": ("vendor_options", "VendorOptions"),
    "OpenAIOptions": ("openai_options", "OpenAIOptions"),
    "ResponsesOptions": ("openai_options", "ResponsesOptions"),
    "OpenRouterOptions": ("openai_options", "OpenRouterOptions"),
    "AnthropicOptions": ("vendor_options", "AnthropicOptions"),
    "GeminiOptions": ("vendor_options", "GeminiOptions"),
    "VolcengineOptions": ("vendor_options", "VolcengineOptions"),
    "ZaiOptions": ("vendor_options", "ZaiOptions"),
    "OllamaOptions": ("vendor_options", "OllamaOptions"),
    "Throttle": ("options", "Throttle"),
    "Budget": ("options", "Budget"),
    "get_include": ("_places", "get_include"),
    "get_executable": ("_places", "get_executable"),
    "get_library": ("_places", "get_library"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in {"costs", "errors", "events", "messages"}:
        return __import__(f"{__name__}.{name}", fromlist=[name])
    module, attribute = _PLACES.get(name, ("errors", name))
    value = getattr(__import__(f"{__name__}.{module}", fromlist=[attribute]), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
