"""Played answers: frames that are made here and not in the core, for answers that hooks give and events they change."""

from __future__ import annotations

import json

from . import _frames, events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .response import Choice, Response

# The kinds of frames whose events a hook may change, and how the frame of such an event is made.
_DELTAS: dict[type, int] = {
    events.TextDelta: _frames.TEXT,
    events.ReasoningDelta: _frames.REASONING,
    events.RefusalDelta: _frames.REFUSAL,
    events.ToolCallDelta: _frames.TOOL_ARGS,
}
_DATA: dict[type, int] = {
    events.LogprobsEvent: _frames.LOGPROBS,
    events.AnnotationEvent: _frames.ANNOTATION,
    events.PartEvent: _frames.PART,
    events.ReasoningDetail: _frames.DETAIL,
    events.RawEvent: _frames.RAW,
}
_HEAD = ("id", "model", "provider", "request_id", "headers")
CHANGEABLE = frozenset((*_DELTAS.values(), *_DATA.values()))


class Recording:
    """An answer that was kept: the frames of a stream as they came, and the Response that they were."""

    __slots__ = ("frames", "response")

    def __init__(self, frames: bytes, response: Response) -> None:
        self.frames = frames
        self.response = response


class _Runtime:
    """Stands where a call has its loaded library. There is none that a fork could kill."""

    def check_alive(self) -> None:
        """Is always alive."""


class PlayedCall:
    """Frames that are all there, in the place of a Call or an AsyncCall."""

    __slots__ = ("_data", "_closed")

    runtime = _Runtime()

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._closed = False

    def receive(self, *, until: float | None = None) -> bytes | None:  # there is nothing to wait for
        """All frames, then None."""
        return self.take() or None

    def take(self) -> bytes:
        """All frames, then none."""
        data, self._data = self._data, b""
        return b"" if self._closed else data

    async def arrival(self, seconds: float | None = None) -> None:  # as above
        """There is nothing to wait for."""
        from .errors import StreamCancelledError

        raise StreamCancelledError("The request was closed before its end.")

    def close(self) -> None:
        """Forgets what was not taken."""
        self._closed = True

    cancel = end = close


def frame(kind: int, index: int, payload: bytes, flags: int = 0) -> bytes:
    """One frame."""
    return _frames.HEADER.pack(len(payload), kind, flags, index, 0) + payload


def frame_of(event: Any) -> bytes:
    """The frame of an event that a hook may change."""
    kind = _DELTAS.get(type(event))
    if kind == _frames.TOOL_ARGS:
        return frame(kind, event.index, event.arguments.encode())
    if kind is not None:
        return frame(kind, event.index, event.text.encode())
    return _json_frame(_DATA[type(event)], getattr(event, "index", 0), event.data)


def frames_of(response: Response) -> bytes:
    """A Response as the frames of a stream that gives it."""
    known = response._as_dict()
    del known["choices"]
    known.pop("raw", None)
    if "cost" in known:
        known["cost_usd"] = known.pop("cost")
    made = [_json_frame(_frames.START, 0, {name: known[name] for name in _HEAD if name in known})]
    calls = 0
    for choice in response.choices:
        made += _content(choice, calls)
        calls += len(choice.tool_calls)
    if known["usage"]:
        made.append(_json_frame(_frames.USAGE, 0, known["usage"]))
    known["choices"] = [
        {"index": choice.index, "finish_reason": choice.finish_reason, "raw_finish_reason": choice.raw_finish_reason}
        for choice in response.choices
    ]
    source = response.choices[0].source
    if source:
        known.update(provider=source["provider"], requested_model=source["model"])
    made.append(_json_frame(_frames.FINISH, 0, known))
    return b"".join(made)


def _content(choice: Choice, calls: int) -> list[bytes]:
    texts = (
        (_frames.REASONING, choice.reasoning),
        (_frames.TEXT, choice.text),
        (_frames.REFUSAL, choice.refusal),
    )
    made = [frame(kind, choice.index, text.encode()) for kind, text in texts if text]
    for number, call in enumerate(choice.tool_calls, calls):
        begin = {"id": call.id, "name": call.name, "custom": call.custom, "choice": choice.index, "extra": call.extra}
        made.append(_json_frame(_frames.TOOL_BEGIN, number, begin))
        made.append(frame(_frames.TOOL_ARGS, number, call.arguments.encode()))
        made.append(_json_frame(_frames.TOOL_END, number, {}))
    data = (
        (_frames.LOGPROBS, choice.logprobs),
        (_frames.ANNOTATION, choice.annotations),
        (_frames.PART, choice.parts),
        (_frames.DETAIL, choice.reasoning_details),
    )
    made += [_json_frame(kind, choice.index, item) for kind, items in data for item in items]
    return made


def _json_frame(kind: int, index: int, value: Any) -> bytes:
    return frame(kind, index, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
