"""AsyncStreamProcessor: reads a stream to its end from a coroutine.

Written by tools/twins.py from processor.py: change that file, then run `make fmt`."""

from __future__ import annotations

from ._async_callbacks import AsyncCallbacks
from ._plan import Plan
from ._stream_state import SecondReader
from .errors import PyAgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ._plan import Task
    from .async_stream import AsyncStream
    from .response import Response

__all__ = ["AsyncStreamProcessor"]


class AsyncStreamProcessor(AsyncCallbacks):
    """A stream, and what is to be called while it is read: `stream.on_text(f).on_usage(g).run()`, awaited.

    Functions are called one after the other, in the order in which they were named, in the task that runs; while one
    works, nothing is read. For what arrives together, `on_text_with_full` and `on_update` come behind the events.

    A function that raises ends it: the stream is closed at once, and the exception comes out of `run()` as it is. What
    had been received stays, as `stream.text` and `stream.snapshot`. An exception from a function of `on_error` has the
    stream's own error as its `__context__`.
    """

    __slots__ = ("_plan", "_stream")

    def __init__(self, stream: AsyncStream) -> None:
        self._stream = stream
        self._plan = Plan(stream)

    async def run(self) -> Response:
        """Reads to the end and calls the functions on the way.

        Returns:
            The complete answer.

        Raises:
            PyAgentError: Reading failed; the functions of `on_error` have been called.
            Exception: Whatever a function raises.
        """
        stream, plan = self._stream, self._plan
        try:
            more = True
            while more:
                pending = stream._waiting(True)
                await self._call(plan.news(pending))
                try:
                    more = await stream._fetch(pending, True, plan.due)
                except PyAgentError as error:
                    await self._call(plan.failure(error))
                    raise
            await self._call(plan.end())
        except SecondReader:  # the stream is the other reader's
            raise
        except BaseException:
            stream._close()
            raise
        return stream._assembly.response

    def _processor(self) -> AsyncStreamProcessor:
        return self

    def _add(self, name: str, function: Callable[..., object]) -> AsyncStreamProcessor:
        self._plan.add(name, function)
        return self

    def _add_update(self, function: Callable[..., object], every: float | None) -> AsyncStreamProcessor:
        self._plan.add_update(function, every)
        return self

    async def _call(self, tasks: Iterator[Task]) -> None:
        for task in tasks:
            result: Any = task.function(*task.arguments)
            if hasattr(result, "__await__"):
                await result

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._stream!r}: {self._plan!r}>"
