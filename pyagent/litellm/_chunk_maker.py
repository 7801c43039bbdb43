"""From the events of a stream to litellm's chunks. Nothing here waits."""

from __future__ import annotations

from pyagent import events

from ._answers import hidden, make_usage
from ._raising import translate_mid_stream
from .chunks import ChatCompletionDeltaToolCall, Delta, ModelResponseStream, StreamingChoices
from .types import Function, FunctionCall, Usage, _new_id, _now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyagent.async_stream import AsyncStream
    from pyagent.errors import PyAgentError
    from pyagent.stream import Stream

    from ._calls import Call
    from .exceptions import LiteLLMEdgeError

_new: Any = object.__new__


class ChunkMaker:
    """What the chunks of one stream have in common, and what each event becomes."""

    __slots__ = ("call", "stream", "id", "created", "model", "hidden", "error")

    def __init__(self, call: Call, stream: Stream | AsyncStream, start: events.StartEvent, attempts: int) -> None:
        self.call = call
        self.stream = stream
        self.id = start.id or _new_id("chatcmpl-")
        self.created = _now()
        self.model = start.model or call.name
        self.hidden = hidden(call, start.headers)
        call.note(self.hidden, attempts)
        self.error: LiteLLMEdgeError | None = None

    def make(self, delta: Delta, index: int = 0) -> ModelResponseStream:
        """A chunk that adds this to the answer."""
        choice = _new(StreamingChoices)
        choice.delta = delta
        if index:
            choice.index = index
        chunk = _new(ModelResponseStream)
        chunk.id = self.id
        chunk.created = self.created
        chunk.model = self.model
        chunk.choices = [choice]
        chunk._hidden_params = self.hidden
        return chunk  # type: ignore[no-any-return]

    def make_first(self) -> ModelResponseStream:
        """The chunk that says who speaks."""
        return self.make(Delta(content="", role="assistant"))

    def make_all(self, event: Any) -> list[ModelResponseStream]:
        """The chunks of an event that is no text: none, one, or at the end two."""
        kind = type(event)
        if kind is events.FinishEvent:
            return self._make_last(event)
        make = _DELTAS.get(kind)
        if make is not None:
            return [self.make(make(self, event), getattr(event, "choice", 0) or _index(event))]
        if kind is events.LogprobsEvent:
            chunk = self.make(_new(Delta), event.index)
            chunk.choices[0].logprobs = event.data
            return [chunk]
        if kind is events.ToolCallEnd and event.tool_call.extra:
            piece = ChatCompletionDeltaToolCall(Function(), index=event.index, **event.tool_call.extra)
            return [self.make(Delta(tool_calls=[piece]))]
        return []

    def _make_last(self, event: Any) -> list[ModelResponseStream]:
        usage = make_usage(event.usage)
        last = self.make(_new(Delta))
        as_function = self.call.as_functions and event.finish_reason == "tool_calls"
        last.choices[0].finish_reason = (
            "function_call" if as_function else _FINISH.get(event.finish_reason, event.finish_reason)
        )
        last._hidden_params = {**self.hidden, "usage": usage}
        return [last, self._make_usage(usage)] if self.call.shows_usage else [last]

    def _make_usage(self, usage: Usage) -> ModelResponseStream:
        chunk = self.make(_new(Delta))
        chunk.choices = []
        chunk.usage = usage
        return chunk

    def fail(self, error: PyAgentError) -> LiteLLMEdgeError:
        """litellm's exception for the stream's error; it is what every later read raises."""
        call = self.call
        self.error = translate_mid_stream(error, call.provider, call.name, call.url, self.stream.text)
        return self.error

    def _begin_call(self, event: Any) -> Delta:
        if self.call.as_functions:
            return Delta(function_call=FunctionCall("", event.name))
        kind = "custom" if event.custom else "function"
        return Delta(tool_calls=[ChatCompletionDeltaToolCall(Function("", event.name), event.index, event.id, kind)])

    def _go_on_with_call(self, event: Any) -> Delta:
        delta: Delta = _new(Delta)
        if self.call.as_functions:
            delta.function_call = FunctionCall(event.arguments)
            return delta
        function = _new(Function)
        function.arguments, function.name = event.arguments, None
        call = _new(ChatCompletionDeltaToolCall)
        call.id, call.function, call.type, call.index = None, function, "function", event.index
        delta.tool_calls = [call]
        return delta


def _index(event: Any) -> int:
    """The choice of an event; of a tool call's, `index` is the call's."""
    return 0 if type(event) in _CALLS else event.index


def _detail(_: ChunkMaker, event: Any) -> Delta:
    delta = Delta(provider_specific_fields={"reasoning_details": [event.data]})
    if event.data.get("type") in {"thinking", "redacted_thinking"}:
        delta.thinking_blocks = [event.data]
    return delta


def _part(_: ChunkMaker, event: Any) -> Delta:
    if isinstance(event.data, dict) and "image_url" in event.data:
        return Delta(images=[{"type": "image_url", **event.data}])
    return Delta(audio=event.data)


_CALLS = (events.ToolCallStart, events.ToolCallDelta)
_FINISH = {"error": "stop", "other": "stop"}
_DELTAS: dict[type, Any] = {
    events.TextDelta: lambda _, event: Delta(event.text),
    events.ReasoningDelta: lambda _, event: Delta(reasoning_content=event.text),
    events.RefusalDelta: lambda _, event: Delta(refusal=event.text),
    events.ToolCallStart: ChunkMaker._begin_call,
    events.ToolCallDelta: ChunkMaker._go_on_with_call,
    events.ReasoningDetail: _detail,
    events.AnnotationEvent: lambda _, event: Delta(annotations=[event.data]),
    events.PartEvent: _part,
}
