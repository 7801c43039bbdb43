"""The options of generate_text and map for type checkers: the return type depends on a few of them, and overloads would
otherwise repeat them all. A test holds these names equal to the methods'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from .options import Limits, Timeouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._vendor_options import Options


class SharedOptions(TypedDict, total=False):
    """What many requests can have in common."""

    system_prompt: str | None
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
    reasoning_budget: int | None
    reasoning_summary: str | None
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
    previous_response_id: str | None
    allow_unsupported: bool
    options: Options | None
    extra_body: dict[str, Any] | None
    extra_headers: dict[str, str] | None
    timeout: float | None
    timeouts: Timeouts | None
    limits: Limits | None
    max_retries: int | None
    api_key: str | None
    base_url: str | None
    model: str | None


class TextOptions(SharedOptions, total=False):
    """Every keyword of generate_text but include_usage."""

    messages: list[dict[str, Any]] | None


class MapOptions(SharedOptions, total=False):
    """Every keyword of map on which its return type does not depend."""

    concurrency: int
    progress: Callable[[int, int | None], object] | None
