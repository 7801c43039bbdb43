"""Functions that are called while a stream is read: how AsyncStream and AsyncStreamProcessor are told of them.

Written by tools/twins.py from _callbacks.py: change that file, then run `make fmt`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from .async_processor import AsyncStreamProcessor
    from .errors import PyAgentError
    from .events import Event
    from .response import Response, ToolCall, Usage
    from .snapshot import Snapshot

    class Writable(Protocol):
        """What `print` can print to."""

        def write(self, text: str, /) -> object: ...
        def flush(self) -> object: ...


class AsyncCallbacks:
    """Each method gives an AsyncStreamProcessor that can be told more and then be run: nothing is read before that."""

    __slots__ = ()

    def _processor(self) -> AsyncStreamProcessor:
        raise NotImplementedError

    def on_text(self, function: Callable[[str], object]) -> AsyncStreamProcessor:
        """Calls `function(piece)` with each piece of the answer's text, that of the first choice."""
        return self._processor()._add("on_text", function)

    def on_text_with_full(self, function: Callable[[str, str], object]) -> AsyncStreamProcessor:
        """Calls `function(new, full)` with the new text and all text so far, once for what arrived together."""
        return self._processor()._add("on_text_with_full", function)

    def on_reasoning(self, function: Callable[[str], object]) -> AsyncStreamProcessor:
        """Calls `function(piece)` with each piece of the model's visible thinking, that of the first choice."""
        return self._processor()._add("on_reasoning", function)

    def on_tool_call(self, function: Callable[[ToolCall], object]) -> AsyncStreamProcessor:
        """Calls `function(tool_call)` with each `ToolCall` of the first choice once its arguments are complete."""
        return self._processor()._add("on_tool_call", function)

    def on_usage(self, function: Callable[[Usage], object]) -> AsyncStreamProcessor:
        """Calls `function(usage)` with the token counts whenever they are news; the last ones are the answer's."""
        return self._processor()._add("on_usage", function)

    def on_error(self, function: Callable[[PyAgentError], object]) -> AsyncStreamProcessor:
        """Calls `function(error)` with what `run()` is about to raise because reading failed."""
        return self._processor()._add("on_error", function)

    def on_finish(self, function: Callable[[Response], object]) -> AsyncStreamProcessor:
        """Calls `function(response)` with the complete answer, behind all other functions."""
        return self._processor()._add("on_finish", function)

    def on_event(self, function: Callable[[Event], object]) -> AsyncStreamProcessor:
        """Calls `function(event)` with each event that `events()` would give."""
        return self._processor()._add("on_event", function)

    def on_update(self, function: Callable[[Snapshot], object], *, every: float | None = None) -> AsyncStreamProcessor:
        """Calls `function(snapshot)` with the answer so far, when `snapshots(every=every)` would give it.

        Raises:
            ConfigurationError: `every` is not a number above 0.
        """
        return self._processor()._add_update(function, every)

    async def collect(self) -> Response:
        """Reads to the end, calls the functions on the way, and returns the complete answer, as `run()` does."""
        return await self._processor().run()

    async def print(self, *, end: str = "\n", file: Writable | None = None, flush: bool = True) -> Response:
        """Prints the text as it comes, and `end` behind it; then as `collect()`.

        Args:
            end: What follows a whole answer; nothing follows one that fails.
            file: Where to; standard output unless given.
            flush: Whether each piece is to be seen at once.
        """

        def show(piece: str) -> None:
            print(piece, end="", file=file, flush=flush)

        response = await self.on_text(show).run()
        print(end=end, file=file, flush=flush)
        return response
