"""AsyncToolStream: a run of a model and its tools that is read while it happens, from a coroutine."""

from __future__ import annotations

from ._async_tool_drive import adrive
from ._map import refuse_to_be_copied
from ._stream_state import CANCELLED, FAILED, FINISHED, OPEN, SecondReader
from ._tool_calls import Live
from .events import TextDelta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator
    from typing import Any

    from ._tool_loop import ToolLoop
    from .events import Event
    from .tool_run import ToolRun

__all__ = ["AsyncToolStream"]


class AsyncToolStream:
    """What happens while a model answers and its tools are called: the twin of ToolStream for coroutines.

    Iterating gives the text of every answer; `events()` gives everything: the events of each answer, and ToolStarted
    and ToolFinished for each call. Leaving an `async for` loop early, `aclose()`, `async with`, cancelling the task
    that reads and dropping the object end everything at once: the connection closes, coroutine functions are cancelled,
    other functions are left to themselves and their results dropped. After that, reading on raises
    StreamCancelledError.

    One task reads at a time, in the event loop that the stream was started in.

    Raises while reading:
        ToolLimitError, and whatever `arun_tools` raises; the `run` of the error is that of this stream.
    """

    __slots__ = ("_loop", "_live", "_steps", "_state", "_failure", "_reading", "__weakref__")

    def __init__(self, loop: ToolLoop) -> None:
        self._loop = loop
        self._live = Live()
        self._state = OPEN
        self._failure: BaseException | None = None
        self._reading = False
        if not loop.calls:  # asks at once, as every stream does, and what is wrong with an option is raised here
            self._live.stream = loop.provider.astream(**loop.request())
        self._steps = adrive(loop, self._live)

    def __await__(self) -> Generator[Any, None, AsyncToolStream]:
        """Gives the stream itself at once, for those who write `await` before every call."""
        return _itself(self).__await__()

    def __aiter__(self) -> AsyncIterator[str]:
        return _Texts(self)

    def events(self) -> AsyncIterator[Event]:
        """Everything that happens, as typed events in order. Leaving its loop early closes the stream."""
        return _Events(self)

    @property
    def run(self) -> ToolRun:
        """What has been done so far."""
        return self._loop.run

    @property
    async def result(self) -> ToolRun:
        """What was done, once all of it is: `await stream.result`. Reads the rest of the stream first.

        Raises:
            StreamCancelledError: The stream was closed before its end.
        """
        while await self._next() is not None:
            pass
        return self._loop.run

    async def aclose(self) -> None:
        """Ends everything at once, any number of times."""
        self._close()

    async def __aenter__(self) -> AsyncToolStream:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._close()

    def __del__(self) -> None:
        if hasattr(self, "_steps"):
            self._close()

    __reduce__ = refuse_to_be_copied

    async def _next(self) -> Event | None:
        """The next event; None at the end."""
        if self._reading:
            raise SecondReader("task")
        self._reading = True
        try:
            if self._state == OPEN:
                return await self._steps.__anext__()
        except StopAsyncIteration:
            self._state = FINISHED
        except BaseException as error:
            if self._state == OPEN:
                self._state = FAILED if isinstance(error, Exception) else CANCELLED
                self._failure = error if isinstance(error, Exception) else None
            raise
        finally:
            self._reading = False
        if self._failure is not None:
            raise self._failure
        if self._state == CANCELLED:
            self._live.check()
        return None

    def _close(self) -> None:
        if self._state == OPEN:
            self._state = CANCELLED
        self._live.close()
        if not self._reading:
            # Left to itself, the generator would be closed some turns of the event loop later. It awaits nothing on its
            # way out, so one step is all of it. A RuntimeError says that it is being dropped in the middle of a step.
            try:  # noqa: SIM105  # importing contextlib is slow
                self._steps.aclose().send(None)
            except (StopIteration, RuntimeError):
                pass


class _Events:
    """An `async for` over a stream. When the loop around it is left, this object goes, and with it all that runs."""

    __slots__ = ("_stream", "_refused")

    def __init__(self, stream: AsyncToolStream) -> None:
        self._stream = stream
        self._refused = False

    def __aiter__(self) -> _Events:
        return self

    async def __anext__(self) -> Any:
        try:
            event = await self._stream._next()
        except SecondReader:
            self._refused = True
            raise
        if event is None:
            raise StopAsyncIteration
        return event

    def __del__(self) -> None:
        if not self._refused:
            self._stream._close()


class _Texts(_Events):
    """Likewise, over the text."""

    __slots__ = ()

    async def __anext__(self) -> Any:
        while True:
            event = await super().__anext__()
            if isinstance(event, TextDelta) and event.index == 0:
                return event.text


async def _itself(stream: AsyncToolStream) -> AsyncToolStream:
    return stream
