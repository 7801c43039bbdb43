"""Stream: an answer that is read while it is made."""

from __future__ import annotations

from _thread import allocate_lock

from ._stream_state import OPEN, SecondReader, StreamState
from .errors import PyAgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from . import events
    from ._call import Call
    from .response import Response

__all__ = ["Stream"]


class Stream(StreamState):
    """The text of an answer, piece by piece, as the model writes it.

    Iterating gives the text of the first choice; `events()` gives everything. Leaving a `for` loop early, `close()`,
    `with` and dropping the object all close the connection at once. After `close()` or `cancel()`, reading on raises
    StreamCancelledError: cut text is never taken for the whole. `next(stream)` takes one piece and leaves the stream
    open.

    One thread reads at a time; `close()` and `cancel()` may come from any thread.

    Raises while reading:
        APIConnectionError, APIStatusError and the other classes of `pyagent.errors`, each with the text so far as
        `partial_text`.
    """

    __slots__ = ("_reading",)

    _call: Call

    def __init__(self, call: Call, *, numbers: bool = True) -> None:
        super().__init__(call, numbers=numbers)
        self._reading = allocate_lock()

    def __iter__(self) -> Iterator[str]:
        return _read(self, False)

    def __next__(self) -> str:
        while True:
            pending = self._waiting(False)
            for piece in pending:
                return piece  # type: ignore[no-any-return]
            if not self._fetch(pending, False):
                raise StopIteration

    def events(self) -> Iterator[events.Event]:
        """Everything that happens, as typed events in order: text, reasoning, tool calls, usage, retries, the finish.

        Events of the whole request are given only if this is how the stream is read from its beginning: what was read
        as text before is not repeated.

        Returns:
            An iterator of the classes in `pyagent.events`; leaving its loop early closes the stream.
        """
        return _read(self, True)

    def close(self) -> None:
        """Ends the stream and closes its connection at once. Any thread may call it, any number of times."""
        self._close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def result(self) -> Response:
        """The complete answer. Reads the rest of the stream first.

        Raises:
            StreamCancelledError: The stream was closed before its end.
        """
        pending = self._pending
        for _ in pending:
            pass
        while self._fetch(pending, False):
            pending = self._pending
            for _ in pending:
                pass
        return self._assembly.response

    def _fetch(self, seen: Iterator[Any], as_events: bool) -> bool:
        """Waits for the next batch after `seen` has been read. False means that the stream was read to its end.

        Raises:
            PyAgentError: The call failed, or the stream was closed.
            RuntimeError: Another thread is reading.
        """
        if not self._reading.acquire(False):
            self._call.runtime.check_alive()  # the other one may have stayed behind in a fork
            raise SecondReader("thread")
        try:
            while self._pending is seen:  # otherwise another reader has fetched in the meantime
                if self._state != OPEN:
                    return self._ended()
                data = self._call.receive()
                if data is None:
                    self._stop()
                elif self._state == OPEN:
                    self._take_in(data, as_events)
            return True
        except PyAgentError:
            raise
        except BaseException:  # Ctrl-C may have struck between receiving text and keeping it: the rest has a gap
            self._close()
            raise
        finally:
            self._reading.release()


def _read(stream: Stream, as_events: bool) -> Iterator[Any]:
    """Reads to the end. When the loop around it is left in whatever way, so is this function: the connection closes."""
    try:
        more = True
        while more:
            pending = stream._waiting(as_events)
            yield from pending
            more = stream._fetch(pending, as_events)
    except SecondReader:
        raise
    except BaseException:
        stream._close()
        raise
