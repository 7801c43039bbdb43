"""What a stream of an object knows, whichever way it is read: what is there of the object, and who is asked how."""

from __future__ import annotations

from . import events
from ._stream_state import SecondReader
from .partial_json import PartialJson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ._object_job import ObjectJob
    from .errors import PyAgentError
    from .response import Response


class ObjectStreamState:
    """The common part of ObjectStream and AsyncObjectStream. Nothing here waits."""

    __slots__ = ("_job", "_start", "_stream", "_parser", "_began", "_readable", "_seen", "_result", "__weakref__")

    _stream: Any

    def __init__(self, job: ObjectJob, start: Callable[[dict[str, Any]], Any]) -> None:
        self._job = job
        self._start = start
        self._result: Any = None
        self._begin()

    def _begin(self) -> None:
        self._stream = self._start(self._job.request())
        self._parser = PartialJson()
        self._began = False  # whether the first bracket was seen
        self._readable = True  # whether what was read can be JSON
        self._seen = 0  # how often the value had changed when it was given last

    @property
    def partial(self) -> Any:
        """What is there of the object so far, as plain JSON values; None when nothing is."""
        value = self._parser.value
        if self._job.plan.is_wrapped:
            return value.get("value") if isinstance(value, dict) else None
        return value

    @property
    def mode(self) -> str:
        """How the object is asked for: "strict", "tool" or "prompt". It is final when the first piece has come."""
        return self._job.mode

    @property
    def text(self) -> str:
        """The text that has been received so far; in the mode "tool" the object is not in it."""
        return str(self._stream.text)

    def cancel(self) -> None:
        """Ends the stream from another thread: the connection closes at once, and a reader that waits is woken."""
        self._stream.cancel()

    def _absorb(self) -> Iterator[Any]:
        """Reads the events that have been fetched, and gives back their batch."""
        pending: Iterator[Any] = self._stream._waiting(True)
        for event in pending:
            if isinstance(event, events.TextDelta) and event.index == 0 and self._job.mode != "tool":
                self._feed(event.text)
            elif isinstance(event, events.ToolCallDelta) and event.index == 0:
                self._feed(event.arguments)
        return pending

    def _feed(self, text: str) -> None:
        if not self._readable or self._parser.complete:
            return
        if not self._began:
            start = text.find("{")  # before it may be a code fence, or a sentence
            if start < 0:
                return
            self._began, text = True, text[start:]
        try:
            self._parser.feed(text)
        except ValueError:  # the whole answer decides what it is: there may be another bracket in it
            self._readable = False

    def _has_grown(self) -> bool:
        """Whether there is more of the object than when this was asked last."""
        before, self._seen = self._seen, self._parser._changes
        return self._seen != before and self.partial is not None

    def _go_on(self, error: PyAgentError) -> bool:
        """Asks in another way when the vendor does not take this one; raises the error when that is not the reason."""
        if self._began:
            raise error
        self._job.fail(error)
        self._begin()
        return True

    def _is_mine(self, error: BaseException) -> bool:
        """Whether an error ends this stream: that of a second reader ends nothing."""
        return not isinstance(error, SecondReader)

    def _finish(self, response: Response) -> Any:
        if self._result is None:
            job = self._job
            job.attempts, job.usage = 0, type(job.usage)()  # once more after an error is once
            job.take(response)
            self._result = job.result
        return self._result

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._stream!r}>"
