"""Makes the calls of one answer side by side, for coroutines: coroutine functions are tasks, other functions run in
threads. It is the twin of `run_calls`, over asyncio and trio."""

from __future__ import annotations

import sys
from asyncio import events as loops
from inspect import isawaitable
from typing import Any

from . import _opening, events
from ._aio import in_trio
from ._tool_calls import Batch, Job, launch_in_thread, start_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Coroutine, Iterator

    from ._tool_calls import CallOptions, Live
    from .response import ToolCall
    from .tools import Tool, ToolResult


class Outbox:
    """Where calls put what they have come to, from any thread, and where a task of one event loop waits for it."""

    __slots__ = ("_reports", "_loop", "_waiter")

    def __init__(self) -> None:
        self._reports: list[Any] = []
        self._loop = loops.get_running_loop()
        self._waiter: Future[None] | None = None

    def put(self, report: Any) -> None:
        """Adds a report and wakes who waits."""
        self._reports.append(report)
        self._call_soon(self._wake)

    async def get(self, seconds: float | None) -> Any:
        """Waits for a report, which it returns; None if there is none after so many seconds, or without a limit."""
        if not self._reports:
            self._waiter = self._loop.create_future()
            timer = None if seconds is None else self._loop.call_later(seconds, self._wake)
            try:
                await self._waiter
            finally:
                self._waiter = None
                if timer is not None:
                    timer.cancel()
        return self._reports.pop(0) if self._reports else None

    def spawn(self, job: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
        """Runs a job in a task of its own, and returns what cancels it: from any thread, at any time."""
        task = self._loop.create_task(job())
        return lambda: self._call_soon(task.cancel)

    def _call_soon(self, function: Callable[[], object]) -> None:
        try:  # noqa: SIM105  # importing contextlib is slow
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:  # the loop is closed: nobody waits
            pass

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def open_outbox() -> Any:
    """An outbox for whatever runs the calling task.

    Raises:
        RuntimeError: Neither asyncio nor trio runs here.
    """
    if "trio" in sys.modules and in_trio():
        with _opening.lock:
            from ._trio import TrioOutbox

        return TrioOutbox()
    return Outbox()


class AsyncCalls:
    """The calls of one answer: the twin of Calls for coroutines."""

    __slots__ = ("_batch", "_box", "_live", "_events")

    _batch: Batch
    _box: Any
    _live: Live
    _events: Iterator[events.Event]

    @classmethod
    async def begin(cls, calls: list[ToolCall], options: CallOptions, live: Live) -> AsyncCalls:
        """Checks the calls, and asks `approve` about each."""
        made = cls()
        jobs = [Job(call, options) for call in calls]
        for job in jobs:
            if options.approve is not None and job.result is None:
                verdict = options.approve(job.call)
                job.judge(await verdict if isawaitable(verdict) else verdict)
        made._batch = live.batch = Batch(jobs, options)
        made._box = live.box = open_outbox()
        made._live = live
        made._events = made._batch.refused()
        return made

    async def step(self) -> list[events.Event]:
        """What has happened since the last time; waits until there is something. Nothing, when all have a result."""
        batch, found = self._batch, list(self._events)
        self._events = iter(())
        while not found and batch.unfinished:
            self._live.check()
            found = list(batch.start(lambda job: _launch(job, self._box)))
            if not found:
                found = list(batch.take(await self._box.get(batch.patience())))
        return found

    @property
    def results(self) -> list[ToolResult]:
        """What has come of the calls, in their order."""
        return self._batch.results


def _launch(job: Job, box: Any) -> Callable[[], object]:
    if job.tool is not None and not job.tool.is_async:
        return launch_in_thread(job, box.put)

    async def run() -> None:
        try:
            value = await job.invoke()
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001  # the driver decides about it
            box.put((job, None, error))
        except BaseException as error:  # cancelled
            box.put((job, None, error))
            raise
        else:
            box.put((job, value, None))

    cancel: Callable[[], object] = box.spawn(run)
    return cancel


async def acall_in_thread(tool: Tool[..., Any], args: list[Any], named: dict[str, Any]) -> Any:
    """Calls a function in a thread, and returns or raises what it does."""
    box = open_outbox()
    start_thread(tool.name, lambda: tool.function(*args, **named), box.put)
    value, error = await box.get(None)
    if error is not None:
        raise error
    return value
