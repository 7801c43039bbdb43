"""Inboxes of event loops: one for each loop, woken through one file descriptor.

The loop watches the descriptor, and one poll takes what is there for all calls of the loop. A loop that cannot watch
descriptors gets a thread that waits in its place."""

from __future__ import annotations

import sys
from asyncio import events
from contextlib import suppress
from threading import Thread
from weakref import WeakKeyDictionary, ref

from . import _lib, _opening
from ._bell import Bell
from ._inbox import WRONG_LOOP, Inbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Callable, Coroutine
    from typing import Any

    from ._call import Client
    from ._inbox import Mailbox


class LoopInbox(Inbox):
    """The inbox of one asyncio event loop."""

    __slots__ = ("_loop", "_bell", "_watched")

    def __init__(self, client: Client, loop: AbstractEventLoop) -> None:
        inbox = ref(self)

        def close(_: object) -> None:  # nobody can read the streams that keep the inbox
            found = inbox()
            if found is not None:
                found.close()

        self._loop = ref(loop, close)  # the loop owns the inbox, not the other way round
        self._watched = False
        super().__init__(client.runtime)
        self._bell = bell = Bell(self, client.number)
        try:
            if bell.descriptor >= 0:
                loop.add_reader(bell.descriptor, _drain, inbox, bell)
                self._watched = True
                return
        except NotImplementedError:
            pass
        watcher = Thread(target=_watch, args=(self.runtime, self.number, ref(self), ref(loop)), daemon=True)
        watcher.name = "pyagent inbox"
        watcher.start()

    def check_here(self) -> AbstractEventLoop:
        loop = events._get_running_loop()
        if loop is None or self._loop() is not loop:
            raise RuntimeError(WRONG_LOOP)
        return loop

    def arrival(self, box: Mailbox) -> Future[None]:
        loop = events._get_running_loop()
        if loop is None or self._loop() is not loop:
            raise RuntimeError(WRONG_LOOP)
        box.waiter = waiter = loop.create_future()
        return waiter

    async def arrival_before(self, box: Mailbox, seconds: float) -> None:
        def ring() -> None:
            if box.waiter is not None:
                self.wake(box)

        timer = self.check_here().call_later(seconds, ring)
        try:
            await self.arrival(box)
        finally:
            timer.cancel()

    def wake(self, box: Mailbox) -> None:
        waiter, box.waiter = box.waiter, None
        if not waiter.done():
            try:  # noqa: SIM105  # this is done for each delta, and suppress takes longer
                waiter.set_result(None)
            except RuntimeError:  # the loop is closed
                pass

    def spawn(self, job: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        loop = self.check_here()
        task = loop.create_task(job())

        def cancel() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(task.cancel)

        return cancel

    def close(self) -> None:
        """Takes the descriptor out of the loop, and cancels the calls that are left."""
        loop = self._loop()
        if self._watched and not self.runtime.forked and loop is not None and not loop.is_closed():
            loop.remove_reader(self._bell.descriptor)
        self._watched = False
        super().close()
        self._bell.close()

    __del__ = close


_inboxes: WeakKeyDictionary[AbstractEventLoop, LoopInbox] = WeakKeyDictionary()


def in_trio() -> bool:
    """Whether trio, which somebody has imported, runs the calling task. Before its version 0.28 it cannot be asked."""
    try:
        sys.modules["trio"].lowlevel.current_task()
    except RuntimeError:
        return False
    return True


def current_inbox(client: Client) -> Inbox:
    """The inbox of whatever runs the calling task.

    Raises:
        RuntimeError: Neither asyncio nor trio runs here.
    """
    if "trio" in sys.modules and in_trio():
        with _opening.lock:
            from . import _trio

        return _trio.current_inbox(client)
    loop = events._get_running_loop()
    if loop is None:
        raise RuntimeError(
            "There is no running event loop. Call this from a coroutine, for example one given to asyncio.run(); from "
            "ordinary code use the method of the same name without the leading a."
        )
    inbox = _inboxes.get(loop)
    if inbox is None or inbox.closed or not inbox.runtime.alive:  # which may have died by a fork
        inbox = _open(client, loop)
    return inbox


def _open(client: Client, loop: AbstractEventLoop) -> LoopInbox:
    for reference in _inboxes.keyrefs():  # a list of its own: other threads have loops too
        other = reference()
        if other is not None and other.is_closed():
            # It will not come back, and its inbox need not wait for the garbage collector.
            closed = _inboxes.pop(other, None)
            if closed is not None:
                closed.close()
    _inboxes[loop] = inbox = LoopInbox(client, loop)
    return inbox


def _drain(inbox: ref[LoopInbox], bell: Bell) -> None:
    found = inbox() if bell.is_rung() else None
    if found is not None and not found.closed:
        found.drain()


def _watch(runtime: _lib.Runtime, number: int, inbox: ref[LoopInbox], loop: ref[AbstractEventLoop]) -> None:
    """Waits in a thread until the inbox is closed, and hands what arrives to the loop. It keeps neither alive."""

    def hand_over(data: bytes | None) -> None:
        found = inbox()
        if found is not None and not found.closed:
            if data is None:
                found.end_all()
            else:
                found.deliver(data)

    while True:
        status, data = runtime.poll(number, -1)
        running = loop()
        if status == _lib.CLOSED or running is None:
            return
        if status in (_lib.OK, _lib.LOST):
            try:
                running.call_soon_threadsafe(hand_over, data if status == _lib.OK else None)
            except RuntimeError:  # the loop is closed
                return
        if status == _lib.LOST:
            return
        del running  # or this thread would keep it alive while it waits
