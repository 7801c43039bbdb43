"""Feed: prompts out of an async iterable, read in a task of its own. Answers need not wait for the next prompt."""

from __future__ import annotations

from ._inbox import Mailbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable
    from typing import Any

    from ._inbox import Inbox


class Feed:
    """One prompt at a time is read, and only when it is wanted; `reader` is woken when it is there."""

    __slots__ = ("ended", "_inbox", "_reader", "_box", "_wanted", "_waiting", "_failures", "_cancel")

    def __init__(self, inbox: Inbox, reader: Mailbox, prompts: AsyncIterable[Any]) -> None:
        self.ended = False
        self._inbox = inbox
        self._reader = reader
        self._box = Mailbox()  # where the task waits until a prompt is wanted
        self._wanted = True
        self._waiting: list[Any] = []
        self._failures: list[BaseException] = []
        self._cancel: Callable[[], None] = inbox.spawn(lambda: self._read(prompts))

    def take(self) -> list[Any]:
        """The prompt that is there; without one, it is wanted from here on.

        Raises:
            BaseException: What the iterable raised.
        """
        if self._failures:
            raise self._failures.pop()
        waiting, self._waiting = self._waiting, []
        if not waiting:
            self._wanted = True
            self._wake(self._box)
        return waiting

    def close(self) -> None:
        """Cancels the task, from any thread."""
        if not self.ended:
            self._cancel()

    async def _read(self, prompts: AsyncIterable[Any]) -> None:
        try:
            async for prompt in prompts:
                self._wanted = False
                self._waiting.append(prompt)
                self._wake(self._reader)
                while not self._wanted:
                    await self._inbox.wait(self._box)
        except GeneratorExit:
            raise  # the event loop is gone
        except BaseException as error:
            self._failures.append(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self.ended = True
        self._wake(self._reader)

    def _wake(self, box: Mailbox) -> None:
        if box.waiter is not None:
            self._inbox.wake(box)
