"""AsyncAnswers: those to many prompts, as an iterator for coroutines that asks while it is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import islice

from . import _opening
from ._map import END, refuse_to_be_copied
from ._stream_state import FINISHED, OPEN, SecondReader
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from ._call import Client
    from ._feed import Feed
    from ._inbox import AsyncCall, Inbox, Mailbox
    from ._map import Schedule

    _Answer = TypeVar("_Answer")

__all__ = ["AsyncAnswers"]


class AsyncAnswers(AsyncIterator["_Answer"]):
    """The answers to many prompts, from `Provider.amap()`: the twin of Answers for coroutines.

    Leaving an `async for` loop early, `aclose()`, `async with`, cancelling the task that reads (by a timeout, too),
    dropping the object, and any exception close every connection that is open at once. After that, reading on raises
    StreamCancelledError: some answers are never taken for all of them. `await anext(answers)` takes one answer and
    leaves the others on their way.

    One task reads at a time, in the event loop in which the first answer was read.
    """

    __slots__ = ("_connect", "_schedule", "_prompts", "_client", "_inbox", "_box", "_feed", "_reading", "__weakref__")

    _client: Client
    _inbox: Inbox
    _box: Mailbox

    def __init__(self, connect: Callable[[], Client], schedule: Schedule) -> None:
        self._feed: Feed | None = None
        self._connect: Callable[[], Client] | None = connect
        self._schedule = schedule
        self._reading = False
        self._prompts: Iterator[Any] | None = None
        if not hasattr(schedule.prompts, "__aiter__"):
            try:
                self._prompts = iter(schedule.prompts)
            except TypeError:
                raise ConfigurationError(
                    "prompts must be an iterable or async iterable of strings or of lists of messages, got "
                    f"{type(schedule.prompts).__name__}.",
                    param="prompts",
                ) from None

    def __aiter__(self) -> AsyncIterator[_Answer]:
        return _Loop(self)

    async def __anext__(self) -> _Answer:
        if self._connect is None and self._schedule.state != FINISHED:
            self._client.runtime.check_alive()
        if self._reading:
            raise SecondReader("task")
        self._reading = True
        try:
            value = await self._advance()
        except BaseException:
            self._close()
            raise
        finally:
            self._reading = False
        if value is END:
            raise StopAsyncIteration
        return value  # type: ignore[no-any-return]

    async def aclose(self) -> None:
        """Closes every connection that is open, any number of times."""
        self._close()

    async def __aenter__(self) -> AsyncAnswers[_Answer]:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._close()

    __reduce__ = refuse_to_be_copied

    async def _advance(self) -> Any:
        """Asks one prompt, or as many as there is room for until an answer is there."""
        schedule = self._schedule
        if schedule.state == OPEN:
            self._enter()
        while True:
            asked = schedule.has_room() and self._ask()
            if schedule.due:
                await schedule.settle()
            if schedule.waits() and not self._receive() and not (asked and schedule.has_room()):
                await self._inbox.wait(self._box)
                self._receive()
            if schedule.due:
                await schedule.settle()
            if not schedule.waits():
                return schedule.take()

    def _enter(self) -> None:
        """Finds the inbox of the event loop.

        Raises:
            RuntimeError: No event loop runs here, or another one than before.
        """
        if self._connect is None:
            self._inbox.check_here()
            return
        with _opening.lock:
            from ._aio import current_inbox
            from ._feed import Feed
            from ._inbox import Mailbox

        self._client = self._connect()
        self._inbox = current_inbox(self._client)
        self._box = Mailbox()
        if self._prompts is None:
            self._feed = Feed(self._inbox, self._box, self._schedule.prompts)
        self._connect = None

    def _ask(self) -> bool:
        """Asks the next prompt, if it is there. False means that it will wake the reader."""
        if self._prompts is not None:
            waiting, ended = list(islice(self._prompts, 1)), True
        elif self._feed is not None:
            ended, waiting = self._feed.ended, self._feed.take()
        for prompt in waiting:
            self._schedule.ask(prompt, self._start)
        if ended and not waiting:
            self._schedule.exhausted = True
        return ended or bool(waiting)

    def _start(self, request: bytes) -> AsyncCall:
        return self._inbox.start(self._client, request, self._box)

    def _receive(self) -> bool:
        """Takes in what has arrived."""
        chunks, self._box.chunks = self._box.chunks, []
        for data in chunks:
            self._schedule.take_in(data)
        return bool(chunks)

    def _close(self) -> None:
        self._schedule.close()
        if self._feed is not None:
            self._feed.close()
        if self._connect is None and self._box.waiter is not None:
            self._inbox.wake(self._box)

    def __del__(self) -> None:
        if hasattr(self, "_schedule"):
            self._close()


class _Loop:
    """An `async for` over answers. When the loop around it is left, this object goes, and with it the connections."""

    __slots__ = ("_answers", "_refused")

    def __init__(self, answers: AsyncAnswers[Any]) -> None:
        self._answers = answers
        self._refused = False

    def __aiter__(self) -> _Loop:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._answers.__anext__()
        except SecondReader:
            self._refused = True
            raise

    def __del__(self) -> None:
        if not self._refused:
            self._answers._close()
