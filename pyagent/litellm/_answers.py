"""From a Response of pyagent to litellm's ModelResponse."""

from __future__ import annotations

from time import time

from ._money import answer_cost
from .types import ChatCompletionMessageToolCall, Choices, Function, FunctionCall, Message, ModelResponse, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyagent.response import Choice, Response, ToolCall
    from pyagent.response import Usage as TheirUsage

    from ._calls import Call


def make_response(call: Call, answer: Response) -> ModelResponse:
    """The whole answer in litellm's shape, with what is known beside it in `_hidden_params`."""
    made = ModelResponse(
        id=answer.id,
        created=None if answer.created is None else int(answer.created),
        model=answer.model or call.name,
        system_fingerprint=answer.system_fingerprint,
        choices=[_make_choice(choice, call.as_functions) for choice in answer.choices],
        usage=make_usage(answer.usage),
    )
    if answer.service_tier is not None:
        made.service_tier = answer.service_tier
    made._hidden_params = hidden(call, answer.headers)
    made._hidden_params["response_cost"] = answer_cost(call.own, call.vendor, call.name, answer)
    made._hidden_params["warnings"] = answer.warnings
    made._hidden_params["attempts"] = answer.attempts
    call.note(made._hidden_params, answer.attempts)
    made._response_headers = answer.headers
    made._response_ms = (time() - call.started) * 1000
    made._hidden_params["_response_ms"] = made._response_ms
    return made


def hidden(call: Call, headers: dict[str, str] | None) -> dict[str, Any]:
    """What litellm's answers carry beside themselves, of it what there is here."""
    return {
        "custom_llm_provider": call.provider,
        "litellm_call_id": call.call_id,
        "litellm_model_name": call.model,
        "api_base": call.url or None,
        "model_id": call.model_id,
        "additional_headers": {
            **{f"llm_provider-{name}": value for name, value in (headers or {}).items()},
            **{name: value for name, value in (headers or {}).items() if name.startswith("x-ratelimit-")},
        },
        "response_cost": None,
    }


def make_usage(usage: TheirUsage) -> Usage:
    """Token counts in OpenAI's shape; those of Anthropic's cache under its own names too, as in litellm."""
    details: dict[str, Any] = {}
    if usage.cached_tokens is not None:
        details["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    if usage.reasoning_tokens is not None:
        details["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    if usage.cache_write_tokens is not None:
        details["cache_creation_input_tokens"] = usage.cache_write_tokens
        details["cache_read_input_tokens"] = usage.cached_tokens or 0
    return Usage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        cost=usage.cost,
        **details,
    )


def _make_choice(choice: Choice, as_functions: bool) -> Choices:
    calls = [make_call(call) for call in choice.tool_calls]
    message: dict[str, Any] = {"content": choice.text or (None if calls or choice.refusal else ""), "tool_calls": calls}
    finish = choice.finish_reason
    if as_functions and calls:
        function = calls[0].function
        message["tool_calls"], message["function_call"] = None, FunctionCall(function.arguments, function.name)
        finish = "function_call" if finish == "tool_calls" else finish
    if choice.reasoning:
        message["reasoning_content"] = choice.reasoning
    message.update(read_details(choice))
    message["annotations"] = choice.annotations
    message["refusal"] = choice.refusal or None
    for part in choice.parts:
        _add_part(message, part)
    native = (
        {"native_finish_reason": choice.raw_finish_reason} if choice.raw_finish_reason not in {None, finish} else {}
    )
    return Choices(
        finish_reason=finish,
        index=choice.index,
        message=Message(**message),
        provider_specific_fields=native,
        logprobs=merge_logprobs(choice.logprobs) if choice.logprobs else None,
    )


def make_call(call: ToolCall) -> ChatCompletionMessageToolCall:
    """A tool call; what the vendor wants back with it stands beside its fields."""
    more = call.extra or {}
    if call.custom:
        more = {**more, "custom": {"name": call.name, "input": call.arguments}}
    return ChatCompletionMessageToolCall(
        function=Function(call.arguments, call.name), id=call.id, type="custom" if call.custom else "function", **more
    )


def read_details(choice: Choice) -> dict[str, Any]:
    """Reasoning in the vendor's own form, where the next request's messages will be looked through for it."""
    details = choice.reasoning_details
    if not details:
        return {}
    found: dict[str, Any] = {"provider_specific_fields": {"reasoning_details": details, "source": choice.source}}
    blocks = [block for block in details if block.get("type") in {"thinking", "redacted_thinking"}]
    if blocks:
        found["thinking_blocks"] = blocks
    return found


def merge_logprobs(pieces: list[Any]) -> Any:
    """The log-probabilities of all tokens as one object: a stream brings them piece by piece."""
    if not all(isinstance(piece, dict) and isinstance(piece.get("content"), list) for piece in pieces):
        return pieces[0] if len(pieces) == 1 else pieces
    return {**pieces[0], "content": [token for piece in pieces for token in piece["content"]]}


def _add_part(message: dict[str, Any], part: Any) -> None:
    """An image or a recording of the answer."""
    if isinstance(part, dict) and "image_url" in part:
        message.setdefault("images", []).append({"index": len(message.get("images", ())), "type": "image_url", **part})
    elif isinstance(part, dict) and "data" in part:
        message["audio"] = part
    else:
        message.setdefault("parts", []).append(part)
