"""The options of generate_text, map and generate_object for type checkers: the return type depends on a few of them, so
that overloads would repeat them all. A test holds these names equal to the methods'."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, TypedDict, Union

from .hooks import Hooks
from .options import Limits, Timeouts
from .response import ToolCall
from .tools import Tool

# What a model may call: a function, a Tool, or a declaration in OpenAI's form.
ToolLike = Union[Callable[..., Any], "Tool[..., Any]", dict[str, Any]]
# Whether a call is made: True or False, a reason why not, or other arguments.
Verdict = Union[bool, str, dict[str, Any]]
Approve = Callable[[ToolCall], Union[Verdict, Awaitable[Verdict]]]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._vendor_options import Options


class CommonOptions(TypedDict, total=False):
    """What every request to a model can have."""

    system_prompt: str | None
    temperature: float | None
    max_tokens: int | None
    top_p: float | None
    stop: str | list[str] | None
    frequency_penalty: float | None
    presence_penalty: float | None
    seed: int | None
    top_k: int | None
    logit_bias: dict[Any, float] | None
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
    prediction: dict[str, Any] | None
    previous_response_id: str | None
    allow_unsupported: bool
    options: Options | None
    extra_body: dict[str, Any] | None
    extra_headers: dict[str, str] | None
    timeout: float | None
    timeouts: Timeouts | None
    limits: Limits | None
    max_retries: int | None
    tag: str | None
    api_key: str | None
    base_url: str | None
    model: str | None
    hooks: Hooks | None


class SharedOptions(CommonOptions, total=False):
    """What many requests can have in common."""

    response_format: dict[str, Any] | None
    tools: Sequence[ToolLike] | None
    tool_choice: str | dict[str, Any] | None
    parallel_tool_calls: bool | None
    logprobs: bool | None
    top_logprobs: int | None
    n: int | None
    modalities: list[str] | None
    audio: dict[str, Any] | None
    stream_options: dict[str, Any] | None


class TextOptions(SharedOptions, total=False):
    """Every keyword of generate_text but include_usage."""

    messages: list[dict[str, Any]] | None


class ObjectOptions(CommonOptions, total=False):
    """Every keyword of generate_object and stream_object on which their return type does not depend, but repairs."""

    messages: list[dict[str, Any]] | None
    mode: Literal["auto", "strict", "tool", "prompt"]
    include_raw: bool


class MapOptions(SharedOptions, total=False):
    """Every keyword of map on which its return type does not depend."""

    concurrency: int
    progress: Callable[[int, int | None], object] | None
