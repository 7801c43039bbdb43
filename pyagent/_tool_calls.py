"""Makes the calls of one answer side by side. What is the same for threads and for tasks is here, and the threads.

A `Batch` knows which call is next, which run, and what has come of each. It does not wait: whoever drives it does, for
its outbox, where the calls that run put what they have come to. Only the driver changes a batch, so it needs no lock.
A function in a thread cannot be stopped; when its time is up or nobody waits any more, it is left to itself."""

from __future__ import annotations

from contextvars import copy_context
from inspect import isawaitable
from queue import Empty, SimpleQueue
from threading import Thread, current_thread, main_thread
from time import monotonic

from . import _checks, events
from ._tool_content import content_of
from .errors import ConfigurationError, ResponseParseError, StreamCancelledError, ToolError
from .tools import Tool, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator
    from typing import Any

    from ._option_types import Approve, ToolLike
    from .response import ToolCall


# Python runs signal handlers only between two steps of the main thread, so it wakes up often enough for Ctrl-C.
_MAIN_SLICE = 0.05


class CallOptions:
    """The tools, and how they are called: what a run and a single step have in common."""

    __slots__ = ("tools", "declarations", "approve", "timeout", "concurrency", "raise_errors")

    def __init__(
        self,
        tools: Iterable[ToolLike],
        approve: Approve | None,
        tool_timeout: float | None,
        concurrency: int,
        raise_tool_errors: bool,
    ) -> None:
        self.tools: dict[str, Tool[..., Any]] = {}
        self.declarations: list[dict[str, Any]] = []
        for number, item in enumerate(_listed(tools)):
            self._add(f"tools[{number}]", item)
        if approve is not None and not callable(approve):
            raise _checks.wrong("approve", "a function of a ToolCall", approve)
        self.approve = approve
        self.timeout = _checks.seconds("tool_timeout", tool_timeout)
        if _checks.integer("concurrency", concurrency) < 1:
            raise _checks.wrong("concurrency", "a whole number, 1 or more", concurrency)
        self.concurrency = concurrency
        self.raise_errors = _checks.flag("raise_tool_errors", raise_tool_errors)

    def _add(self, place: str, item: Any) -> None:
        if isinstance(item, dict):
            if item.get("type") in ("function", "custom"):
                raise ConfigurationError(
                    f"{place} declares a tool and has no function that could be called; give the function.",
                    param="tools",
                )
            self.declarations.append(item)  # a tool that the vendor runs
            return
        made = to_tool(place, item)
        if made.name in self.tools:
            raise ConfigurationError(f"{place} is the second tool with the name {made.name!r}.", param="tools")
        self.tools[made.name] = made
        self.declarations.append(made.to_dict())


def to_tool(place: str, item: Any) -> Tool[..., Any]:
    """A Tool, or a function made into one."""
    if isinstance(item, Tool):
        return item
    if not callable(item):
        raise _checks.wrong(place, "a function, a Tool or a dict in OpenAI's form", item)
    return Tool(item)


def _listed(tools: Any) -> list[Any]:
    if isinstance(tools, (str, dict, Tool)) or not hasattr(tools, "__iter__"):
        raise _checks.wrong("tools", "a list of functions and Tool objects", tools)
    return list(tools)


class Job:
    """One call: first checked, then perhaps made. `result` is there when nothing more is to be done for it."""

    __slots__ = ("call", "tool", "args", "named", "timeout", "started", "result", "cancel")

    def __init__(self, call: ToolCall, options: CallOptions) -> None:
        self.call = call
        self.tool = options.tools.get(call.name)
        self.args: list[Any] = []
        self.named: dict[str, Any] = {}
        self.timeout = options.timeout
        self.started = 0.0
        self.result: ToolResult | None = None
        self.cancel: Callable[[], object] = _do_nothing
        if self.tool is None:
            known = ", ".join(options.tools) or "none"
            self._refuse("unknown", f"There is no tool {call.name!r}; the tools are: {known}.")
            return
        if self.tool.timeout is not None:
            self.timeout = self.tool.timeout
        try:
            self.args, self.named = self.tool.bind(call.parsed)
        except (ToolError, ResponseParseError) as error:
            self._refuse("invalid", error.message, error)

    @property
    def deadline(self) -> float:
        """When its time is up, by the clock `monotonic`."""
        return self.started + self.timeout if self.timeout else float("inf")

    def judge(self, verdict: Any) -> None:
        """Takes what `approve` returned.

        Raises:
            ConfigurationError: That is nothing that it may return, or arguments that do not fit.
        """
        if verdict is False or isinstance(verdict, str):
            self._refuse("denied", f"The call was denied: {verdict}" if verdict else "The call was denied.")
        elif isinstance(verdict, dict) and self.tool is not None:
            try:
                self.args, self.named = self.tool.bind(verdict)
            except ToolError as error:
                raise ConfigurationError(f"approve changed the arguments. {error.message}", param="approve") from None
        elif verdict is not True:
            raise ConfigurationError(
                "approve must return True, False, a reason (str) or changed arguments (dict), got "
                f"{verdict!r} ({type(verdict).__name__}).",
                param="approve",
            )

    def invoke(self) -> Any:
        """Calls the function."""
        return self.tool.function(*self.args, **self.named)  # type: ignore[union-attr]

    def finish(self, value: Any, error: BaseException | None) -> None:
        """Notes what the function has come to. An error that is no Exception is one that cancelled it."""
        seconds = monotonic() - self.started
        if error is None and isinstance(value, BaseException):
            value, error = None, value
        try:
            content = "" if error is not None else content_of(value)
        except (TypeError, ValueError, RecursionError) as problem:
            error = ToolError(f"The result of {self.call.name} cannot be told to the model: {problem}")
            error.__cause__ = problem
        if error is None:
            self.result = ToolResult(self.call, "ok", content, value=value, seconds=seconds)
        else:
            self.result = ToolResult(self.call, "failed", _words(error), value=value, error=error, seconds=seconds)

    def expire(self) -> None:
        """Notes that its time is up, and cancels it."""
        self.cancel()
        error = ToolError(f"The tool {self.call.name} did not answer within {self.timeout:g} seconds.")
        self.result = ToolResult(self.call, "timeout", error.message, error=error, seconds=monotonic() - self.started)

    def _refuse(self, outcome: str, text: str, error: BaseException | None = None) -> None:
        self.result = ToolResult(self.call, outcome, text, error=error)


class Batch:
    """The calls of one answer."""

    __slots__ = ("jobs", "_waiting", "_running", "_options")

    def __init__(self, jobs: list[Job], options: CallOptions) -> None:
        self.jobs = jobs
        self._options = options
        self._waiting = [job for job in jobs if job.result is None]
        self._running: list[Job] = []

    @property
    def unfinished(self) -> bool:
        return bool(self._waiting or self._running)

    @property
    def results(self) -> list[ToolResult]:
        """What has come of the calls, in their order, as far as it is known."""
        return [job.result for job in self.jobs if job.result is not None]

    def refused(self) -> Iterator[events.Event]:
        """The events of those that are not made."""
        return iter([events.ToolFinished(result) for result in self.results])

    def start(self, launch: Callable[[Job], Callable[[], object]]) -> Iterator[events.Event]:
        """Starts as many as there is room for."""
        while self._waiting and len(self._running) < self._options.concurrency:
            job = self._waiting.pop(0)
            job.started = monotonic()
            self._running.append(job)
            job.cancel = launch(job)
            yield events.ToolStarted(job.call)

    def patience(self) -> float | None:
        """Seconds until the next one's time is up; None for any number."""
        nearest = min((job.deadline for job in self._running), default=float("inf"))
        return None if nearest == float("inf") else max(0.0, nearest - monotonic())

    def take(self, report: tuple[Job, Any, BaseException | None] | None) -> Iterator[events.Event]:
        """Takes in what one of them has come to, and ends those whose time is up.

        Raises:
            BaseException: What a function raised, if that was asked for; SystemExit and KeyboardInterrupt always.
        """
        finished = []
        if report is not None and report[0] in self._running:  # and not one whose time was up before
            job, value, error = report
            if isinstance(error, (SystemExit, KeyboardInterrupt)):
                raise error
            job.finish(value, error)
            finished.append(job)
        now = monotonic()
        for job in self._running:
            if job.result is None and job.deadline <= now:
                job.expire()
                finished.append(job)
        self._running = [job for job in self._running if job.result is None]
        for job in finished:
            result = job.result
            if self._options.raise_errors and result is not None and result.error is not None:
                raise result.error
            if result is not None:
                yield events.ToolFinished(result)

    def cancel(self) -> None:
        """Ends those that run, as far as that is possible."""
        for job in self._running:
            job.cancel()


class Live:
    """What is going on in a run, so that it can be ended from outside: a stream of the model, or calls of its tools."""

    __slots__ = ("stream", "batch", "box", "closed", "then")

    def __init__(self) -> None:
        self.stream: Any = None  # a Stream or an AsyncStream
        self.batch: Batch | None = None
        self.box: Any = None  # where somebody may wait for the batch
        self.closed = False
        self.then: Callable[[], object] | None = None  # what else is to happen at its end, as often as it is ended

    def check(self) -> None:
        """Looks whether somebody has ended it.

        Raises:
            StreamCancelledError: So it is.
        """
        if self.closed:
            raise StreamCancelledError("The stream was closed before its end; its run has what was done.")

    def close(self) -> None:
        """Ends it: from any thread, any number of times."""
        self.closed = True
        stream, batch, box = self.stream, self.batch, self.box
        if stream is not None:
            stream._close()
        if batch is not None:
            batch.cancel()
        if box is not None:
            box.put(None)
        if self.then is not None:
            self.then()


class Calls:
    """The calls of one answer, made in threads."""

    __slots__ = ("_batch", "_box", "_live", "_events")

    def __init__(self, calls: list[ToolCall], options: CallOptions, live: Live) -> None:
        jobs = [Job(call, options) for call in calls]
        for job in jobs:
            if options.approve is not None and job.result is None:
                job.judge(_not_awaitable(options.approve(job.call)))
        self._batch = live.batch = Batch(jobs, options)
        self._box: SimpleQueue[Any] = SimpleQueue()
        live.box = self._box
        self._live = live
        self._events = self._batch.refused()

    def step(self) -> list[events.Event]:
        """What has happened since the last time; waits until there is something. Nothing, when all have a result."""
        batch, found = self._batch, list(self._events)
        self._events = iter(())
        while not found and batch.unfinished:
            self._live.check()
            found = list(batch.start(lambda job: launch_in_thread(job, self._box.put)))
            if not found:
                found = list(batch.take(_get(self._box, batch.patience())))
        return found

    @property
    def results(self) -> list[ToolResult]:
        """What has come of the calls, in their order."""
        return self._batch.results


def _not_awaitable(verdict: Any) -> Any:
    if not isawaitable(verdict):
        return verdict
    getattr(verdict, "close", _do_nothing)()
    raise ConfigurationError(
        "approve is a coroutine function, which only the methods for coroutines await; give a function.",
        param="approve",
    )


def _get(box: SimpleQueue[Any], seconds: float | None) -> Any:
    """What is put into the box within so many seconds, or None; in the main thread also None after a slice of them."""
    if current_thread() is main_thread():
        seconds = _MAIN_SLICE if seconds is None else min(seconds, _MAIN_SLICE)
    try:
        return box.get(timeout=seconds)
    except Empty:
        return None


def launch_in_thread(job: Job, report: Callable[[Any], object]) -> Callable[[], object]:
    """Makes a call in a thread. Returns what cancels it."""
    return start_thread(job.call.name, job.invoke, lambda end: report((job, *end)))


def start_thread(
    name: str, invoke: Callable[[], Any], report: Callable[[tuple[Any, BaseException | None]], object]
) -> Callable[[], object]:
    """Calls a function in a thread of its own, in the caller's context, and reports its value and its error.

    Returns:
        What cancels it, if it is a coroutine function.
    """
    worker = _Worker(invoke, report)
    # A daemon: a function that never returns shall not keep the program from ending.
    thread = Thread(target=copy_context().run, args=(worker.run,), name=f"pyagent tool {name}", daemon=True)
    thread.start()
    return worker.cancel


class _Worker:
    """What a thread does. A coroutine is run to its end in an event loop of its own, which can be told to cancel it."""

    __slots__ = ("_invoke", "_report", "_loop", "_task", "_cancelled")

    def __init__(self, invoke: Callable[[], Any], report: Callable[[tuple[Any, BaseException | None]], object]) -> None:
        self._invoke = invoke
        self._report = report
        self._loop: Any = None
        self._task: Any = None
        self._cancelled = False

    def run(self) -> None:
        value = error = None
        try:
            value = self._invoke()
            if isawaitable(value):
                from asyncio import run

                value = run(self._await(value))
        except BaseException as problem:  # noqa: BLE001  # the driver decides what becomes of it
            error = problem
        self._report((value, error))

    def cancel(self) -> None:
        self._cancelled = True
        if self._task is not None:
            try:  # noqa: SIM105  # importing contextlib is slow
                self._loop.call_soon_threadsafe(self._task.cancel)
            except RuntimeError:  # the loop has ended
                pass

    async def _await(self, value: Awaitable[Any]) -> Any:
        from asyncio import current_task, get_running_loop

        self._loop = get_running_loop()
        self._task = current_task()
        if self._cancelled:
            self._task.cancel()
        return await value


def _words(error: BaseException) -> str:
    """What the model is told of an error."""
    if isinstance(error, ToolError):
        return error.message
    if not isinstance(error, Exception):
        return "The tool was cancelled."
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _do_nothing() -> None:
    """Cancels what cannot be cancelled, or needs not."""
