"""AsyncStream: an answer that is read while it is made, from a coroutine."""

from __future__ import annotations

from time import monotonic

from ._async_callbacks import AsyncCallbacks
from ._stream_state import CANCELLED, OPEN, SecondReader, StreamState
from .errors import PyAgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator, Iterator
    from typing import Any

    from . import events
    from ._accumulation import Updates
    from ._inbox import AsyncCall
    from .async_processor import AsyncStreamProcessor
    from .response import Response
    from .snapshot import Snapshot

__all__ = ["AsyncStream"]


class AsyncStream(StreamState, AsyncCallbacks):
    """The text of an answer, piece by piece, as the model writes it: the twin of Stream for coroutines.

    Iterating gives the text of the first choice, `events()` everything that happens, `snapshots()` the answer as far as
    it has come; `on_text(function)` and its like call functions. Leaving an `async for` loop early, `aclose()`,
    `async with`, cancelling the task that reads (by a timeout, too) and dropping the object all close the connection at
    once. After that, reading on raises StreamCancelledError: cut text is never taken for the whole.
    `await anext(stream)` takes one piece and leaves the stream open.

    One task reads at a time, in the event loop that the stream was started in; `cancel()` may come from any thread.

    Raises while reading:
        APIConnectionError, APIStatusError and the other classes of `pyagent.errors`, each with the text so far as
        `partial_text`.
    """

    __slots__ = ("_reading",)

    _call: AsyncCall

    def __init__(self, call: AsyncCall, *, numbers: bool = True) -> None:
        super().__init__(call, numbers=numbers)
        self._reading = False

    def __await__(self) -> Generator[Any, None, AsyncStream]:
        """Gives the stream itself at once, for those who write `await` before every call."""
        return _itself(self).__await__()

    def __aiter__(self) -> AsyncIterator[str]:
        return _Reader(self, _read(self, False))

    async def __anext__(self) -> str:
        while True:
            pending = self._waiting(False)
            for piece in pending:
                return piece  # type: ignore[no-any-return]
            if not await self._fetch(pending, False):
                raise StopAsyncIteration

    def events(self) -> AsyncIterator[events.Event]:
        """Everything that happens, as typed events in order: text, reasoning, tool calls, usage, retries, the finish.

        Each run of text and of reasoning is followed by its done event, at the latest right before the finish; an error
        is an ErrorEvent first and is then raised. Events of the whole request are given only if this is how the stream
        is read from its beginning: what was read as text before is not repeated.

        Returns:
            An iterator of the classes in `pyagent.events`; leaving its loop early closes the stream.
        """
        return _Reader(self, _read(self, True))

    def snapshots(self, *, every: float | None = None) -> AsyncIterator[Snapshot]:
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
        return _Reader(self, _read_snapshots(self, self._updates(every)))

    async def aclose(self) -> None:
        """Ends the stream and closes its connection at once, any number of times."""
        self._close()

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._close()

    @property
    async def result(self) -> Response:
        """The complete answer: `await stream.result`. Reads the rest of the stream first.

        Raises:
            StreamCancelledError: The stream was closed before its end.
        """
        while await self._fetch(self._read_up(), False):
            pass
        return self._assembly.response

    def _processor(self) -> AsyncStreamProcessor:
        from .async_processor import AsyncStreamProcessor

        return AsyncStreamProcessor(self)

    async def _fetch(self, seen: Iterator[Any], as_events: bool, until: float | None = None) -> bool:
        """Waits for the next batch after `seen` has been read. False means that the stream was read to its end.

        When the moment `until` of time.monotonic() comes first, there is no next batch.

        Raises:
            PyAgentError: The call failed, or the stream was closed.
            RuntimeError: Another task is reading, or this is another event loop.
        """
        if self._reading:
            self._call.runtime.check_alive()  # the other one may have stayed behind in a fork
            raise SecondReader("task")
        self._reading = True
        call = self._call
        try:
            while self._pending is seen:  # otherwise another reader has fetched in the meantime
                if self._state != OPEN:
                    return self._ended()
                data = call.take()
                if data:
                    self._take_in(data, as_events)
                elif until is None:
                    await call.arrival()
                else:
                    left = until - monotonic()
                    if left <= 0:
                        break
                    await call.arrival(left)
            return True
        except PyAgentError:
            raise
        except BaseException:  # the task was cancelled, or is in another loop: nobody can wait for the rest
            self._close()
            raise
        finally:
            self._reading = False


async def _itself(stream: AsyncStream) -> AsyncStream:
    return stream


class _Reader:
    """An `async for` over a stream. When the loop around it is left, this object goes, and with it the connection: left
    to itself, the generator inside would only be closed some turns of the event loop later."""

    __slots__ = ("_stream", "_pieces")

    def __init__(self, stream: AsyncStream, pieces: AsyncGenerator[Any, None]) -> None:
        self._stream = stream
        self._pieces = pieces

    def __aiter__(self) -> _Reader:
        return self

    def __anext__(self) -> Awaitable[Any]:
        return self._pieces.__anext__()

    def __del__(self) -> None:
        self._stream._close()
        # It awaits nothing on its way out, so one step is all of it. A RuntimeError says that a task is in the middle
        # of it, which is being dropped too.
        try:  # noqa: SIM105  # importing contextlib is slow
            self._pieces.aclose().send(None)
        except (StopIteration, RuntimeError):
            pass


async def _read(stream: AsyncStream, as_events: bool) -> AsyncGenerator[Any, None]:
    more = True
    while more:
        pending = stream._waiting(as_events)
        for piece in pending:
            yield piece
        more = await stream._fetch(pending, as_events)


async def _read_snapshots(stream: AsyncStream, updates: Updates) -> AsyncGenerator[Snapshot, None]:
    more = True
    while more:
        pending = stream._read_up()
        snapshot = updates.take() if stream._state != CANCELLED else None
        if snapshot is not None:
            yield snapshot
        more = await stream._fetch(pending, False, updates.due)
