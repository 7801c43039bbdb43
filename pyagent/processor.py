"""StreamProcessor: reads a stream to its end and calls functions on the way."""

from __future__ import annotations

from ._callbacks import Callbacks
from ._plan import Plan, refuse_coroutine
from ._stream_state import SecondReader
from .errors import PyAgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ._plan import Task
    from .response import Response
    from .stream import Stream

__all__ = ["StreamProcessor"]


class StreamProcessor(Callbacks):
    """A stream, and what is to be called while it is read: `stream.on_text(f).on_usage(g).run()`.

    Functions are called one after the other, in the order in which they were named, in the thread that runs; while one
    works, nothing is read. For what arrives together, `on_text_with_full` and `on_update` come behind the events.

    A function that raises ends it: the stream is closed at once, and the exception comes out of `run()` as it is. What
    had been received stays, as `stream.text` and `stream.snapshot`. An exception from a function of `on_error` has the
    stream's own error as its `__context__`.
    """

    __slots__ = ("_plan", "_stream")

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._plan = Plan(stream)

    def run(self) -> Response:
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
                self._call(plan.news(pending))
                try:
                    more = stream._fetch(pending, True, plan.due)
                except PyAgentError as error:
                    self._call(plan.failure(error))
                    raise
            self._call(plan.end())
        except SecondReader:  # the stream is the other reader's
            raise
        except BaseException:
            stream._close()
            raise
        return stream._assembly.response

    def _processor(self) -> StreamProcessor:
        return self

    def _add(self, name: str, function: Callable[..., object]) -> StreamProcessor:
        self._plan.add(name, function)
        return self

    def _add_update(self, function: Callable[..., object], every: float | None) -> StreamProcessor:
        self._plan.add_update(function, every)
        return self

    def _call(self, tasks: Iterator[Task]) -> None:
        for task in tasks:
            result: Any = task.function(*task.arguments)
            if hasattr(result, "__await__"):
                refuse_coroutine(task, result)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._stream!r}: {self._plan!r}>"
