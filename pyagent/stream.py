"""Stream: an answer that is read while it is made."""

from __future__ import annotations

from _thread import allocate_lock

from ._callbacks import Callbacks
from ._stream_state import CANCELLED, OPEN, SecondReader, StreamState
from .errors import PyAgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from . import events
    from ._accumulation import Updates
    from ._call import Call
    from .processor import StreamProcessor
    from .response import Response
    from .snapshot import Snapshot

__all__ = ["Stream"]


class Stream(StreamState, Callbacks):
    """The text of an answer, piece by piece, as the model writes it.

    Iterating gives the text of the first choice, `events()` everything that happens, `snapshots()` the answer as far as
    it has come; `on_text(function)` and its like call functions. Leaving a `for` loop early, `close()`, `with` and
    dropping the object all close the connection at once. After `close()` or `cancel()`, reading on raises
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

        Each run of text and of reasoning is followed by its done event, at the latest right before the finish; an error
        is an ErrorEvent first and is then raised. Events of the whole request are given only if this is how the stream
        is read from its beginning: what was read as text before is not repeated.

        Returns:
            An iterator of the classes in `pyagent.events`; leaving its loop early closes the stream.
        """
        return _read(self, True)

    def snapshots(self, *, every: float | None = None) -> Iterator[Snapshot]:
        """The answer as far as it has come, again and again while it grows.

        There is one snapshot for what arrives together, and a last one that is `complete`; if the answer fails, one
        with its `error`, which is then raised.

        Args:
            every: At most one snapshot in so many seconds, for what redraws. The last state is given at once all the
                same, and a change is not kept back for longer than this, also if nothing follows it.

        Returns:
            An iterator of `Snapshot`; leaving its loop early closes the stream.

        Raises:
            ConfigurationError: `every` is not a number above 0.
        """
        return _read_snapshots(self, self._updates(every))

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
        while self._fetch(self._read_up(), False):
            pass
        return self._assembly.response

    def _processor(self) -> StreamProcessor:
        from .processor import StreamProcessor

        return StreamProcessor(self)

    def _fetch(self, seen: Iterator[Any], as_events: bool, until: float | None = None) -> bool:
        """Waits for the next batch after `seen` has been read. False means that the stream was read to its end.

        When the moment `until` of time.monotonic() comes first, there is no next batch.

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
                data = self._call.receive(until=until)
                if data is None:
                    self._stop()
                elif not data:
                    break
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
    except GeneratorExit:  # the loop was left; at the end of the process the names of this file may be gone by then
        stream._close()
        raise
    except SecondReader:
        raise
    except BaseException:
        stream._close()
        raise


def _read_snapshots(stream: Stream, updates: Updates) -> Iterator[Snapshot]:
    try:
        more = True
        while more:
            pending = stream._read_up()
            snapshot = updates.take() if stream._state != CANCELLED else None
            if snapshot is not None:
                yield snapshot
            more = stream._fetch(pending, False, updates.due)
    except SecondReader:
        raise
    except BaseException:
        stream._close()
        raise
