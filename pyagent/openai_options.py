"""Options for OpenAI and for vendors that speak its protocols, beyond the parameters that all have in common.

Where a field says the same as a parameter of the call, the parameter wins; and so does extra_body."""

from __future__ import annotations

from . import _checks
from ._vendor_options import Place, VendorOptions, typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

__all__ = ["OpenAIOptions", "OpenRouterOptions", "ResponsesOptions"]


class OpenAIOptions(VendorOptions):
    """Options of OpenAI's chat completions, and the many vendors that speak the same protocol.

    Args:
        reasoning_effort: How long to think: "minimal", "low", "medium", "high" and others, by model.
        reasoning_summary: What to show of the thinking: "auto", "concise" or "detailed".
        previous_response_id: Go on from this answer; refused where no answers are kept.
        response_format: "json_object", or a whole object in OpenAI's form.
        seed: The same seed asks for the same answer.
        verbosity: How much to write: "low", "medium" or "high".
        service_tier: "auto", "default", "flex" or "priority".
        store: Whether the vendor shall keep the answer.
        metadata: Labels for an answer that is kept.
        prediction: Text that the answer will mostly repeat.
        prompt_cache_key: Requests with the same key find each other's prompt in the cache.
        prompt_cache_retention: How long prompts stay in the cache: "in_memory" or "24h".
        safety_identifier: A hash of the end user's id, by which abuse is recognised.
        web_search_options: How the models that search the web do it.
        organization: The organization that pays.
        project: The project that pays.
        extra_body: Fields that only the vendor knows.

    Raises:
        ConfigurationError: A value has the wrong type.

    Source: https://platform.openai.com/docs/api-reference/chat/create
    """

    _vendors = ("openai",)
    _places: ClassVar[dict[str, Place]] = {
        "reasoning_effort": Place("reasoning_effort", _checks.string),
        "reasoning_summary": Place("reasoning_summary", _checks.string),
        "previous_response_id": Place("previous_response_id", _checks.string),
        "response_format": Place("response_format", _checks.string_or_mapping, typed),
        "seed": Place("seed", _checks.integer),
        "verbosity": Place("verbosity", _checks.string),
        "service_tier": Place("service_tier", _checks.string),
        "store": Place("store", _checks.flag),
        "metadata": Place("metadata", _checks.mapping),
        "prediction": Place("prediction", _checks.mapping),
        "prompt_cache_key": Place("prompt_cache_key", _checks.string),
        "prompt_cache_retention": Place("body.prompt_cache_retention", _checks.string),
        "safety_identifier": Place("safety_identifier", _checks.string),
        "web_search_options": Place("body.web_search_options", _checks.mapping),
        "organization": Place("header.OpenAI-Organization", _checks.line),
        "project": Place("header.OpenAI-Project", _checks.line),
        "extra_body": Place("body", _checks.mapping),
    }
    __slots__ = tuple(_places)

    reasoning_effort: str | None
    reasoning_summary: str | None
    previous_response_id: str | None
    response_format: str | dict[str, Any] | None
    seed: int | None
    verbosity: str | None
    service_tier: str | None
    store: bool | None
    metadata: dict[str, Any] | None
    prediction: dict[str, Any] | None
    prompt_cache_key: str | None
    prompt_cache_retention: str | None
    safety_identifier: str | None
    web_search_options: dict[str, Any] | None
    organization: str | None
    project: str | None
    extra_body: dict[str, Any] | None

    def __init__(
        self,
        *,
        reasoning_effort: str | None = None,
        reasoning_summary: str | None = None,
        previous_response_id: str | None = None,
        response_format: str | dict[str, Any] | None = None,
        seed: int | None = None,
        verbosity: str | None = None,
        service_tier: str | None = None,
        store: bool | None = None,
        metadata: dict[str, Any] | None = None,
        prediction: dict[str, Any] | None = None,
        prompt_cache_key: str | None = None,
        prompt_cache_retention: str | None = None,
        safety_identifier: str | None = None,
        web_search_options: dict[str, Any] | None = None,
        organization: str | None = None,
        project: str | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> None:
        self._fill(locals())


class ResponsesOptions(VendorOptions):
    """Options of OpenAI's Responses API.

    Args:
        reasoning_effort: How long to think: "minimal", "low", "medium", "high" and others, by model.
        reasoning_summary: What to show of the thinking: "auto", "concise" or "detailed".
        include: What to give besides the answer; instead of what pyagent asks for by itself.
        previous_response_id: Go on from this answer, which the vendor keeps.
        conversation: Go on with this conversation, which the vendor keeps.
        response_format: "json_object", or a whole object in the form of chat completions.
        verbosity: How much to write: "low", "medium" or "high".
        truncation: What to do with a prompt that is too long: "auto" or "disabled".
        max_tool_calls: The most calls of the vendor's own tools.
        prompt: A prompt that is kept at the vendor: id, version and variables.
        service_tier: "auto", "default", "flex" or "priority".
        store: Whether the vendor shall keep the answer.
        metadata: Labels for an answer that is kept.
        prompt_cache_key: Requests with the same key find each other's prompt in the cache.
        prompt_cache_retention: How long prompts stay in the cache: "in_memory" or "24h".
        safety_identifier: A hash of the end user's id, by which abuse is recognised.
        organization: The organization that pays.
        project: The project that pays.
        extra_body: Fields that only the vendor knows.

    Raises:
        ConfigurationError: A value has the wrong type.

    Source: https://platform.openai.com/docs/api-reference/responses/create
    """

    _vendors = ("responses",)
    _places: ClassVar[dict[str, Place]] = {
        "reasoning_effort": Place("reasoning_effort", _checks.string),
        "reasoning_summary": Place("reasoning_summary", _checks.string),
        "include": Place("body.include", _checks.sequence),
        "previous_response_id": Place("previous_response_id", _checks.string),
        "conversation": Place("body.conversation", _checks.string_or_mapping),
        "response_format": Place("response_format", _checks.string_or_mapping, typed),
        "verbosity": Place("verbosity", _checks.string),
        "truncation": Place("body.truncation", _checks.string),
        "max_tool_calls": Place("body.max_tool_calls", _checks.integer),
        "prompt": Place("body.prompt", _checks.mapping),
        "service_tier": Place("service_tier", _checks.string),
        "store": Place("store", _checks.flag),
        "metadata": Place("metadata", _checks.mapping),
        "prompt_cache_key": Place("prompt_cache_key", _checks.string),
        "prompt_cache_retention": Place("body.prompt_cache_retention", _checks.string),
        "safety_identifier": Place("safety_identifier", _checks.string),
        "organization": Place("header.OpenAI-Organization", _checks.line),
        "project": Place("header.OpenAI-Project", _checks.line),
        "extra_body": Place("body", _checks.mapping),
    }
    __slots__ = tuple(_places)

    reasoning_effort: str | None
    reasoning_summary: str | None
    include: list[str] | None
    previous_response_id: str | None
    conversation: str | dict[str, Any] | None
    response_format: str | dict[str, Any] | None
    verbosity: str | None
    truncation: str | None
    max_tool_calls: int | None
    prompt: dict[str, Any] | None
    service_tier: str | None
    store: bool | None
    metadata: dict[str, Any] | None
    prompt_cache_key: str | None
    prompt_cache_retention: str | None
    safety_identifier: str | None
    organization: str | None
    project: str | None
    extra_body: dict[str, Any] | None

    def __init__(
        self,
        *,
        reasoning_effort: str | None = None,
        reasoning_summary: str | None = None,
        include: list[str] | None = None,
        previous_response_id: str | None = None,
        conversation: str | dict[str, Any] | None = None,
        response_format: str | dict[str, Any] | None = None,
        verbosity: str | None = None,
        truncation: str | None = None,
        max_tool_calls: int | None = None,
        prompt: dict[str, Any] | None = None,
        service_tier: str | None = None,
        store: bool | None = None,
        metadata: dict[str, Any] | None = None,
        prompt_cache_key: str | None = None,
        prompt_cache_retention: str | None = None,
        safety_identifier: str | None = None,
        organization: str | None = None,
        project: str | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> None:
        self._fill(locals())


class OpenRouterOptions(VendorOptions):
    """Options of OpenRouter.

    Args:
        models: Models to ask, one after the other, where the first cannot answer.
        provider: Which vendors may answer: order, only, ignore, sort and others.
        reasoning_effort: How long to think: "low", "medium", "high" and others.
        reasoning_max_tokens: How many tokens to think with; 0 for no thinking.
        reasoning_exclude: Think, but do not show it.
        plugins: Such as [{"id": "web"}].
        transforms: Such as ["middle-out"], which shortens prompts that are too long.
        min_p: The least probability of a token, as a share of that of the likeliest.
        top_a: The same, by the square of that probability.
        repetition_penalty: Above 1, what was said is said less.
        session_id: Requests of one session go to one vendor, for its cache.
        referer: The address of your site, for OpenRouter's rankings.
        title: The name of your program, likewise.
        extra_body: Fields that only the vendor knows.

    Raises:
        ConfigurationError: A value has the wrong type.

    Source: https://openrouter.ai/docs/api-reference/overview
    """

    _vendors = ("openrouter",)
    _places: ClassVar[dict[str, Place]] = {
        "models": Place("body.models", _checks.sequence),
        "provider": Place("body.provider", _checks.mapping),
        "reasoning_effort": Place("reasoning_effort", _checks.string),
        "reasoning_max_tokens": Place("reasoning_budget", _checks.integer),
        "reasoning_exclude": Place("body.reasoning.exclude", _checks.flag),
        "plugins": Place("body.plugins", _checks.sequence),
        "transforms": Place("body.transforms", _checks.sequence),
        "min_p": Place("body.min_p", _checks.number),
        "top_a": Place("body.top_a", _checks.number),
        "repetition_penalty": Place("body.repetition_penalty", _checks.number),
        "session_id": Place("body.session_id", _checks.string),
        "referer": Place("header.HTTP-Referer", _checks.line),
        "title": Place("header.X-Title", _checks.line),
        "extra_body": Place("body", _checks.mapping),
    }
    __slots__ = tuple(_places)

    models: list[str] | None
    provider: dict[str, Any] | None
    reasoning_effort: str | None
    reasoning_max_tokens: int | None
    reasoning_exclude: bool | None
    plugins: list[dict[str, Any]] | None
    transforms: list[str] | None
    min_p: float | None
    top_a: float | None
    repetition_penalty: float | None
    session_id: str | None
    referer: str | None
    title: str | None
    extra_body: dict[str, Any] | None

    def __init__(
        self,
        *,
        models: list[str] | None = None,
        provider: dict[str, Any] | None = None,
        reasoning_effort: str | None = None,
        reasoning_max_tokens: int | None = None,
        reasoning_exclude: bool | None = None,
        plugins: list[dict[str, Any]] | None = None,
        transforms: list[str] | None = None,
        min_p: float | None = None,
        top_a: float | None = None,
        repetition_penalty: float | None = None,
        session_id: str | None = None,
        referer: str | None = None,
        title: str | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> None:
        self._fill(locals())
