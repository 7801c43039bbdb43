"""Plan: which functions are to be called for what a stream brings. Nothing here waits, and nothing is called."""

from __future__ import annotations

from . import _frames, events
from ._stream_state import CANCELLED
from .errors import ConfigurationError
from .response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ._accumulation import Updates
    from ._stream_state import StreamState
    from .errors import PyAgentError

    Function = Callable[..., object]


class Task:
    """One call that is to be made; `name` is the method of Callbacks with which the function was named."""

    __slots__ = ("name", "function", "arguments")

    def __init__(self, name: str, function: Function, *arguments: Any) -> None:
        self.name = name
        self.function = function
        self.arguments = arguments


class Plan:
    """The functions that were named for one stream, and what each has been told.

    Attributes:
        due: The moment of time.monotonic() at which `news` is to be asked again though nothing has arrived.
    """

    __slots__ = ("due", "_stream", "_functions", "_listeners", "_updates", "_told_text", "_told_usage", "_ended")

    def __init__(self, stream: StreamState) -> None:
        self.due: float | None = None
        self._stream = stream
        self._functions: list[tuple[str, Function]] = []
        self._listeners: dict[type, list[tuple[str, Function, Callable[[Any], Any]]]] = {}
        self._updates: list[tuple[Function, Updates]] = []
        self._told_text = 0  # pieces
        self._told_usage = Usage()
        self._ended = False

    def add(self, name: str, function: Function) -> None:
        """Names one more function for what a method of Callbacks stands for.

        Raises:
            ConfigurationError: It cannot be called.
        """
        self._functions.append((name, _callable(name, function)))
        self._listeners.clear()

    def add_update(self, function: Function, every: float | None) -> None:
        """Names one that is shown snapshots."""
        self._updates.append((_callable("on_update", function), self._stream._updates(every)))

    def news(self, pending: Iterator[events.Event]) -> Iterator[Task]:
        """What to call for the events of one batch, which are read on the way."""
        yield from self._events(pending)
        # A function may have closed the stream, which has ended the events; then the rest is not called either.
        if self._stream._state != CANCELLED:
            yield from self._text_so_far()
        self.due = None
        for function, updates in self._updates:
            if self._stream._state == CANCELLED:
                return
            snapshot = updates.take()
            if snapshot is not None:
                yield Task("on_update", function, snapshot)
            if updates.due is not None and (self.due is None or updates.due < self.due):
                self.due = updates.due

    def failure(self, error: PyAgentError) -> Iterator[Task]:
        """What to call when reading has failed."""
        return self._each("on_error", error)

    def end(self) -> Iterator[Task]:
        """What to call when the stream has been read to its end, however that was."""
        response = self._stream._assembly.response
        if self._ended:
            return
        self._ended = True
        if response.usage != self._told_usage:
            yield from self._each("on_usage", response.usage)
        yield from self._each("on_finish", response)

    def _events(self, pending: Iterator[events.Event]) -> Iterator[Task]:
        for event in pending:
            kind = type(event)
            listeners = self._listeners.get(kind)
            if listeners is None:
                listeners = self._listeners[kind] = self._find(kind)
            for name, function, take in listeners:
                value = take(event)
                if value is not None:
                    yield Task(name, function, value)
            if isinstance(event, events.UsageEvent):
                self._told_usage = event.usage

    def _each(self, name: str, value: Any) -> Iterator[Task]:
        for wanted, function in self._functions:
            if wanted == name:
                yield Task(name, function, value)

    def _text_so_far(self) -> Iterator[Task]:
        listeners = [function for name, function in self._functions if name == "on_text_with_full"]
        pieces = self._stream._assembly.pieces(_frames.TEXT, 0) if listeners else []
        told, count = self._told_text, len(pieces)
        if count > told:
            self._told_text = count
            new = "".join(pieces[told:count])
            for function in listeners:
                full = self._stream._growing().text(_frames.TEXT, 0, count)
                yield Task("on_text_with_full", function, new, full)
                del full  # or the string would have two owners when it grows

    def _find(self, kind: type) -> list[tuple[str, Function, Callable[[Any], Any]]]:
        """Who is told of a kind of event, and of what in it."""
        found = []
        for name, function in self._functions:
            take = _same if name == "on_event" else _TAKES.get((name, kind))
            if take is not None:
                found.append((name, function, take))
        return found

    def __repr__(self) -> str:
        names = [name for name, _ in self._functions] + ["on_update"] * len(self._updates)
        return ", ".join(names) or "no functions"


def refuse_coroutine(task: Task, result: Any) -> None:
    """Refuses a coroutine that nobody here can await.

    Raises:
        ConfigurationError: It is one; other awaitables, such as tasks, run without being waited for.
    """
    if hasattr(result, "cr_await"):
        result.close()
        shown = getattr(task.function, "__qualname__", repr(task.function))
        raise ConfigurationError(
            f"{task.name} was given the coroutine function {shown}, and this stream cannot await it. Give an ordinary "
            "function, or start the stream with astream() or astream_text().",
            param=task.name,
        )


def _callable(name: str, function: Any) -> Function:
    if not callable(function):
        raise ConfigurationError(
            f"{name} must be given a function, got {function!r} ({type(function).__name__}).", param=name
        )
    return function  # type: ignore[no-any-return]


def _same(event: events.Event) -> events.Event:
    return event


def _of_first_choice(event: Any) -> str | None:
    return event.text if event.index == 0 else None


_TAKES: dict[tuple[str, type], Callable[[Any], Any]] = {
    ("on_text", events.TextDelta): _of_first_choice,
    ("on_reasoning", events.ReasoningDelta): _of_first_choice,
    ("on_tool_call", events.ToolCallEnd): lambda event: event.tool_call if event.choice == 0 else None,
    ("on_usage", events.UsageEvent): lambda event: event.usage,
}
