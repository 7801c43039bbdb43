"""The typed events of `Stream.events()`: everything that happens between a request and the end of its answer.

The order is: `RetryEvent`s; `StartEvent`; then runs of deltas, each run ended by its done event; last `FinishEvent` or
`ErrorEvent`. A run is what a choice says in one go: its text ends where it goes on to a tool call, its reasoning where
it goes on to text, and whatever is open ends right before `FinishEvent`. The done events of a choice put together are
its whole text. What an error cuts off has no done event.

Fields are for reading: type checkers refuse to assign to them. In a `match` statement they may stand by position, in
the order in which the constructor takes them."""

from __future__ import annotations

from ._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Final

    from .errors import PyAgentError
    from .response import ToolCall, Usage
    from .tools import ToolResult


__all__ = [
    "Event",
    "TextDelta",
    "ReasoningDelta",
    "RefusalDelta",
    "TextDone",
    "ReasoningDone",
    "RefusalDone",
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
    "ErrorEvent",
    "ToolStarted",
    "ToolFinished",
]


class Event(Value):
    """The base of all events. `type` names the event in one word for programs that log or forward it."""

    __slots__ = ()
    type: ClassVar[str] = "event"

    def to_dict(self) -> dict[str, Any]:
        """The event as a dict that `json.dumps` takes; an error as its text."""
        return {"type": self.type, **self._as_dict()}


class _Text(Event):
    __slots__ = ("text", "index")
    __match_args__ = ("text", "index")

    def __init__(self, text: str, index: int = 0) -> None:
        self.text: Final = text
        self.index: Final = index


class TextDelta(_Text):
    """A piece of the answer; `index` is the choice."""

    __slots__ = ()
    type = "text"


class ReasoningDelta(_Text):
    """A piece of the model's visible thinking; `index` is the choice."""

    __slots__ = ()
    type = "reasoning"


class RefusalDelta(_Text):
    """A piece of the model's refusal; `index` is the choice."""

    __slots__ = ()
    type = "refusal"


class TextDone(_Text):
    """A run of text is complete: `text` is all of it, the deltas since the last TextDone; `index` is the choice."""

    __slots__ = ()
    type = "text_done"


class ReasoningDone(_Text):
    """A run of visible thinking is complete: `text` is all of it; `index` is the choice."""

    __slots__ = ()
    type = "reasoning_done"


class RefusalDone(_Text):
    """The model's refusal is complete: `text` is all of it; `index` is the choice."""

    __slots__ = ()
    type = "refusal_done"


class ToolCallStart(Event):
    """The model begins a tool call; `index` is the call's number in the answer, `choice` the answer's."""

    __slots__ = ("index", "id", "name", "custom", "choice")
    __match_args__ = ("index", "id", "name", "custom", "choice")
    type = "tool_call_start"

    def __init__(self, index: int, id: str, name: str, custom: bool = False, choice: int = 0) -> None:
        self.index: Final = index
        self.id: Final = id
        self.name: Final = name
        self.custom: Final = custom
        self.choice: Final = choice


class ToolCallDelta(Event):
    """A piece of a tool call's arguments, which are JSON text."""

    __slots__ = ("index", "arguments")
    __match_args__ = ("index", "arguments")
    type = "tool_call_delta"

    def __init__(self, index: int, arguments: str) -> None:
        self.index: Final = index
        self.arguments: Final = arguments


class ToolCallEnd(Event):
    """A tool call is complete; `index` is the call's number in the answer, `choice` the answer's."""

    __slots__ = ("index", "tool_call", "choice")
    __match_args__ = ("index", "tool_call", "choice")
    type = "tool_call_end"

    def __init__(self, index: int, tool_call: ToolCall, choice: int = 0) -> None:
        self.index: Final = index
        self.tool_call: Final = tool_call
        self.choice: Final = choice


class StartEvent(Event):
    """The vendor has begun to answer; `deployment` is which one of a `Router`."""

    __slots__ = ("id", "model", "provider", "request_id", "headers", "deployment")
    __match_args__ = ("id", "model", "provider", "request_id", "headers", "deployment")
    type = "start"

    def __init__(
        self,
        id: str | None = None,
        model: str | None = None,
        provider: str | None = None,
        request_id: str | None = None,
        headers: dict[str, str] | None = None,
        deployment: str | None = None,
    ) -> None:
        self.id: Final = id
        self.model: Final = model
        self.provider: Final = provider
        self.request_id: Final = request_id
        self.headers: Final = headers or {}
        self.deployment: Final = deployment


class UsageEvent(Event):
    """Token counts as known so far; a later event replaces an earlier one."""

    __slots__ = ("usage",)
    __match_args__ = ("usage",)
    type = "usage"

    def __init__(self, usage: Usage) -> None:
        self.usage: Final = usage


class _VendorData(Event):
    __slots__ = ("data", "index")
    __match_args__ = ("data", "index")

    def __init__(self, data: Any, index: int = 0) -> None:
        self.data: Final = data
        self.index: Final = index


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
    __match_args__ = ("data",)
    type = "raw"

    def __init__(self, data: Any) -> None:
        self.data: Final = data


class RetryEvent(Event):
    """An attempt failed; the next one starts after `wait` seconds. `attempt` counts from 1.

    `key_changed` says that the next one takes another one of the Provider's keys, see `extra_api_keys`.
    """

    __slots__ = ("attempt", "wait", "error", "key_changed")
    __match_args__ = ("attempt", "wait", "error", "key_changed")
    type = "retry"

    def __init__(self, attempt: int, wait: float, error: PyAgentError, key_changed: bool = False) -> None:
        self.attempt: Final = attempt
        self.wait: Final = wait
        self.error: Final = error
        self.key_changed: Final = key_changed


class FinishEvent(Event):
    """The answer is complete. This is the last event; `Stream.result` has everything."""

    __slots__ = ("finish_reason", "raw_finish_reason", "usage", "model")
    __match_args__ = ("finish_reason", "raw_finish_reason", "usage", "model")
    type = "finish"

    def __init__(
        self, finish_reason: str | None, raw_finish_reason: str | None, usage: Usage, model: str | None = None
    ) -> None:
        self.finish_reason: Final = finish_reason
        self.raw_finish_reason: Final = raw_finish_reason
        self.usage: Final = usage
        self.model: Final = model


class ErrorEvent(Event):
    """The answer failed. This is the last event; reading on raises `error`'s like, so that nobody takes the text for
    the whole. A stream that the program itself has closed raises without this event."""

    __slots__ = ("error",)
    __match_args__ = ("error",)
    type = "error"

    def __init__(self, error: PyAgentError) -> None:
        self.error: Final = error


class ToolStarted(Event):
    """A tool is called, in a stream of `stream_tools`."""

    __slots__ = ("call",)
    __match_args__ = ("call",)
    type = "tool_started"

    def __init__(self, call: ToolCall) -> None:
        self.call: Final = call


class ToolFinished(Event):
    """A tool call has its result, in a stream of `stream_tools`. That of a call that is not made says why."""

    __slots__ = ("result",)
    __match_args__ = ("result",)
    type = "tool_finished"

    def __init__(self, result: ToolResult) -> None:
        self.result: Final = result

    def to_dict(self) -> dict[str, Any]:
        """The event as a dict that `json.dumps` takes; of the result what the model is told."""
        return {"type": self.type, "result": self.result.to_dict()}
