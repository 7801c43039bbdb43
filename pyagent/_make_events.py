"""From decoded frames to the typed events that `Stream.events()` gives."""

from __future__ import annotations

from . import _frames, events
from ._kinds import make_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def make_events(kind: int, index: int, value: Any) -> list[events.Event]:
    """The events of one frame, whose value the Assembly has parsed. A kind without an event gives none."""
    make = _DELTAS.get(kind)
    if make is not None:
        return [make(piece, index) for piece in value]
    make = _SINGLE.get(kind)
    return [] if make is None else [make(value, index)]


_DELTAS: dict[int, Callable[[str, int], events.Event]] = {
    _frames.TEXT: events.TextDelta,
    _frames.REASONING: events.ReasoningDelta,
    _frames.REFUSAL: events.RefusalDelta,
    _frames.TOOL_ARGS: lambda piece, index: events.ToolCallDelta(index, piece),
}
_SINGLE: dict[int, Callable[[Any, int], events.Event]] = {
    _frames.START: lambda value, _: events.StartEvent(**value),
    _frames.TOOL_BEGIN: lambda value, index: events.ToolCallStart(
        index, value["id"], value["name"], value.get("custom", False), value.get("choice", 0)
    ),
    _frames.TOOL_END: lambda value, index: events.ToolCallEnd(index, value),
    _frames.USAGE: lambda value, _: events.UsageEvent(value),
    _frames.LOGPROBS: events.LogprobsEvent,
    _frames.ANNOTATION: events.AnnotationEvent,
    _frames.PART: events.PartEvent,
    _frames.DETAIL: events.ReasoningDetail,
    _frames.RETRY: lambda value, _: events.RetryEvent(
        value["attempt"], value["wait"], make_error(value["error"]), value.get("key_changed", False)
    ),
    _frames.RAW: lambda value, _: events.RawEvent(value),
    _frames.FINISH: lambda value, _: events.FinishEvent(value.finish_reason, value.raw_finish_reason, value.usage),
}
