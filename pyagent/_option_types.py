"""The options of generate_text for type checkers: its return type depends on one of them, and overloads would otherwise
repeat them all. A test holds these names equal to the method's."""

from __future__ import annotations

from typing import Any, TypedDict

from .options import Limits, Timeouts


class TextOptions(TypedDict, total=False):
    """Every keyword of generate_text but include_usage."""

    system_prompt: str | None
    messages: list[dict[str, Any]] | None
    temperature: float | None
    max_tokens: int | None
    top_p: float | None
    stop: str | list[str] | None
    frequency_penalty: float | None
    presence_penalty: float | None
    seed: int | None
    response_format: dict[str, Any] | None
    top_k: int | None
    tools: list[dict[str, Any]] | None
    tool_choice: str | dict[str, Any] | None
    parallel_tool_calls: bool | None
    logprobs: bool | None
    top_logprobs: int | None
    logit_bias: dict[Any, float] | None
    n: int | None
    reasoning_effort: str | None
    verbosity: str | None
    service_tier: str | None
    store: bool | None
    metadata: dict[str, str] | None
    user: str | None
    prompt_cache_key: str | None
    safety_identifier: str | None
    modalities: list[str] | None
    audio: dict[str, Any] | None
    prediction: dict[str, Any] | None
    stream_options: dict[str, Any] | None
    extra_body: dict[str, Any] | None
    extra_headers: dict[str, str] | None
    timeout: float | None
    timeouts: Timeouts | None
    limits: Limits | None
    max_retries: int | None
    api_key: str | None
    base_url: str | None
    model: str | None
