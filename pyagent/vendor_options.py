"""Options for single vendors, beyond the parameters that all have in common.

    from pyagent import AnthropicOptions, Provider

    provider = Provider.anthropic("claude-haiku-4-5")
    provider.generate("Hello!", options=AnthropicOptions(thinking_budget_tokens=2048, cache_control="1h"))

Where a field says the same as a parameter of the call, the parameter wins; and so does extra_body."""

from __future__ import annotations

from . import _checks
from ._vendor_options import Place, VendorOptions, cached, google_search, switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

__all__ = ["VendorOptions", "AnthropicOptions", "GeminiOptions", "OllamaOptions", "VolcengineOptions", "ZaiOptions"]


class AnthropicOptions(VendorOptions):
    """Options of Anthropic's Messages API.

    Args:
        thinking_budget_tokens: How many tokens to think with; 0 for no thinking.
        effort: How much effort to make: "low", "medium", "high" and others, by model.
        cache_control: Keep the prompt in the cache for "5m" or "1h"; or the vendor's own object.
        user_id: Your own id of the end user.
        service_tier: "auto" or "standard_only".
        betas: Features that are only there by name.
        version: The version of the interface.
        container: Where code is run, and with which skills.
        context_management: What the vendor takes out of a long conversation.
        mcp_servers: Servers of tools that the vendor calls itself.
        extra_body: Fields that only the vendor knows.

    Raises:
        ConfigurationError: A value has the wrong type.

    Source: https://docs.claude.com/en/api/messages
    """

    _vendors = ("anthropic",)
    _places: ClassVar[dict[str, Place]] = {
        "thinking_budget_tokens": Place("reasoning_budget", _checks.integer),
        "effort": Place("reasoning_effort", _checks.string),
        "cache_control": Place("body.cache_control", _checks.string_or_mapping, cached),
        "user_id": Place("metadata.user_id", _checks.string),
        "service_tier": Place("service_tier", _checks.string),
        "betas": Place("header.anthropic-beta", _checks.sequence, ",".join),
        "version": Place("header.anthropic-version", _checks.line),
        "container": Place("body.container", _checks.string_or_mapping),
        "context_management": Place("body.context_management", _checks.mapping),
        "mcp_servers": Place("body.mcp_servers", _checks.sequence),
        "extra_body": Place("body", _checks.mapping),
    }
    __slots__ = tuple(_places)

    thinking_budget_tokens: int | None
    effort: str | None
    cache_control: str | dict[str, Any] | None
    user_id: str | None
    service_tier: str | None
    betas: list[str] | None
    version: str | None
    container: str | dict[str, Any] | None
    context_management: dict[str, Any] | None
    mcp_servers: list[dict[str, Any]] | None
    extra_body: dict[str, Any] | None

    def __init__(
        self,
        *,
        thinking_budget_tokens: int | None = None,
        effort: str | None = None,
        cache_control: str | dict[str, Any] | None = None,
        user_id: str | None = None,
        service_tier: str | None = None,
        betas: list[str] | None = None,
        version: str | None = None,
        container: str | dict[str, Any] | None = None,
        context_management: dict[str, Any] | None = None,
        mcp_servers: list[dict[str, Any]] | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> None:
        self._fill(locals())


class GeminiOptions(VendorOptions):
    """Options of Google's Gemini, at Google and at Vertex AI.

    Args:
        thinking_level: How long to think: "minimal", "low", "medium" or "high".
        thinking_budget: How many tokens to think with, for models before Gemini 3; 0 for no thinking.
        include_thoughts: Whether to show the thinking.
        grounding: Let the model search with Google; beside the tools of the call.
        safety_settings: What to block: dicts with category and threshold.
        stop_sequences: Texts that end the answer.
        response_modalities: What to answer with, for example ["TEXT", "IMAGE"].
        media_resolution: How closely to look at images and films.
        cached_content: The name of a prompt that is kept at Google.
        extra_body: Fields that only the vendor knows.

    Raises:
        ConfigurationError: A value has the wrong type.

    Source: https://ai.google.dev/api/generate-content
    """

    _vendors = ("gemini", "vertex")
    _places: ClassVar[dict[str, Place]] = {
        "thinking_level": Place("reasoning_effort", _checks.string),
        "thinking_budget": Place("reasoning_budget", _checks.integer),
        "include_thoughts": Place("body.generationConfig.thinkingConfig.includeThoughts", _checks.flag),
        "grounding": Place("tools", _checks.flag, google_search),
        "safety_settings": Place("body.safetySettings", _checks.sequence),
        "stop_sequences": Place("stop", _checks.sequence),
        "response_modalities": Place("modalities", _checks.sequence),
        "media_resolution": Place("body.generationConfig.mediaResolution", _checks.string),
        "cached_content": Place("body.cachedContent", _checks.string),
        "extra_body": Place("body", _checks.mapping),
    }
    __slots__ = tuple(_places)

    thinking_level: str | None
    thinking_budget: int | None
    include_thoughts: bool | None
    grounding: bool | None
    safety_settings: list[dict[str, Any]] | None
    stop_sequences: list[str] | None
    response_modalities: list[str] | None
    media_resolution: str | None
    cached_content: str | None
    extra_body: dict[str, Any] | None

    def __init__(
        self,
        *,
        thinking_level: str | None = None,
        thinking_budget: int | None = None,
        include_thoughts: bool | None = None,
        grounding: bool | None = None,
        safety_settings: list[dict[str, Any]] | None = None,
        stop_sequences: list[str] | None = None,
        response_modalities: list[str] | None = None,
        media_resolution: str | None = None,
        cached_content: str | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> None:
        self._fill(locals())


class VolcengineOptions(VendorOptions):
    """Options of Volcengine Ark (Doubao).

    Args:
        thinking: Whether to think: "enabled", "disabled" or "auto".
        thinking_budget_tokens: How many tokens to think with; Ark only takes 0, for no thinking.
        reasoning_effort: How long to think: "minimal", "low", "medium" or "high".
        previous_response_id: Go on from this answer; refused where no answers are kept.
        caching_enabled: Whether to keep the prompt in the cache.
        max_completion_tokens: The most tokens of answer and thoughts together, instead of max_tokens.
        repetition_penalty: Above 1, what was said at all is said less.
        service_tier: "auto" or "default".
        extra_body: Fields that only the vendor knows.

    Raises:
        ConfigurationError: A value has the wrong type.

    Source: https://www.volcengine.com/docs/82379/1494384
    """

    _vendors = ("volcengine",)
    _places: ClassVar[dict[str, Place]] = {
        "thinking": Place("body.thinking.type", _checks.string),
        "thinking_budget_tokens": Place("reasoning_budget", _checks.integer),
        "reasoning_effort": Place("reasoning_effort", _checks.string),
        "previous_response_id": Place("previous_response_id", _checks.string),
        "caching_enabled": Place("body.caching.type", _checks.flag, switch),
        "max_completion_tokens": Place("max_completion_tokens", _checks.integer),
        "repetition_penalty": Place("body.repetition_penalty", _checks.number),
        "service_tier": Place("service_tier", _checks.string),
        "extra_body": Place("body", _checks.mapping),
    }
    __slots__ = tuple(_places)

    thinking: str | None
    thinking_budget_tokens: int | None
    reasoning_effort: str | None
    previous_response_id: str | None
    caching_enabled: bool | None
    max_completion_tokens: int | None
    repetition_penalty: float | None
    service_tier: str | None
    extra_body: dict[str, Any] | None

    def __init__(
        self,
        *,
        thinking: str | None = None,
        thinking_budget_tokens: int | None = None,
        reasoning_effort: str | None = None,
        previous_response_id: str | None = None,
        caching_enabled: bool | None = None,
        max_completion_tokens: int | None = None,
        repetition_penalty: float | None = None,
        service_tier: str | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> None:
        self._fill(locals())


class ZaiOptions(VendorOptions):
    """Options of Z.ai (GLM).

    Args:
        thinking: Whether to think.
        clear_thinking: Whether the thoughts of earlier turns are dropped.
        thinking_budget_tokens: How many tokens to think with; Z.ai only takes 0, for no thinking.
        reasoning_effort: How long to think, for models from GLM-5.2 on.
        do_sample: False for the likeliest token always.
        request_id: Your own id of the request.
        user_id: Your own id of the end user.
        tool_stream: Whether arguments of tool calls are streamed in pieces, which pyagent asks for.
        language: The language of error messages, such as "en-US,en".
        extra_body: Fields that only the vendor knows.

    Raises:
        ConfigurationError: A value has the wrong type.

    Source: https://docs.z.ai/api-reference/llm/chat-completion
    """

    _vendors = ("zai",)
    _places: ClassVar[dict[str, Place]] = {
        "thinking": Place("body.thinking.type", _checks.flag, switch),
        "clear_thinking": Place("body.thinking.clear_thinking", _checks.flag),
        "thinking_budget_tokens": Place("reasoning_budget", _checks.integer),
        "reasoning_effort": Place("reasoning_effort", _checks.string),
        "do_sample": Place("body.do_sample", _checks.flag),
        "request_id": Place("body.request_id", _checks.string),
        "user_id": Place("user", _checks.string),
        "tool_stream": Place("body.tool_stream", _checks.flag),
        "language": Place("header.Accept-Language", _checks.line),
        "extra_body": Place("body", _checks.mapping),
    }
    __slots__ = tuple(_places)

    thinking: bool | None
    clear_thinking: bool | None
    thinking_budget_tokens: int | None
    reasoning_effort: str | None
    do_sample: bool | None
    request_id: str | None
    user_id: str | None
    tool_stream: bool | None
    language: str | None
    extra_body: dict[str, Any] | None

    def __init__(
        self,
        *,
        thinking: bool | None = None,
        clear_thinking: bool | None = None,
        thinking_budget_tokens: int | None = None,
        reasoning_effort: str | None = None,
        do_sample: bool | None = None,
        request_id: str | None = None,
        user_id: str | None = None,
        tool_stream: bool | None = None,
        language: str | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> None:
        self._fill(locals())


class OllamaOptions(VendorOptions):
    """Options of Ollama in its own protocol.

    Args:
        think: Whether to think, or how long: "low", "medium", "high" or "max".
        keep_alive: How long the model stays in memory: seconds, or a text such as "5m"; -1 for ever.
        truncate: False for an error where the prompt is longer than num_ctx; it is cut otherwise.
        num_ctx: How many tokens prompt and answer may have together.
        num_keep: How many tokens of the prompt to keep where it is cut.
        num_batch: How many tokens of the prompt are read at once.
        num_gpu: How many layers are put on the graphics card.
        num_thread: How many threads work.
        min_p: The least probability of a token, as a share of that of the likeliest.
        typical_p: How typical a token has to be, 0 to 1.
        repeat_penalty: Above 1, what was said is said less.
        repeat_last_n: How many tokens back that looks.
        mirostat: 1 or 2 to steer the perplexity of the text.
        extra_body: Fields that only the vendor knows.

    Raises:
        ConfigurationError: A value has the wrong type.

    Source: https://docs.ollama.com/modelfile
    """

    _vendors = ("ollama",)
    _places: ClassVar[dict[str, Place]] = {
        "think": Place("body.think", _checks.is_a("True, False or a string", bool, str)),
        "keep_alive": Place("body.keep_alive", _checks.is_a("a number of seconds or a string", int, float, str)),
        "truncate": Place("body.truncate", _checks.flag),
        "num_ctx": Place("body.num_ctx", _checks.integer),
        "num_keep": Place("body.num_keep", _checks.integer),
        "num_batch": Place("body.num_batch", _checks.integer),
        "num_gpu": Place("body.num_gpu", _checks.integer),
        "num_thread": Place("body.num_thread", _checks.integer),
        "min_p": Place("body.min_p", _checks.number),
        "typical_p": Place("body.typical_p", _checks.number),
        "repeat_penalty": Place("body.repeat_penalty", _checks.number),
        "repeat_last_n": Place("body.repeat_last_n", _checks.integer),
        "mirostat": Place("body.mirostat", _checks.integer),
        "extra_body": Place("body", _checks.mapping),
    }
    __slots__ = tuple(_places)

    think: bool | str | None
    keep_alive: float | str | None
    truncate: bool | None
    num_ctx: int | None
    num_keep: int | None
    num_batch: int | None
    num_gpu: int | None
    num_thread: int | None
    min_p: float | None
    typical_p: float | None
    repeat_penalty: float | None
    repeat_last_n: int | None
    mirostat: int | None
    extra_body: dict[str, Any] | None

    def __init__(
        self,
        *,
        think: bool | str | None = None,
        keep_alive: float | str | None = None,
        truncate: bool | None = None,
        num_ctx: int | None = None,
        num_keep: int | None = None,
        num_batch: int | None = None,
        num_gpu: int | None = None,
        num_thread: int | None = None,
        min_p: float | None = None,
        typical_p: float | None = None,
        repeat_penalty: float | None = None,
        repeat_last_n: int | None = None,
        mirostat: int | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> None:
        self._fill(locals())
