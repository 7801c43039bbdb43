"""completion and acompletion."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from .streaming import CustomStreamWrapper
    from .types import ModelResponse

    Answer = Union[ModelResponse, CustomStreamWrapper]

__all__ = ["acompletion", "completion"]


def completion(
    model: str | None = None,
    messages: list[Any] | None = None,
    timeout: Any = None,
    temperature: float | None = None,
    top_p: float | None = None,
    n: int | None = None,
    stream: bool | None = None,
    stream_options: dict[str, Any] | None = None,
    stop: str | list[str] | None = None,
    max_completion_tokens: int | None = None,
    max_tokens: int | None = None,
    modalities: list[str] | None = None,
    prediction: dict[str, Any] | None = None,
    audio: dict[str, Any] | None = None,
    presence_penalty: float | None = None,
    frequency_penalty: float | None = None,
    logit_bias: dict[Any, float] | None = None,
    user: str | None = None,
    reasoning_effort: Any = None,
    verbosity: str | None = None,
    response_format: Any = None,
    seed: int | None = None,
    tools: list[Any] | None = None,
    tool_choice: Any = None,
    logprobs: bool | None = None,
    top_logprobs: int | None = None,
    parallel_tool_calls: bool | None = None,
    web_search_options: dict[str, Any] | None = None,
    deployment_id: str | None = None,
    extra_headers: dict[str, str] | None = None,
    safety_identifier: str | None = None,
    service_tier: str | None = None,
    functions: list[Any] | None = None,
    function_call: Any = None,
    base_url: str | None = None,
    api_version: str | None = None,
    api_key: str | None = None,
    model_list: list[Any] | None = None,
    thinking: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Answer:
    """Asks a model, and waits for its answer or for the beginning of its stream.

    Args:
        model: "provider/model", or a model whose maker its name tells.
        messages: The conversation, in OpenAI's form; messages of earlier answers as they are.
        timeout: Seconds, or an httpx.Timeout.
        temperature, top_p, n, stop, max_tokens, max_completion_tokens, presence_penalty, frequency_penalty, logit_bias,
            user, seed, tools, tool_choice, logprobs, top_logprobs, parallel_tool_calls, modalities, prediction, audio,
            reasoning_effort, verbosity, web_search_options, safety_identifier, service_tier: As in OpenAI's chat.
        response_format: As in OpenAI's chat, a word such as "json_object", or a class of pydantic.
        stream: Give a CustomStreamWrapper.
        stream_options: {"include_usage": True} for a last chunk with the token counts.
        functions, function_call: The older form of tools.
        thinking: Anthropic's, for every model that can limit its thinking.
        extra_headers: Sent with the request.
        base_url, api_key, api_version, deployment_id: Whom to ask; `api_base` is the same as base_url.
        model_list: Refused: a Router has it.
        kwargs: litellm's further arguments, see docs/litellm.md; any other is a field of the request body.

    Raises:
        LiteLLMEdgeError: The classes of `exceptions`, whose names are litellm's.
    """
    from ._run import run

    arguments = locals()
    answer: Answer = run(_gather(arguments))
    return answer


async def acompletion(
    model: str | None = None,
    messages: list[Any] | None = None,
    timeout: Any = None,
    temperature: float | None = None,
    top_p: float | None = None,
    n: int | None = None,
    stream: bool | None = None,
    stream_options: dict[str, Any] | None = None,
    stop: str | list[str] | None = None,
    max_completion_tokens: int | None = None,
    max_tokens: int | None = None,
    modalities: list[str] | None = None,
    prediction: dict[str, Any] | None = None,
    audio: dict[str, Any] | None = None,
    presence_penalty: float | None = None,
    frequency_penalty: float | None = None,
    logit_bias: dict[Any, float] | None = None,
    user: str | None = None,
    reasoning_effort: Any = None,
    verbosity: str | None = None,
    response_format: Any = None,
    seed: int | None = None,
    tools: list[Any] | None = None,
    tool_choice: Any = None,
    logprobs: bool | None = None,
    top_logprobs: int | None = None,
    parallel_tool_calls: bool | None = None,
    web_search_options: dict[str, Any] | None = None,
    deployment_id: str | None = None,
    extra_headers: dict[str, str] | None = None,
    safety_identifier: str | None = None,
    service_tier: str | None = None,
    functions: list[Any] | None = None,
    function_call: Any = None,
    base_url: str | None = None,
    api_version: str | None = None,
    api_key: str | None = None,
    model_list: list[Any] | None = None,
    thinking: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Answer:
    """The twin of `completion` for coroutines; with stream=True it gives a CustomStreamWrapper for `async for`."""
    from ._run import arun

    arguments = locals()
    answer: Answer = await arun(_gather(arguments))
    return answer


def _gather(arguments: dict[str, Any]) -> dict[str, Any]:
    """The local variables of a function as one dict of arguments that were given."""
    more = arguments.pop("kwargs")
    given = {name: value for name, value in arguments.items() if value is not None and name not in {"run", "arun"}}
    given.update((name, value) for name, value in more.items() if value is not None)
    if given.get("model") is None:
        from ._config import default_model

        given["model"] = default_model()
    return given
