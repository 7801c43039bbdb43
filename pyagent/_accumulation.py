"""Accumulation: what the snapshots of one stream are taken from, at a cost that is linear in the answer.

A snapshot is a mark: how many pieces of each text there were. Text is joined when somebody reads it, and then only what
is new since it was last read; the string grows in place, as CPython lets it if nobody holds the one before. Whoever
reads the text of every snapshot of a long answer and drops it has copied every piece once, not once for each
snapshot behind it."""

from __future__ import annotations

from time import monotonic

from . import _frames
from .response import ToolCall, Usage
from .snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._assembly import Assembly

    # How many pieces of text, reasoning and refusal there are; of each tool call's arguments; the latest frames about
    # the start and the usage; and the kind of the terminal frame.
    Mark = tuple[tuple[int, ...], tuple[tuple[int, int], ...], "bytes | None", "bytes | None", int]

_TEXTS = {"text": _frames.TEXT, "reasoning": _frames.REASONING, "refusal": _frames.REFUSAL}
NOTHING: Mark = ((0, 0, 0), (), None, None, 0)


class Growth:
    """The text of a list of pieces that only grows."""

    __slots__ = ("_pieces", "_joined")

    def __init__(self, pieces: list[str]) -> None:
        self._pieces = pieces
        self._joined: tuple[int, str] | None = (0, "")  # None while somebody, perhaps another thread, adds to it

    def text(self, count: int) -> str:
        """The text of the first `count` pieces."""
        joined, self._joined = self._joined, None
        if joined is None:
            return "".join(self._pieces[:count])
        merged, text = joined
        if count < merged:
            self._joined = joined
            return "".join(self._pieces[:count])
        del joined  # the string has one owner now, so adding to it need not copy it
        if count > merged:
            text += "".join(self._pieces[merged:count])
        self._joined = count, text
        return text


class Accumulation:
    """One stream's answer while it comes, for any number of snapshots."""

    __slots__ = ("_assembly", "_growths", "_start")

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._growths: dict[tuple[int, int], Growth] = {}
        self._start: tuple[bytes | None, dict[str, Any]] = (None, {})

    def mark(self) -> Mark:
        """What is there. Two marks are equal if nothing has come between them that a snapshot shows."""
        assembly = self._assembly
        ended = assembly.ended  # first: what belongs to the end has come before it
        return (
            tuple(len(assembly.pieces(kind, 0)) for kind in _TEXTS.values()),
            tuple((index, len(assembly.pieces(_frames.TOOL_ARGS, index))) for index in assembly.tools()),
            assembly.latest(_frames.START),
            assembly.latest(_frames.USAGE),
            ended,
        )

    def take(self) -> Snapshot:
        """The answer as it is now."""
        return Snapshot._of(self, self.mark())

    def text(self, kind: int, index: int, count: int) -> str:
        """The first `count` pieces of a text."""
        if count == 0:
            return ""
        growth = self._growths.get((kind, index))
        if growth is None:
            growth = self._growths[kind, index] = Growth(self._assembly.pieces(kind, index))
        return growth.text(count)

    def field(self, name: str, mark: Mark) -> Any:
        """What a field of a snapshot is."""
        texts, tools, start, usage, ended = mark
        if name in _TEXTS:
            return self.text(_TEXTS[name], 0, texts[list(_TEXTS).index(name)])
        if name == "tool_calls":
            return self._tool_calls(tools)
        if name == "complete":
            return ended == _frames.FINISH
        if name == "error":
            return self._assembly.error if ended == _frames.ERROR else None
        if ended == _frames.FINISH:
            return getattr(self._assembly.response, name)
        return _usage(usage) if name == "usage" else self._started(start).get(name)

    def _started(self, payload: bytes | None) -> dict[str, Any]:
        """What the vendor said at first, parsed once for all snapshots."""
        known, value = self._start
        if payload is not known:
            value = _frames.parse(payload) if payload else {}
            self._start = payload, value
        return value

    def _tool_calls(self, counts: tuple[tuple[int, int], ...]) -> list[ToolCall]:
        calls = []
        for index, count in sorted(counts):
            begin = self._assembly.tool(index)
            if begin.get("choice", 0) == 0:
                arguments = self.text(_frames.TOOL_ARGS, index, count)
                custom, extra = begin.get("custom", False), begin.get("extra")
                calls.append(ToolCall(begin["id"], begin["name"], arguments, custom=custom, extra=extra))
        return calls


def _usage(payload: bytes | None) -> Usage:
    return Usage(**(_frames.parse(payload) if payload else {}))


class Updates:
    """Says when somebody who wants to see the answer grow is shown it: at every change, or at most one in `every`
    seconds. Either way the last state is shown, and at once.

    Attributes:
        due: The moment of time.monotonic() at which a change that has come is to be shown; None if there is none.
    """

    __slots__ = ("due", "_accumulation", "_every", "_clock", "_shown", "_next")

    def __init__(self, accumulation: Accumulation, every: float | None, clock: Callable[[], float] = monotonic) -> None:
        self.due: float | None = None
        self._accumulation = accumulation
        self._every = every
        self._clock = clock
        self._shown = NOTHING
        self._next = 0.0

    def take(self) -> Snapshot | None:
        """What is to be shown now, if anything is."""
        self.due = None
        mark = self._accumulation.mark()
        if mark == self._shown:
            return None
        if self._every is not None:
            now = self._clock()
            if now < self._next and not mark[-1]:
                self.due = self._next
                return None
            self._next = now + self._every
        self._shown = mark
        return Snapshot._of(self._accumulation, mark)
