"""Assembly: puts the frames of one call together until they are a Response. Streams and one-shot calls share it."""

from __future__ import annotations

from . import _frames
from ._frames import HEADER_SIZE, unpack
from ._kinds import make_error
from .response import Choice, Response, ToolCall, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .errors import PyAgentError

_CHOICE_DATA = {
    _frames.LOGPROBS: "logprobs",
    _frames.ANNOTATION: "annotations",
    _frames.PART: "parts",
    _frames.DETAIL: "reasoning_details",
}
_LATEST = frozenset({_frames.START, _frames.FINISH, _frames.ERROR})  # the last one counts
_TEXT, _FIRST_JSON = _frames.TEXT, _frames.FIRST_JSON


class Assembly:
    """What has been received of one answer so far. It only grows.

    Text is joined and JSON is parsed when somebody asks: most callers want nothing but the text. What is asked for is
    made of what lies there and changes nothing, so another thread than the reader may ask at any time.
    """

    __slots__ = ("_deltas", "_first_text", "_tools", "_data", "_raw", "_latest", "_response", "ended")

    def __init__(self) -> None:
        self._first_text: list[str] = []
        self._deltas: dict[tuple[int, int], list[str]] = {(_frames.TEXT, 0): self._first_text}
        self._tools: dict[int, bytes] = {}
        self._data: dict[tuple[int, int], list[bytes]] = {}
        self._raw: list[bytes] = []
        self._latest: dict[int, bytes] = {}  # the last frame of every other kind
        self._response: Response | None = None
        self.ended = 0  # the kind of the terminal frame, once there is one

    @property
    def text(self) -> str:
        """The text of the first choice so far."""
        return "".join(self._first_text)

    @property
    def start(self) -> dict[str, Any]:
        """What the vendor said before its answer, {} before that."""
        return self._parse(_frames.START)

    @property
    def usage(self) -> Usage:
        """The token counts as known so far."""
        return Usage(**(self._parse(_frames.FINISH).get("usage") or self._parse(_frames.USAGE)))

    @property
    def cost(self) -> float | None:
        """What the answer cost in US dollars, once that is known."""
        known: float | None = self._parse(_frames.FINISH).get("cost_usd")
        return known

    @property
    def failure(self) -> dict[str, Any]:
        """What went wrong, once `ended` is ERROR."""
        return self._parse(_frames.ERROR)

    @property
    def error(self) -> PyAgentError:
        """The exception for that, made anew each time: one that were kept would hold the frames that it went through.

        It carries the text that had arrived.
        """
        return make_error(self.failure, self.text)

    @property
    def response(self) -> Response:
        """The answer, once `ended` is FINISH."""
        if self._response is None:
            self._response = self._build()
        return self._response

    def pieces(self, kind: int, index: int) -> list[str]:
        """The deltas of a kind that have arrived, in pieces: a list that grows while the answer does."""
        return self._deltas.get((kind, index)) or []

    def latest(self, kind: int) -> bytes | None:
        """The last frame of a kind of which the last one counts; None before there is one."""
        return self._latest.get(kind)

    def tools(self) -> list[int]:
        """The tool calls that have begun."""
        return list(self._tools)

    def tool(self, index: int) -> dict[str, Any]:
        """How a tool call began."""
        begin: dict[str, Any] = _frames.parse(self._tools[index])
        return begin

    def choices(self) -> list[int]:
        """The choices that have said something."""
        return sorted({index for kind, index in self._deltas if kind != _frames.TOOL_ARGS})

    def add(self, data: bytes) -> list[str]:
        """Takes in what one poll delivered. Returns the new text of the first choice, piece by piece."""
        found: list[str] = []
        position, end = 0, len(data)
        while position < end:  # as _frames.split does it, in less time
            size, kind, flags, index = unpack(data, position)
            position += HEADER_SIZE + size
            payload = data[position - size : position]
            if kind == _TEXT and index == 0:
                if flags:
                    found += self._add_to(self._first_text, flags, payload)
                else:  # a piece that comes alone, which is most of what slow streams bring
                    piece = payload.decode()
                    self._first_text.append(piece)
                    found.append(piece)
            elif kind >= _FIRST_JSON:
                self._keep(kind, index, payload)
            else:
                self._add_deltas(kind, flags, index, payload)
        return found

    def add_and_parse(self, data: bytes) -> Iterator[tuple[int, int, Any]]:
        """Takes in what one poll delivered. Gives kind, index and value of every frame: pieces for deltas."""
        for kind, flags, index, payload in _frames.split(data):
            if kind >= _frames.FIRST_JSON:
                self._keep(kind, index, payload)
                yield kind, index, self._value(kind, index, payload)
            else:
                yield kind, index, self._add_deltas(kind, flags, index, payload)

    def _add_deltas(self, kind: int, flags: int, index: int, payload: bytes) -> list[str]:
        if kind > _frames.TOOL_ARGS:
            return []
        store = self._deltas.get((kind, index))
        if store is None:
            store = self._deltas[kind, index] = []
        return self._add_to(store, flags, payload)

    @staticmethod
    def _add_to(store: list[str], flags: int, payload: bytes) -> list[str]:
        pieces = _frames.deltas(flags, payload)
        store.append(pieces[0] if len(pieces) == 1 else "".join(pieces))
        return pieces

    def _keep(self, kind: int, index: int, payload: bytes) -> None:
        if kind in _LATEST:
            self._latest[kind] = payload
            if kind >= _frames.FINISH:
                self.ended = kind
        elif kind in _CHOICE_DATA:
            self._data.setdefault((kind, index), []).append(payload)
        elif kind == _frames.RAW:
            self._raw.append(payload)
        elif kind == _frames.TOOL_BEGIN:
            self._tools[index] = payload
        else:
            self._latest[kind] = payload

    def _value(self, kind: int, index: int, payload: bytes) -> Any:
        if kind == _frames.TOOL_END:
            begin = self.tool(index)
            return self._tool_call(index, begin), begin.get("choice", 0)
        if kind == _frames.USAGE:
            return self.usage
        if kind == _frames.FINISH:
            return self.response
        if kind == _frames.ERROR:
            return self.error
        return _frames.parse(payload) if kind <= _frames.NOTICE else None

    def _parse(self, kind: int) -> dict[str, Any]:
        payload = self._latest.get(kind)
        value: dict[str, Any] = {} if payload is None else _frames.parse(payload)
        return value

    def _build(self) -> Response:
        finish = self._parse(_frames.FINISH)
        known = {**self.start, **finish}
        raw = [_frames.parse(payload) for payload in self._raw]
        return Response(
            self._choices(finish),
            usage=Usage(**(finish.get("usage") or self._parse(_frames.USAGE))),
            cost=finish.get("cost_usd"),
            model=known.get("model"),
            id=known.get("id"),
            provider=known.get("provider"),
            deployment=known.get("deployment"),
            request_id=known.get("request_id"),
            created=known.get("created"),
            system_fingerprint=known.get("system_fingerprint"),
            service_tier=known.get("service_tier"),
            headers=known.get("headers"),
            warnings=known.get("warnings"),
            attempts=known.get("attempts", 1),
            retries=known.get("retries"),
            raw=raw[0] if len(raw) == 1 else raw or None,
        )

    def _choices(self, finish: dict[str, Any]) -> list[Choice]:
        ends = {end["index"]: end for end in finish.get("choices", ())}
        calls: dict[int, list[ToolCall]] = {}
        for index in sorted(self._tools):
            begin = self.tool(index)
            calls.setdefault(begin.get("choice", 0), []).append(self._tool_call(index, begin))
        indexes = {0, *ends, *calls, *self.choices()}
        source = None
        if "provider" in finish and "requested_model" in finish:
            source = {"provider": finish["provider"], "model": finish["requested_model"]}
        return [
            self._choice(index, ends.get(index, finish if index == 0 else {}), calls.get(index), source)
            for index in sorted(indexes)
        ]

    def _tool_call(self, index: int, begin: dict[str, Any]) -> ToolCall:
        arguments = "".join(self._deltas.get((_frames.TOOL_ARGS, index), ()))
        return ToolCall(
            begin["id"], begin["name"], arguments, custom=begin.get("custom", False), extra=begin.get("extra")
        )

    def _choice(
        self, index: int, end: dict[str, Any], calls: list[ToolCall] | None, source: dict[str, str] | None
    ) -> Choice:
        def joined(kind: int) -> str:
            return "".join(self._deltas.get((kind, index), ()))

        data = {name: self._data.get((kind, index), ()) for kind, name in _CHOICE_DATA.items()} if self._data else {}
        return Choice(
            index,
            text=joined(_frames.TEXT),
            reasoning=joined(_frames.REASONING),
            refusal=joined(_frames.REFUSAL),
            tool_calls=calls,
            finish_reason=end.get("finish_reason"),
            raw_finish_reason=end.get("raw_finish_reason"),
            source=source,
            **{name: [_frames.parse(payload) for payload in payloads] for name, payloads in data.items()},
        )
