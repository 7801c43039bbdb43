"""ToolStream: a run of a model and its tools that is read while it happens."""

from __future__ import annotations

from _thread import allocate_lock

from ._map import refuse_to_be_copied
from ._stream_state import CANCELLED, FAILED, FINISHED, OPEN, SecondReader
from ._tool_calls import Live
from ._tool_drive import drive
from .events import TextDelta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._tool_loop import ToolLoop
    from .events import Event
    from .tool_run import ToolRun

__all__ = ["ToolStream"]


class ToolStream:
    """What happens while a model answers and its tools are called, from `Provider.stream_tools()`.

    Iterating gives the text of every answer; `events()` gives everything: the events of each answer, and ToolStarted
    and ToolFinished for each call. Leaving a `for` loop early, `close()`, `with` and dropping the object end everything
    at once: the connection closes, coroutine functions are cancelled, other functions are left to themselves and their
    results dropped. After that, reading on raises StreamCancelledError.

    One thread reads at a time; `close()` may come from any thread.

    Raises while reading:
        ToolLimitError, and whatever `run_tools` raises; the `run` of the error is that of this stream.
    """

    __slots__ = ("_loop", "_live", "_steps", "_state", "_failure", "_reading", "__weakref__")

    def __init__(self, loop: ToolLoop) -> None:
        self._loop = loop
        self._live = Live()
        self._state = OPEN
        self._failure: BaseException | None = None
        self._reading = allocate_lock()
        if not loop.calls:  # asks at once, as every stream does, and what is wrong with an option is raised here
            self._live.stream = loop.provider.stream(**loop.request())
        self._steps = drive(loop, self._live)

    def __iter__(self) -> Iterator[str]:
        return (event.text for event in self.events() if isinstance(event, TextDelta) and event.index == 0)

    def events(self) -> Iterator[Event]:
        """Everything that happens, as typed events in order. Leaving its loop early closes the stream."""
        try:
            while True:
                event = self._next()
                if event is None:
                    return
                yield event
        except SecondReader:
            raise
        except BaseException:
            self.close()
            raise

    @property
    def run(self) -> ToolRun:
        """What has been done so far."""
        return self._loop.run

    @property
    def result(self) -> ToolRun:
        """What was done, once all of it is. Reads the rest of the stream first.

        Raises:
            StreamCancelledError: The stream was closed before its end.
        """
        while self._next() is not None:
            pass
        return self._loop.run

    def close(self) -> None:
        """Ends everything at once. Any thread may call it, any number of times."""
        if self._state == OPEN:
            self._state = CANCELLED
        self._live.close()

    def __enter__(self) -> ToolStream:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_live"):
            self._live.close()

    __reduce__ = refuse_to_be_copied

    def _next(self) -> Event | None:
        """The next event; None at the end."""
        if not self._reading.acquire(False):
            raise SecondReader("thread")
        try:
            if self._state == OPEN:
                return next(self._steps)
        except StopIteration:
            self._state = FINISHED
        except BaseException as error:
            if self._state == OPEN:
                self._state, self._failure = FAILED, error
            raise
        finally:
            self._reading.release()
        if self._failure is not None:
            raise self._failure
        if self._state == CANCELLED:
            self._live.check()
        return None
