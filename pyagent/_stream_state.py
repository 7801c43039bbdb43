"""What a stream knows, whichever way it is read: what has arrived, what has been read, and how it ended."""

from __future__ import annotations

from operator import length_hint

from . import _checks, _frames, events
from ._assembly import Assembly
from ._make_events import EventMaker
from .errors import PyAgentError, StreamCancelledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._accumulation import Accumulation, Updates
    from ._call import Call
    from ._inbox import AsyncCall
    from .snapshot import Snapshot

OPEN, FINISHED, FAILED, CANCELLED = "open", "finished", "failed", "cancelled"


class StreamState:
    """The common part of Stream and AsyncStream. Nothing here waits."""

    __slots__ = (
        "_call", "_assembly", "_accumulation", "_maker", "_state", "_batch", "_pending", "_numbers", "__weakref__",
    )  # fmt: skip

    _call: Call | AsyncCall

    def __init__(self, call: Any, *, numbers: bool) -> None:
        self._call = call
        self._assembly = call.assembly or Assembly()
        self._accumulation: Accumulation | None = None  # both are made for those who read that way
        self._maker: EventMaker | None = None
        self._state = OPEN
        # What has been fetched and not been read. The iterator is shared by every reader of this stream; its items are
        # strings, or events while events() is reading.
        self._batch: list[Any] = []
        self._pending: Iterator[Any] = iter(self._batch)
        self._numbers = numbers

    def cancel(self) -> None:
        """Ends the stream from another thread: the connection closes at once, and a reader that waits is woken."""
        self._stop()
        self._call.cancel()

    @property
    def text(self) -> str:
        """The text that has been received so far."""
        return self._assembly.text

    @property
    def prompt_tokens(self) -> int | None:
        """Tokens of the prompt; None until known, and for text streams without include_usage."""
        return self._assembly.usage.prompt_tokens if self._numbers else None

    @property
    def completion_tokens(self) -> int | None:
        """Tokens of the answer; None until known, and for text streams without include_usage."""
        return self._assembly.usage.completion_tokens if self._numbers else None

    @property
    def total_tokens(self) -> int | None:
        """Tokens of both together; None until known, and for text streams without include_usage."""
        return self._assembly.usage.total_tokens if self._numbers else None

    @property
    def cost(self) -> float | None:
        """What the answer cost in US dollars, see `Response.cost`; None until its end, and where it is not known."""
        return self._assembly.cost

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended; None until known, and for text streams without include_usage."""
        finished = self._assembly.ended == _frames.FINISH
        return self._assembly.response.finish_reason if self._numbers and finished else None

    @property
    def model(self) -> str | None:
        """The model that answers, as the vendor says; None until known, and for text streams without include_usage."""
        if not self._numbers:
            return None
        assembly = self._assembly
        return assembly.response.model if assembly.ended == _frames.FINISH else assembly.start.get("model")

    @property
    def snapshot(self) -> Snapshot:
        """The answer as far as it has been received: one `Snapshot`. Any thread may ask, and asking reads nothing."""
        return self._growing().take()

    def __reduce__(self) -> str | tuple[Any, ...]:
        name = type(self).__name__
        raise TypeError(
            f"A {name} cannot be pickled or copied: it is an open connection. Pickle what has come of it (its result "
            "or its text), or the Provider that starts another one."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._state}, {len(self.text)} characters received>"

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

    def _take_in(self, data: bytes, as_events: bool) -> None:
        assembly = self._assembly
        batch: list[Any]
        if as_events:
            if self._maker is None:
                self._maker = EventMaker(assembly)
            batch = self._maker.make(data)
        else:
            batch = assembly.add(data)
        if assembly.ended:
            self._state = FINISHED if assembly.ended == _frames.FINISH else FAILED
            self._call.end()
        self._set_batch(batch)

    def _set_batch(self, batch: list[Any]) -> None:
        self._batch = batch
        self._pending = iter(batch)
        if self._state == CANCELLED:  # closed by another thread just now: it may have cleared the batch before
            batch.clear()

    def _growing(self) -> Accumulation:
        """What the snapshots of this stream are taken from."""
        if self._accumulation is None:
            from ._accumulation import Accumulation

            self._accumulation = Accumulation(self._assembly)
        return self._accumulation

    def _updates(self, every: float | None) -> Updates:
        """What decides when somebody is shown a snapshot."""
        from ._accumulation import Updates

        if every is not None and not 0 < _checks.number("every", every) < float("inf"):
            raise _checks.wrong("every", "a number of seconds above 0, or None for every change", every)
        return Updates(self._growing(), every)

    def _read_up(self) -> Iterator[Any]:
        """Counts what has been fetched as read. Returns the iterator after which the next batch comes."""
        pending = self._pending
        for _ in pending:
            pass
        return pending

    def _close(self) -> None:
        self._stop()
        self._call.close()

    def _ended(self) -> bool:
        self._call.close()
        if self._state == FINISHED:
            return False
        raise self._error()

    def _error(self) -> PyAgentError:
        if self._state == FAILED:
            return self._assembly.error
        self._call.runtime.check_alive()
        return StreamCancelledError(
            "The stream was closed before its end; partial_text has what had arrived.", partial_text=self.text
        )

    def _stop(self) -> None:
        """Marks the stream as cut, unless it has been read to its end or has failed."""
        if self._state == OPEN or (self._state == FINISHED and length_hint(self._pending)):
            self._state = CANCELLED
        self._batch.clear()


class SecondReader(RuntimeError):
    """Told apart from other errors because the reader that is refused must not close the other one's stream."""

    def __init__(self, reader: str) -> None:
        super().__init__(f"Another {reader} is reading this stream; one stream has one reader at a time.")


def _is_text(event: events.Event) -> bool:
    return isinstance(event, events.TextDelta) and event.index == 0
