"""Assembly: puts the frames of one call together until they are a Response. Streams and one-shot calls share it."""

from __future__ import annotations

import json

from . import _frames
from .response import Choice, Response, ToolCall, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CHOICE_DATA = {
    _frames.LOGPROBS: "logprobs",
    _frames.ANNOTATION: "annotations",
    _frames.PART: "parts",
    _frames.DETAIL: "reasoning_details",
}


class Assembly:
    """What has been received of one answer so far. It only grows, and text is joined when it is asked for."""

    __slots__ = (
        "_deltas",
        "_first_text",
        "_tools",
        "_data",
        "_raw",
        "_finish",
        "start",
        "usage",
        "response",
        "failure",
    )

    def __init__(self) -> None:
        self._first_text: list[str] = []
        self._deltas: dict[tuple[int, int], list[str]] = {(_frames.TEXT, 0): self._first_text}
        self._tools: dict[int, dict[str, Any]] = {}
        self._data: dict[tuple[int, int], list[Any]] = {}
        self._raw: list[Any] = []
        self._finish: dict[str, Any] = {}
        self.start: dict[str, Any] = {}
        self.usage = Usage()
        self.response: Response | None = None  # once FINISH has arrived
        self.failure: dict[str, Any] | None = None  # once ERROR has arrived

    @property
    def text(self) -> str:
        """The text of the first choice so far."""
        return "".join(self._first_text)

    def add(self, kind: int, flags: int, index: int, payload: bytes) -> Any:
        """Takes one frame in. Returns its value: a list of pieces for deltas, otherwise what `make_events` needs."""
        if kind < _frames.FIRST_JSON:
            return self._add_deltas(kind, flags, index, payload)
        if kind in _CHOICE_DATA:
            value = json.loads(payload)
            self._data.setdefault((kind, index), []).append(value)
            return value
        handler = _HANDLERS.get(kind)
        return handler(self, index, json.loads(payload)) if handler is not None else None

    def _add_deltas(self, kind: int, flags: int, index: int, payload: bytes) -> list[str]:
        if kind > _frames.TOOL_ARGS:
            return []
        pieces = _frames.deltas(flags, payload)
        store = self._deltas.get((kind, index))
        if store is None:
            store = self._deltas[kind, index] = []
        store.append(pieces[0] if len(pieces) == 1 else "".join(pieces))
        return pieces

    def _add_start(self, index: int, value: dict[str, Any]) -> dict[str, Any]:
        self.start = value
        return value

    def _add_tool(self, index: int, value: dict[str, Any]) -> dict[str, Any]:
        self._tools[index] = value
        return value

    def _end_tool(self, index: int, value: dict[str, Any]) -> ToolCall:
        return self._tool_call(index)

    def _add_usage(self, index: int, value: dict[str, Any]) -> Usage:
        self.usage = Usage(**value)
        return self.usage

    def _add_raw(self, index: int, value: Any) -> Any:
        self._raw.append(value)
        return value

    def _pass(self, index: int, value: Any) -> Any:
        return value

    def _add_finish(self, index: int, value: dict[str, Any]) -> Response:
        self._finish = value
        if "usage" in value:
            self.usage = Usage(**value["usage"])
        self.response = self._build()
        return self.response

    def _add_error(self, index: int, value: dict[str, Any]) -> None:
        self.failure = value

    def _tool_call(self, index: int) -> ToolCall:
        begin = self._tools[index]
        arguments = "".join(self._deltas.get((_frames.TOOL_ARGS, index), ()))
        return ToolCall(
            begin["id"], begin["name"], arguments, custom=begin.get("custom", False), extra=begin.get("extra")
        )

    def _build(self) -> Response:
        known = {**self.start, **self._finish}
        return Response(
            self._choices(),
            usage=self.usage,
            model=known.get("model"),
            id=known.get("id"),
            provider=known.get("provider"),
            request_id=known.get("request_id"),
            created=known.get("created"),
            system_fingerprint=known.get("system_fingerprint"),
            service_tier=known.get("service_tier"),
            headers=known.get("headers"),
            warnings=known.get("warnings"),
            attempts=known.get("attempts", 1),
            raw=self._raw[0] if len(self._raw) == 1 else self._raw or None,
        )

    def _choices(self) -> list[Choice]:
        ends = {end["index"]: end for end in self._finish.get("choices", ())}
        indexes = {0, *ends}
        indexes.update(index for kind, index in self._deltas if kind != _frames.TOOL_ARGS)
        indexes.update(tool.get("choice", 0) for tool in self._tools.values())
        return [self._choice(index, ends.get(index, self._finish if index == 0 else {})) for index in sorted(indexes)]

    def _choice(self, index: int, end: dict[str, Any]) -> Choice:
        def joined(kind: int) -> str:
            return "".join(self._deltas.get((kind, index), ()))

        return Choice(
            index,
            text=joined(_frames.TEXT),
            reasoning=joined(_frames.REASONING),
            refusal=joined(_frames.REFUSAL),
            tool_calls=[self._tool_call(i) for i in sorted(self._tools) if self._tools[i].get("choice", 0) == index],
            finish_reason=end.get("finish_reason"),
            raw_finish_reason=end.get("raw_finish_reason"),
            **{name: self._data.get((kind, index)) for kind, name in _CHOICE_DATA.items()},
        )


_HANDLERS = {
    _frames.START: Assembly._add_start,
    _frames.TOOL_BEGIN: Assembly._add_tool,
    _frames.TOOL_END: Assembly._end_tool,
    _frames.USAGE: Assembly._add_usage,
    _frames.RETRY: Assembly._pass,
    _frames.RAW: Assembly._add_raw,
    _frames.NOTICE: Assembly._pass,
    _frames.FINISH: Assembly._add_finish,
    _frames.ERROR: Assembly._add_error,
}
