"""The inbox of a trio run. A system task of trio waits for its descriptor and ends with the run."""

from __future__ import annotations

from contextlib import suppress
from contextvars import copy_context
from weakref import WeakKeyDictionary

from trio import CancelScope, Event, RunFinishedError, lowlevel, move_on_after

from ._bell import Bell
from ._inbox import WRONG_LOOP, Inbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from ._call import Client
    from ._inbox import Mailbox


class TrioInbox(Inbox):
    """The inbox of one `trio.run`."""

    __slots__ = ("_run", "bell")

    def __init__(self, client: Client) -> None:
        self._run = lowlevel.current_trio_token()
        super().__init__(client.runtime)
        self.bell = Bell(self, client.number)

    def check_here(self) -> None:
        try:
            here = lowlevel.current_trio_token()
        except RuntimeError:
            here = None
        if here is not self._run:
            raise RuntimeError(WRONG_LOOP)

    def arrival(self, box: Mailbox) -> Awaitable[None]:
        self.check_here()
        box.waiter = lowlevel.current_task()

        def abort(_: object) -> lowlevel.Abort:
            box.waiter = None
            return lowlevel.Abort.SUCCEEDED

        return lowlevel.wait_task_rescheduled(abort)

    async def arrival_before(self, box: Mailbox, seconds: float) -> None:
        with move_on_after(seconds):
            await self.arrival(box)

    def wake(self, box: Mailbox) -> None:
        task, box.waiter = box.waiter, None
        lowlevel.reschedule(task)

    def spawn(self, job: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        scope, run = CancelScope(), self._run

        async def task() -> None:
            with scope:
                await job()

        def cancel() -> None:
            with suppress(RunFinishedError):
                run.run_sync_soon(scope.cancel)

        lowlevel.spawn_system_task(task, context=copy_context())
        return cancel


class TrioOutbox:
    """Where tool calls put what they have come to: the twin of the one for asyncio."""

    __slots__ = ("_reports", "_run", "_event")

    def __init__(self) -> None:
        self._reports: list[Any] = []
        self._run = lowlevel.current_trio_token()
        self._event = Event()

    def put(self, report: Any) -> None:
        self._reports.append(report)
        self._call_soon(self._wake)

    async def get(self, seconds: float | None) -> Any:
        if not self._reports:
            self._event = Event()
            with move_on_after(float("inf") if seconds is None else seconds):
                await self._event.wait()
        return self._reports.pop(0) if self._reports else None

    def spawn(self, job: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
        scope = CancelScope()

        async def task() -> None:
            with scope:
                await job()

        lowlevel.spawn_system_task(task, context=copy_context())
        return lambda: self._call_soon(scope.cancel)

    def _call_soon(self, function: Callable[[], object]) -> None:
        with suppress(RunFinishedError):
            self._run.run_sync_soon(function)

    def _wake(self) -> None:
        self._event.set()


_inboxes: WeakKeyDictionary[lowlevel.TrioToken, TrioInbox] = WeakKeyDictionary()


def current_inbox(client: Client) -> Inbox:
    """The inbox of the running `trio.run`."""
    run = lowlevel.current_trio_token()
    inbox = _inboxes.get(run)
    if inbox is None or inbox.closed or not inbox.runtime.alive:
        inbox = _inboxes[run] = TrioInbox(client)
        lowlevel.spawn_system_task(_drain, inbox)
    return inbox


async def _drain(inbox: TrioInbox) -> None:
    try:
        while not inbox.closed:
            await lowlevel.wait_readable(inbox.bell.descriptor)
            if inbox.bell.is_rung():
                inbox.drain()
    finally:  # the run is over
        inbox.close()
        inbox.bell.close()
