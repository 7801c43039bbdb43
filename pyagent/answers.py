"""Answers: those to many prompts, as an iterator that asks while it is read."""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Iterator

from . import _opening
from ._map import END, refuse_to_be_copied
from ._stream_state import FINISHED, OPEN, SecondReader
from .errors import ConfigurationError, InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from ._call import Client, PolledInbox
    from ._map import Schedule

    _Answer = TypeVar("_Answer")

__all__ = ["Answers"]


class Answers(Iterator["_Answer"]):
    """The answers to many prompts, from `Provider.map()`. Nothing is asked before the first is read.

    Leaving a `for` loop early, `close()`, `with`, dropping the object, and any exception close every connection that is
    open at once. After that, reading on raises StreamCancelledError: some answers are never taken for all of them.
    `next(answers)` takes one answer and leaves the others on their way.

    One thread reads at a time; `close()` may come from any thread.
    """

    __slots__ = ("_connect", "_schedule", "_prompts", "_inbox", "_reading", "__weakref__")

    def __init__(self, connect: Callable[[], Client], schedule: Schedule) -> None:
        self._inbox: PolledInbox | None = None
        self._connect = connect
        self._schedule = schedule
        self._reading = allocate_lock()
        try:
            self._prompts = iter(schedule.prompts)
        except TypeError:
            raise ConfigurationError(
                "prompts must be an iterable of strings or of lists of messages, got "
                f"{type(schedule.prompts).__name__}; for an async iterable there is amap().",
                param="prompts",
            ) from None

    def __iter__(self) -> Iterator[_Answer]:
        return _loop(self)

    def __next__(self) -> _Answer:
        value = self._next()
        if value is END:
            raise StopIteration
        return value  # type: ignore[no-any-return]

    def close(self) -> None:
        """Closes every connection that is open. Any thread may call it, any number of times."""
        self._schedule.cut()
        if self._inbox is not None:
            self._inbox.close()

    def __enter__(self) -> Answers[_Answer]:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    __reduce__ = refuse_to_be_copied

    def _next(self) -> Any:
        if self._inbox is not None and self._schedule.state != FINISHED:
            self._inbox.runtime.check_alive()
        if not self._reading.acquire(False):
            raise SecondReader("thread")
        try:
            value = self._advance()
            if value is END:
                self.close()
            return value
        except BaseException as error:
            cut = isinstance(error, InternalError) and self._schedule.state != OPEN
            self.close()
            if cut:  # another thread closed this while a request was being submitted
                return self._schedule.take()
            raise
        finally:
            self._reading.release()

    def _advance(self) -> Any:
        """Asks one prompt, or as many as there is room for until an answer is there."""
        schedule, inbox = self._schedule, self._inbox
        if inbox is None:
            if schedule.state != OPEN:
                return schedule.take()
            with _opening.lock:
                from ._call import PolledInbox

            self._inbox = inbox = PolledInbox(self._connect())
        while True:
            if schedule.has_room():
                for prompt in self._prompts:
                    schedule.ask(prompt, inbox.start)
                    break
                else:
                    schedule.exhausted = True
            if schedule.waits():
                data = inbox.receive(wait=not schedule.has_room())
                if data is None:
                    schedule.cut()
                else:
                    schedule.take_in(data)
            if not schedule.waits():
                return schedule.take()


def _loop(answers: Answers[Any]) -> Iterator[Any]:
    """Reads to the end. When the loop around it is left in whatever way, so is this function: the connections close."""
    try:
        while True:
            value = answers._next()
            if value is END:
                return
            yield value
    except SecondReader:
        raise
    except BaseException:
        answers.close()
        raise
