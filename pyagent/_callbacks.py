"""Functions that are called while a stream is read: how Stream and StreamProcessor are told of them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from .errors import PyAgentError
    from .events import Event
    from .processor import StreamProcessor
    from .response import Response, ToolCall, Usage
    from .snapshot import Snapshot

    class Writable(Protocol):
        """What `print` can print to."""

        def write(self, text: str, /) -> object: ...
        def flush(self) -> object: ...


class Callbacks:
    """Each method gives a StreamProcessor that can be told more and then be run: nothing is read before that."""

    __slots__ = ()

    def _processor(self) -> StreamProcessor:
        raise NotImplementedError

    def on_text(self, function: Callable[[str], object]) -> StreamProcessor:
        """Calls `function(piece)` with each piece of the answer's text, that of the first choice."""
        return self._processor()._add("on_text", function)

    def on_text_with_full(self, function: Callable[[str, str], object]) -> StreamProcessor:
        """Calls `function(new, full)` with the new text and all text so far, once for what arrived together."""
        return self._processor()._add("on_text_with_full", function)

    def on_reasoning(self, function: Callable[[str], object]) -> StreamProcessor:
        """Calls `function(piece)` with each piece of the model's visible thinking, that of the first choice."""
        return self._processor()._add("on_reasoning", function)

    def on_tool_call(self, function: Callable[[ToolCall], object]) -> StreamProcessor:
        """Calls `function(tool_call)` with each `ToolCall` of the first choice once its arguments are complete."""
        return self._processor()._add("on_tool_call", function)

    def on_usage(self, function: Callable[[Usage], object]) -> StreamProcessor:
        """Calls `function(usage)` with the token counts whenever they are news; the last ones are the answer's."""
        return self._processor()._add("on_usage", function)

    def on_error(self, function: Callable[[PyAgentError], object]) -> StreamProcessor:
        """Calls `function(error)` with what `run()` is about to raise because reading failed."""
        return self._processor()._add("on_error", function)

    def on_finish(self, function: Callable[[Response], object]) -> StreamProcessor:
        """Calls `function(response)` with the complete answer, behind all other functions."""
        return self._processor()._add("on_finish", function)

    def on_event(self, function: Callable[[Event], object]) -> StreamProcessor:
        """Calls `function(event)` with each event that `events()` would give."""
        return self._processor()._add("on_event", function)

    def on_update(self, function: Callable[[Snapshot], object], *, every: float | None = None) -> StreamProcessor:
        """Calls `function(snapshot)` with the answer so far, when `snapshots(every=every)` would give it.

        Raises:
            ConfigurationError: `every` is not a number above 0.
        """
        return self._processor()._add_update(function, every)

    def collect(self) -> Response:
        """Reads to the end, calls the functions on the way, and returns the complete answer, as `run()` does."""
        return self._processor().run()

    def print(self, *, end: str = "\n", file: Writable | None = None, flush: bool = True) -> Response:
        """Prints the text as it comes, and `end` behind it; then as `collect()`.

        Args:
            end: What follows a whole answer; nothing follows one that fails.
            file: Where to; standard output unless given.
            flush: Whether each piece is to be seen at once.
        """

        def show(piece: str) -> None:
            print(piece, end="", file=file, flush=flush)

        response = self.on_text(show).run()
        print(end=end, file=file, flush=flush)
        return response
