"""Stream: an answer that is read while it is made."""

from __future__ import annotations

from _thread import allocate_lock
from operator import length_hint

from . import _frames, events
from ._assembly import Assembly
from ._kinds import make_error
from ._make_events import make_events
from .errors import PyAgentError, StreamCancelledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._call import Call
    from .response import Response

__all__ = ["Stream"]

_OPEN, _FINISHED, _FAILED, _CANCELLED = "open", "finished", "failed", "cancelled"


class Stream:
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

    __slots__ = ("_call", "_assembly", "_state", "_batch", "_pending", "_reading", "_numbers", "__weakref__")

    def __init__(self, call: Call, *, numbers: bool = True) -> None:
        self._call = call
        self._assembly = Assembly()
        self._state = _OPEN
        # What has been fetched and not been read. The iterator is shared by every reader of this stream; its items are
        # strings, or events while events() is reading.
        self._batch: list[Any] = []
        self._pending: Iterator[Any] = iter(self._batch)
        self._reading = allocate_lock()
        self._numbers = numbers

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
        self._stop()
        self._call.close()

    def cancel(self) -> None:
        """Ends the stream from another thread: the connection closes at once, and a reader that waits is woken."""
        self._stop()
        self._call.cancel()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def text(self) -> str:
        """The text that has been received so far."""
        return self._assembly.text

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

    @property
    def prompt_tokens(self) -> int | None:
        """Tokens of the prompt; None until known, and for stream_text without include_usage."""
        return self._assembly.usage.prompt_tokens if self._numbers else None

    @property
    def completion_tokens(self) -> int | None:
        """Tokens of the answer; None until known, and for stream_text without include_usage."""
        return self._assembly.usage.completion_tokens if self._numbers else None

    @property
    def total_tokens(self) -> int | None:
        """Tokens of both together; None until known, and for stream_text without include_usage."""
        return self._assembly.usage.total_tokens if self._numbers else None

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended; None until known, and for stream_text without include_usage."""
        finished = self._assembly.ended == _frames.FINISH
        return self._assembly.response.finish_reason if self._numbers and finished else None

    @property
    def model(self) -> str | None:
        """The model that answers, as the vendor says; None until known, and for stream_text without include_usage."""
        if not self._numbers:
            return None
        assembly = self._assembly
        return assembly.response.model if assembly.ended == _frames.FINISH else assembly.start.get("model")

    def __repr__(self) -> str:
        return f"<Stream {self._state}, {len(self.text)} characters received>"

    def _waiting(self, as_events: bool) -> Iterator[Any]:
        """What has been fetched and not been read, in the wanted form."""
        batch = self._batch
        if batch and isinstance(batch[0], str) is as_events:
            rest = list(self._pending)
            if as_events:
                self._set_batch([events.TextDelta(piece) for piece in rest])
            else:
                self._set_batch([event.text for event in rest if _is_text(event)])
        return self._pending

    def _fetch(self, seen: Iterator[Any], as_events: bool) -> bool:
        """Waits for the next batch after `seen` has been read. False means that the stream was read to its end.

        Raises:
            PyAgentError: The call failed, or the stream was closed.
            RuntimeError: Another thread is reading.
        """
        if not self._reading.acquire(False):
            raise _SecondReader("Another thread is reading this stream; one stream has one reader at a time.")
        try:
            while self._pending is seen:  # otherwise another reader has fetched in the meantime
                if self._state != _OPEN:
                    return self._ended()
                data = self._call.receive()
                if data is None:
                    self._stop()
                elif self._state == _OPEN:
                    self._take_in(data, as_events)
            return True
        except PyAgentError:
            raise
        except BaseException:  # Ctrl-C may have struck between receiving text and keeping it: the rest has a gap
            self.close()
            raise
        finally:
            self._reading.release()

    def _take_in(self, data: bytes, as_events: bool) -> None:
        assembly = self._assembly
        batch: list[Any]
        if as_events:
            batch = [event for frame in assembly.add_and_parse(data) for event in make_events(*frame)]
        else:
            batch = assembly.add(data)
        if assembly.ended:
            self._state = _FINISHED if assembly.ended == _frames.FINISH else _FAILED
            self._call.close()
        self._set_batch(batch)

    def _set_batch(self, batch: list[Any]) -> None:
        self._batch = batch
        self._pending = iter(batch)
        if self._state == _CANCELLED:  # closed by another thread just now: it may have cleared the batch before
            batch.clear()

    def _ended(self) -> bool:
        self._call.close()
        if self._state == _FINISHED:
            return False
        raise self._error()

    def _error(self) -> PyAgentError:
        # Made anew each time: an exception that the stream kept would hold the frames that it went through, and those
        # the stream.
        if self._state == _FAILED:
            return make_error(self._assembly.failure, self.text)
        return StreamCancelledError(
            "The stream was closed before its end; partial_text has what had arrived.", partial_text=self.text
        )

    def _stop(self) -> None:
        """Marks the stream as cut, unless it has been read to its end or has failed."""
        if self._state == _OPEN or (self._state == _FINISHED and length_hint(self._pending)):
            self._state = _CANCELLED
        self._batch.clear()


class _SecondReader(RuntimeError):
    """Told apart from other errors because the reader that is refused must not close the other one's stream."""


def _read(stream: Stream, as_events: bool) -> Iterator[Any]:
    """Reads to the end. When the loop around it is left in whatever way, so is this function: the connection closes."""
    try:
        more = True
        while more:
            pending = stream._waiting(as_events)
            yield from pending
            more = stream._fetch(pending, as_events)
    except _SecondReader:
        raise
    except BaseException:
        stream.close()
        raise


def _is_text(event: events.Event) -> bool:
    return isinstance(event, events.TextDelta) and event.index == 0
