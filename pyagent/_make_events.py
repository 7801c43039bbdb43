"""From what polls deliver to the typed events that `Stream.events()` gives."""

from __future__ import annotations

from . import _frames, events
from ._kinds import make_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._assembly import Assembly


class EventMaker:
    """Makes the events of one call, in order, and remembers which runs of deltas have not been ended.

    A run is looked at once for each frame and not for each delta: a burst of deltas costs no more than without it. Its
    text is joined from what the assembly keeps anyway.
    """

    __slots__ = ("_assembly", "_current", "_told")

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._current: dict[int, int] = {}  # what each choice is saying
        self._told: dict[tuple[int, int], int] = {}  # how many pieces of each text have had their done event

    def make(self, data: bytes) -> list[events.Event]:
        """Takes in what one poll delivered. A kind of frame without an event gives none."""
        made: list[events.Event] = []
        for kind, index, value in self._assembly.add_and_parse(data):
            if kind in _DELTAS:
                if kind != _frames.TOOL_ARGS and self._current.get(index) != kind:
                    made += self._go_on_to(kind, index)
            elif kind == _frames.TOOL_BEGIN:
                made += self._go_on_to(kind, value.get("choice", 0))
            elif kind == _frames.FINISH:
                for choice in self._assembly.choices():
                    made += self._go_on_to(kind, choice)
            made += events_of(kind, index, value)
        return made

    def _go_on_to(self, kind: int, choice: int) -> list[events.Event]:
        """Ends the runs of a choice of any other kind than the one that comes now."""
        self._current[choice] = kind
        ended: list[events.Event] = []
        for other, make in _DONE.items():
            pieces = self._assembly.pieces(other, choice)
            told = self._told.get((other, choice), 0)
            if other != kind and len(pieces) > told:
                self._told[other, choice] = len(pieces)
                ended.append(make("".join(pieces[told:]), choice))
        return ended


def events_of(kind: int, index: int, value: Any) -> list[events.Event]:
    """The events of one frame alone, whose value the Assembly has parsed. A kind without an event gives none."""
    delta = _DELTAS.get(kind)
    if delta is not None:
        return [delta(piece, index) for piece in value]
    single = _SINGLE.get(kind)
    return [] if single is None else [single(value, index)]


_DELTAS: dict[int, Callable[[str, int], events.Event]] = {
    _frames.TEXT: events.TextDelta,
    _frames.REASONING: events.ReasoningDelta,
    _frames.REFUSAL: events.RefusalDelta,
    _frames.TOOL_ARGS: lambda piece, index: events.ToolCallDelta(index, piece),
}
_DONE: dict[int, Callable[[str, int], events.Event]] = {
    _frames.REASONING: events.ReasoningDone,
    _frames.TEXT: events.TextDone,
    _frames.REFUSAL: events.RefusalDone,
}
_SINGLE: dict[int, Callable[[Any, int], events.Event]] = {
    _frames.START: lambda value, _: events.StartEvent(**value),
    _frames.TOOL_BEGIN: lambda value, index: events.ToolCallStart(
        index, value["id"], value["name"], value.get("custom", False), value.get("choice", 0)
    ),
    _frames.TOOL_END: lambda value, index: events.ToolCallEnd(index, *value),
    _frames.USAGE: lambda value, _: events.UsageEvent(value),
    _frames.LOGPROBS: events.LogprobsEvent,
    _frames.ANNOTATION: events.AnnotationEvent,
    _frames.PART: events.PartEvent,
    _frames.DETAIL: events.ReasoningDetail,
    _frames.RETRY: lambda value, _: events.RetryEvent(
        value["attempt"], value["wait"], make_error(value["error"]), value.get("key_changed", False)
    ),
    _frames.RAW: lambda value, _: events.RawEvent(value),
    _frames.FINISH: lambda value, _: events.FinishEvent(
        value.finish_reason, value.raw_finish_reason, value.usage, value.model
    ),
    _frames.ERROR: lambda value, _: events.ErrorEvent(value),
}
