"""Typed objects as answers: what `generate_object` returns, and the streams of `stream_object`."""

from __future__ import annotations

from ._object_stream import ObjectStreamState
from ._value import Value
from .errors import PyAgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
    from typing import Any, Generic, TypeVar

    from ._object_job import ObjectJob
    from .async_stream import AsyncStream
    from .response import Response, Usage
    from .stream import Stream

    T = TypeVar("T")
else:
    T = None

    class Generic:
        """Stands in for that of typing, which is slow to import: a class in brackets is the class."""

        __slots__ = ()

        def __class_getitem__(cls, item):
            return cls


__all__ = ["AsyncObjectStream", "ObjectResult", "ObjectStream"]


class ObjectResult(Value, Generic[T]):
    """A typed object, and how it came about.

    Attributes:
        object: What was asked for: an instance of the schema's type, or what fits the JSON Schema.
        response: The answer that it is from; its `attempts` and `retries` are those of the transport.
        usage: The tokens of all answers together, those that did not fit included.
        cost: US dollars for all of them, see `Response.cost`; None where one of them is not known.
        mode: How it was asked for: "strict", "tool" or "prompt".
        attempts: How many answers the model gave: 1, and one more for each repair.
    """

    __slots__ = ("object", "response", "usage", "cost", "mode", "attempts")

    object: T

    def __init__(
        self,
        object: T,
        *,
        response: Response,
        usage: Usage,
        cost: float | None = None,
        mode: str,
        attempts: int,
    ) -> None:
        self.object = object
        self.response = response
        self.usage = usage
        self.cost = cost
        self.mode = mode
        self.attempts = attempts


class ObjectStream(ObjectStreamState, Generic[T]):
    """An object that grows while the model writes it.

    Iterating gives what is there of it so far, a dict or a list, each time that there is more: the same one, grown, as
    plain JSON values that are checked by nobody yet. `result` is the whole, checked and typed. Leaving a `for` loop
    early, `close()`, `with` and dropping the object all close the connection at once.

    One thread reads at a time; `close()` and `cancel()` may come from any thread.

    Raises while reading:
        APIConnectionError, APIStatusError and the other classes of `pyagent.errors`.
    """

    __slots__ = ()

    _stream: Stream

    def __init__(self, job: ObjectJob, start: Callable[[dict[str, Any]], Stream]) -> None:
        super().__init__(job, start)

    def __iter__(self) -> Iterator[Any]:
        return _read(self)

    def close(self) -> None:
        """Ends the stream and closes its connection at once. Any thread may call it, any number of times."""
        self._stream.close()

    def __enter__(self) -> ObjectStream[T]:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def result(self) -> ObjectResult[T]:
        """The whole object. Reads the rest of the stream first.

        Raises:
            ObjectValidationError: It does not fit the schema; a stream is not repaired.
            ObjectRefusedError, ObjectTruncatedError: There is no whole object.
            StreamCancelledError: The stream was closed before its end.
        """
        while self._fetch(self._absorb()):
            pass
        return self._finish(self._stream.result)  # type: ignore[no-any-return]

    def _fetch(self, seen: Iterator[Any]) -> bool:
        """Waits for the next batch after `seen`; False means that the stream was read to its end."""
        try:
            return self._stream._fetch(seen, True)
        except PyAgentError as error:
            return self._go_on(error)


class AsyncObjectStream(ObjectStreamState, Generic[T]):
    """An object that grows while the model writes it: the twin of ObjectStream for coroutines.

    Iterating gives what is there of it so far, a dict or a list, each time that there is more: the same one, grown, as
    plain JSON values that are checked by nobody yet. `await stream.result` is the whole, checked and typed. Leaving an
    `async for` loop early, `aclose()`, `async with`, cancelling the task that reads and dropping the object all close
    the connection at once.

    One task reads at a time, in the event loop that the stream was started in; `cancel()` may come from any thread.

    Raises while reading:
        APIConnectionError, APIStatusError and the other classes of `pyagent.errors`.
    """

    __slots__ = ()

    _stream: AsyncStream

    def __init__(self, job: ObjectJob, start: Callable[[dict[str, Any]], AsyncStream]) -> None:
        super().__init__(job, start)

    def __await__(self) -> Generator[Any, None, AsyncObjectStream[T]]:
        """Gives the stream itself at once, for those who write `await` before every call."""
        return _itself(self).__await__()

    def __aiter__(self) -> AsyncIterator[Any]:
        return _Reader(self)

    async def aclose(self) -> None:
        """Ends the stream and closes its connection at once, any number of times."""
        await self._stream.aclose()

    async def __aenter__(self) -> AsyncObjectStream[T]:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    @property
    async def result(self) -> ObjectResult[T]:
        """The whole object: `await stream.result`. Reads the rest of the stream first.

        Raises:
            ObjectValidationError: It does not fit the schema; a stream is not repaired.
            ObjectRefusedError, ObjectTruncatedError: There is no whole object.
            StreamCancelledError: The stream was closed before its end.
        """
        while await self._fetch(self._absorb()):
            pass
        return self._finish(await self._stream.result)  # type: ignore[no-any-return]

    async def _fetch(self, seen: Iterator[Any]) -> bool:
        """Waits for the next batch after `seen`; False means that the stream was read to its end."""
        try:
            return await self._stream._fetch(seen, True)
        except PyAgentError as error:
            return self._go_on(error)


def _read(stream: ObjectStream[Any]) -> Iterator[Any]:
    """Reads to the end. When the loop around it is left in whatever way, so is this function: the connection closes."""
    try:
        more = True
        while more:
            seen = stream._absorb()
            if stream._has_grown():
                yield stream.partial
            more = stream._fetch(seen)
    except BaseException as error:
        if stream._is_mine(error):
            stream.close()
        raise


async def _itself(stream: AsyncObjectStream[T]) -> AsyncObjectStream[T]:
    return stream


class _Reader:
    """An `async for` over a stream, which closes it when its loop is left, as that of AsyncStream does."""

    __slots__ = ("_stream", "_pieces")

    def __init__(self, stream: AsyncObjectStream[Any]) -> None:
        self._stream = stream
        self._pieces = _aread(stream)

    def __aiter__(self) -> _Reader:
        return self

    def __anext__(self) -> Awaitable[Any]:
        return self._pieces.__anext__()

    def __del__(self) -> None:
        self._stream._stream._close()
        try:  # noqa: SIM105  # importing contextlib is slow
            self._pieces.aclose().send(None)
        except (StopIteration, RuntimeError):
            pass


async def _aread(stream: AsyncObjectStream[Any]) -> AsyncGenerator[Any, None]:
    more = True
    while more:
        seen = stream._absorb()
        if stream._has_grown():
            yield stream.partial
        more = await stream._fetch(seen)
