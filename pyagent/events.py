"""The typed events of `Stream.events()`: everything that happens between a request and the end of its answer."""

from __future__ import annotations

from ._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from .errors import PyAgentError
    from .response import ToolCall, Usage


__all__ = [
    "Event",
    "TextDelta",
    "ReasoningDelta",
    "RefusalDelta",
    "ToolCallStart",
    "ToolCallDelta",
    "ToolCallEnd",
    "StartEvent",
    "UsageEvent",
    "LogprobsEvent",
    "AnnotationEvent",
    "PartEvent",
    "ReasoningDetail",
    "RawEvent",
    "RetryEvent",
    "FinishEvent",
]


class Event(Value):
    """The base of all events. `type` names the event in one word for programs that log or forward it."""

    __slots__ = ()
    type: ClassVar[str] = "event"

    def to_dict(self) -> dict[str, Any]:
        """The event as a dict that `json.dumps` takes."""
        return {"type": self.type, **self._as_dict()}


class _Delta(Event):
    __slots__ = ("text", "index")

    def __init__(self, text: str, index: int = 0) -> None:
        self.text = text
        self.index = index


class TextDelta(_Delta):
    """A piece of the answer; `index` is the choice."""

    __slots__ = ()
    type = "text"


class ReasoningDelta(_Delta):
    """A piece of the model's visible thinking; `index` is the choice."""

    __slots__ = ()
    type = "reasoning"


class RefusalDelta(_Delta):
    """A piece of the model's refusal; `index` is the choice."""

    __slots__ = ()
    type = "refusal"


class ToolCallStart(Event):
    """The model begins a tool call; `index` is the call's number in the answer, `choice` the answer's."""

    __slots__ = ("index", "id", "name", "custom", "choice")
    type = "tool_call_start"

    def __init__(self, index: int, id: str, name: str, custom: bool = False, choice: int = 0) -> None:
        self.index = index
        self.id = id
        self.name = name
        self.custom = custom
        self.choice = choice


class ToolCallDelta(Event):
    """A piece of a tool call's arguments, which are JSON text."""

    __slots__ = ("index", "arguments")
    type = "tool_call_delta"

    def __init__(self, index: int, arguments: str) -> None:
        self.index = index
        self.arguments = arguments


class ToolCallEnd(Event):
    """A tool call is complete."""

    __slots__ = ("index", "tool_call")
    type = "tool_call_end"

    def __init__(self, index: int, tool_call: ToolCall) -> None:
        self.index = index
        self.tool_call = tool_call


class StartEvent(Event):
    """The vendor has begun to answer."""

    __slots__ = ("id", "model", "provider", "request_id", "headers")
    type = "start"

    def __init__(
        self,
        id: str | None = None,
        model: str | None = None,
        provider: str | None = None,
        request_id: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.id = id
        self.model = model
        self.provider = provider
        self.request_id = request_id
        self.headers = headers or {}


class UsageEvent(Event):
    """Token counts as known so far; a later event replaces an earlier one."""

    __slots__ = ("usage",)
    type = "usage"

    def __init__(self, usage: Usage) -> None:
        self.usage = usage


class _VendorData(Event):
    __slots__ = ("data", "index")

    def __init__(self, data: Any, index: int = 0) -> None:
        self.data = data
        self.index = index


class LogprobsEvent(_VendorData):
    """Log-probabilities of tokens, as the vendor sends them; `index` is the choice."""

    __slots__ = ()
    type = "logprobs"


class AnnotationEvent(_VendorData):
    """A citation or another note on the text, as the vendor sends it; `index` is the choice."""

    __slots__ = ()
    type = "annotation"


class PartEvent(_VendorData):
    """An image or a piece of audio, as the vendor sends it; `index` is the choice."""

    __slots__ = ()
    type = "part"


class ReasoningDetail(_VendorData):
    """Reasoning in the vendor's own form, to be sent back unchanged; `index` is the choice."""

    __slots__ = ()
    type = "reasoning_detail"


class RawEvent(Event):
    """The vendor's own JSON, only with include_raw=True."""

    __slots__ = ("data",)
    type = "raw"

    def __init__(self, data: Any) -> None:
        self.data = data


class RetryEvent(Event):
    """An attempt failed; the next one starts after `wait` seconds. `attempt` counts from 1.

    `key_changed` says that the next one takes another one of the Provider's keys, see `extra_api_keys`.
    """

    __slots__ = ("attempt", "wait", "error", "key_changed")
    type = "retry"

    def __init__(self, attempt: int, wait: float, error: PyAgentError, key_changed: bool = False) -> None:
        self.attempt = attempt
        self.wait = wait
        self.error = error
        self.key_changed = key_changed

    def to_dict(self) -> dict[str, Any]:
        """The event as a dict that `json.dumps` takes; the error as its text."""
        return {
            "type": self.type,
            "attempt": self.attempt,
            "wait": self.wait,
            "error": str(self.error),
            "key_changed": self.key_changed,
        }


class FinishEvent(Event):
    """The answer is complete. This is the last event; `Stream.result` has everything."""

    __slots__ = ("finish_reason", "raw_finish_reason", "usage")
    type = "finish"

    def __init__(self, finish_reason: str | None, raw_finish_reason: str | None, usage: Usage) -> None:
        self.finish_reason = finish_reason
        self.raw_finish_reason = raw_finish_reason
        self.usage = usage
