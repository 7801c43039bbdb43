"""Events: where runs of deltas end, what an error is, and the values that events are."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from pyagent import (
    APITimeoutError,
    Provider,
    StreamCancelledError,
    StreamInterruptedError,
    ToolCall,
    ToolResult,
    Usage,
    events,
)
from pyagent import _frames as frames
from pyagent._assembly import Assembly
from pyagent._make_events import EventMaker

Script = Callable[..., dict[str, Any]]

BEGIN = {"id": "c", "name": "f"}
SAMPLES: list[events.Event] = [
    events.TextDelta("a", 1),
    events.ReasoningDelta("a", 1),
    events.RefusalDelta("a", 1),
    events.TextDone("a", 1),
    events.ReasoningDone("a", 1),
    events.RefusalDone("a", 1),
    events.ToolCallStart(0, "c", "f", True, 1),
    events.ToolCallDelta(0, "{"),
    events.ToolCallEnd(0, ToolCall("c", "f", "{}"), 1),
    events.StartEvent("i", "m", "p", "r", {"a": "b"}, "d"),
    events.UsageEvent(Usage(prompt_tokens=1)),
    events.LogprobsEvent({"a": 1}, 1),
    events.AnnotationEvent({"a": 1}, 1),
    events.PartEvent({"a": 1}, 1),
    events.ReasoningDetail({"a": 1}, 1),
    events.RawEvent({"a": 1}),
    events.RetryEvent(1, 0.5, APITimeoutError("late", clock="idle"), True),
    events.FinishEvent("stop", "STOP", Usage(prompt_tokens=1), "m"),
    events.ErrorEvent(APITimeoutError("late", clock="idle", partial_text="a")),
    events.ToolStarted(ToolCall("c", "f", "{}")),
    events.ToolFinished(ToolResult(ToolCall("c", "f", "{}"), "ok", "a", value="a", seconds=0.5)),
]


def frame(kind: int, value: Any, index: int = 0, flags: int = 0) -> bytes:
    payload = (value if isinstance(value, str) else json.dumps(value)).encode()
    return frames.HEADER.pack(len(payload), kind, flags, index, 7) + payload


def made(*polls: bytes) -> list[events.Event]:
    maker = EventMaker(Assembly())
    return [event for poll in polls for event in maker.make(poll) if not isinstance(event, events.FinishEvent)]


def said(*polls: bytes) -> list[events.Event]:
    return [event for event in made(*polls) if type(event).__name__.endswith("Done")]


def test_there_is_a_sample_of_every_event() -> None:
    assert {type(event).__name__ for event in SAMPLES} == set(events.__all__) - {"Event"}


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.type)
def test_an_event_is_its_fields(event: events.Event) -> None:
    kind = type(event)
    assert kind.__match_args__ == event._fields  # type: ignore[attr-defined]
    again = kind(*[getattr(event, name) for name in event._fields])
    assert again == event == pickle.loads(pickle.dumps(event))
    assert repr(again) == repr(event)
    assert repr(event).startswith(f"{kind.__name__}({event._fields[0]}=")
    plain = json.loads(json.dumps(event.to_dict()))
    assert plain["type"] == kind.type
    assert set(plain) == {"type", *event._fields}
    assert not hasattr(event, "__dict__")


def test_events_about_other_errors_are_others() -> None:
    one = events.ErrorEvent(APITimeoutError("late", clock="idle"))
    assert one != events.ErrorEvent(APITimeoutError("late", clock="total"))
    assert one != events.ErrorEvent(APITimeoutError("later", clock="idle"))
    assert one != events.ErrorEvent(StreamInterruptedError("late"))
    assert one.to_dict() == {"type": "error", "error": "late"}


def test_a_run_ends_where_the_choice_goes_on_to_something_else() -> None:
    assert made(
        frame(frames.REASONING, "r1"),
        frame(frames.REASONING, "r2") + frame(frames.TEXT, "a\0b", flags=frames.MANY),
        frame(frames.TEXT, "c"),
        frame(frames.TOOL_BEGIN, BEGIN) + frame(frames.TOOL_ARGS, "{}") + frame(frames.TOOL_END, {}),
        frame(frames.TEXT, "d"),
        frame(frames.REASONING, "r3"),
        frame(frames.FINISH, {}),
    ) == [
        events.ReasoningDelta("r1"),
        events.ReasoningDelta("r2"),
        events.ReasoningDone("r1r2"),
        events.TextDelta("a"),
        events.TextDelta("b"),
        events.TextDelta("c"),
        events.TextDone("abc"),
        events.ToolCallStart(0, "c", "f"),
        events.ToolCallDelta(0, "{}"),
        events.ToolCallEnd(0, ToolCall("c", "f", "{}")),
        events.TextDelta("d"),
        events.TextDone("d"),
        events.ReasoningDelta("r3"),
        events.ReasoningDone("r3"),
    ]


def test_each_choice_has_runs_of_its_own() -> None:
    texts = [frame(frames.TEXT, "a", 1), frame(frames.TEXT, "x"), frame(frames.TEXT, "b", 1), frame(frames.TEXT, "y")]
    call = frame(frames.TOOL_BEGIN, {**BEGIN, "choice": 1}, 0)
    assert said(*texts, call, frame(frames.TEXT, "z"), frame(frames.REFUSAL, "no", 1), frame(frames.FINISH, {})) == [
        events.TextDone("ab", 1),
        events.TextDone("xyz", 0),
        events.RefusalDone("no", 1),
    ]
    (end,) = [
        event
        for event in made(call, frame(frames.TOOL_END, {}, 0), frame(frames.FINISH, {}))
        if isinstance(event, events.ToolCallEnd)
    ]
    assert end.choice == 1


def test_other_frames_do_not_end_a_run() -> None:
    between = [frame(frames.USAGE, {}), frame(frames.ANNOTATION, {}), frame(frames.DETAIL, {}), frame(frames.RAW, {})]
    assert said(frame(frames.TEXT, "a"), *between, frame(frames.TEXT, "b"), frame(frames.FINISH, {})) == [
        events.TextDone("ab")
    ]


def test_what_an_error_cuts_off_is_not_done() -> None:
    failure = {"kind": "stream_interrupted", "message": "broken"}
    assert made(frame(frames.REASONING, "r"), frame(frames.TEXT, "a"), frame(frames.ERROR, failure)) == [
        events.ReasoningDelta("r"),
        events.ReasoningDone("r"),
        events.TextDelta("a"),
        events.ErrorEvent(StreamInterruptedError("broken", partial_text="a")),
    ]


def test_a_burst_is_looked_at_once() -> None:
    """Runs cost a look for each frame, whatever the number of deltas in it."""
    maker = EventMaker(Assembly())
    looks = 0

    class Counting(dict):  # type: ignore[type-arg]
        def get(self, *arguments: Any) -> Any:
            nonlocal looks
            looks += 1
            return super().get(*arguments)

    maker._current = Counting()
    assert len(maker.make(frame(frames.TEXT, "\0".join("a" * 5000), flags=frames.MANY))) == 5000
    assert looks == 1


@pytest.mark.parametrize("read", [0, 1])
def test_text_that_was_read_before_belongs_to_its_run(provider: Provider, script: Script, read: int) -> None:
    stream = provider.stream("", extra_body=script(pieces=["a", "b", "c"], delay=0.02))
    for _ in range(read):
        next(stream)
    assert [event for event in stream.events() if isinstance(event, events.TextDone)] == [events.TextDone("abc")]


def test_a_failure_is_an_event_and_then_raised(provider: Provider, script: Script) -> None:
    stream = provider.stream("a b c", extra_body=script(after=2, end="cut"))
    seen: list[events.Event] = []

    with pytest.raises(StreamInterruptedError) as caught:
        seen.extend(stream.events())  # keeps what came before it
    assert seen[-1] == events.ErrorEvent(caught.value)
    assert caught.value.partial_text == "a b"
    with pytest.raises(StreamInterruptedError):
        list(stream.events())


def test_closing_is_no_event(provider: Provider, script: Script) -> None:
    stream = provider.stream("a b c", extra_body=script(delay=0.05))
    seen: list[events.Event] = []
    with pytest.raises(StreamCancelledError):
        seen.extend(event for event in stream.events() if not stream.close())  # type: ignore[func-returns-value]
    assert [type(event) for event in seen] == [events.StartEvent]
