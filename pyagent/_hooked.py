"""Hooked: one request and its hooks, and the calls that stand in for those of the core while there are any.

What runs when is written once, in generators that yield what is to be called: `run` calls it in ordinary code, `arun`
in a coroutine, where it may be awaited. A stream's frames are decoded into events for the hooks and encoded again, so
that whoever reads the stream needs to know nothing of hooks, and everything that he sees of it agrees."""

from __future__ import annotations

from . import _frames, _request
from ._assembly import Assembly
from ._kinds import make_error
from ._make_events import events_of
from ._played import CHANGEABLE, PlayedCall, Recording, frame, frame_of, frames_of
from .errors import ConfigurationError, HookError, PyAgentError
from .hooks import DROP, RequestContext
from .response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeVar

    from ._hook_entry import Entry
    from .hooks import Hooks

    Value = TypeVar("Value")
    # What is to be called, of which hook; what it gives; what comes of it all.
    Steps = Generator[tuple[Entry, Callable[..., Any], tuple[Any, ...]], Any, Value]

_COROUTINE = 0x80  # the flag of a coroutine function's code; inspect, which knows it by name, is slow to import
_METHODS = {"generate": "generate_text, generate and map", "stream": "stream_text and stream"}


class Hooked:
    """The state of one request between its hooks. Nothing here waits."""

    __slots__ = ("context", "assembly", "failure", "_entries", "_live", "_own", "_held")

    def __init__(self, context: RequestContext, hooks: Hooks) -> None:
        self.context = context
        self.assembly = Assembly()  # for whoever reads the call; given a Response that hooks have made
        self.failure: PyAgentError | None = None  # that of a hook, for whoever reads on
        self._entries = hooks._entries
        self._live: list[Entry] = []  # those that the request has passed, the innermost first
        self._own = Assembly()  # what has been received, as the hooks have left it
        self._held: list[bytes] = []  # the frames of a whole answer, up to its end

    @property
    def waits_before(self) -> bool:
        """Whether what is to be run before the request needs a coroutine."""
        return any(_is_async(entry.request) for entry in self._entries if entry.request is not None)

    def refuse_async(self) -> None:
        """Refuses hooks that ordinary code cannot call.

        Raises:
            ConfigurationError: One is a coroutine function.
        """
        for entry in self._entries:
            if any(_is_async(part) for part in entry.parts):
                methods = _METHODS[self.context.operation]
                raise ConfigurationError(
                    f"The hook {entry.name} is a coroutine function, which {methods} cannot await: use the methods "
                    "of the same name with an a in front, or make it an ordinary function.",
                    param="hooks",
                )

    def begin(self) -> Steps[Recording | Response | None]:
        """Takes the request through its hooks. Gives their answer; None if it is to be sent."""
        for entry in self._entries:
            answer = None
            if entry.request is not None:
                try:
                    answer = yield entry, entry.request, (self.context,)
                    _check(entry, answer, (Response, Recording), "None or a Response")
                except HookError as error:
                    raise (yield from self._tell(error))  # noqa: B904  # it says itself where it comes from
            self._live.insert(0, entry)
            if answer is not None:
                return answer  # type: ignore[no-any-return]
        return None

    def encode(self, window: int = 0) -> Steps[bytes]:
        """The request as its hooks have left it."""
        context = self.context
        try:
            arguments = context._request()
            if "include_usage" in context.arguments and "include_raw" not in context.arguments:  # what gives text only
                _request.refuse_several(context.arguments.get("n"), "this method")
            data = _request.encode(context.operation, context.model, arguments, window)
        except PyAgentError as error:
            raise (yield from self._tell(error))  # noqa: B904  # it says itself where it comes from
        context.attempts = 1
        return data

    def play(self, answer: Recording | Response) -> PlayedCall:
        """The call of an answer that a hook has given."""
        recording = answer if isinstance(answer, Recording) else Recording(b"", answer)
        self._replace(recording.response)
        return PlayedCall(recording.frames or frames_of(recording.response))

    def take_in(self, data: bytes) -> Steps[bytes]:
        """Takes frames through the hooks of what comes back. Gives those that are left, up to where a hook failed."""
        found: list[bytes] = []
        try:
            for kind, flags, index, payload in _frames.split(data):
                if kind == _frames.ERROR:
                    error = yield from self._tell(make_error(_frames.parse(payload), self._own.text))
                    if isinstance(error, HookError):
                        raise error
                    found.append(frame(kind, index, payload))
                elif self.context.operation == "stream":
                    left = yield from self._pass(kind, flags, index, payload)
                    if kind == _frames.FINISH:
                        yield from self._finish()
                    found += left
                else:
                    found += yield from self._hold(kind, frame(kind, index, payload, flags))
        except HookError as error:
            error.partial_text = self._own.text
            self.failure = yield from self._tell(error)
        return b"".join(found)

    def _hold(self, kind: int, whole: bytes) -> Steps[list[bytes]]:
        """Keeps the frames of a whole answer until it is there."""
        self._own.add(whole)
        self._held.append(whole)
        if kind != _frames.FINISH:
            return []
        changed = yield from self._finish()
        return [frames_of(self.assembly.response)] if changed else self._held

    def _pass(self, kind: int, flags: int, index: int, payload: bytes) -> Steps[list[bytes]]:
        """Takes one frame of a stream through the hooks, from the innermost out. Gives the frames that are left."""
        if kind in CHANGEABLE:
            value = _frames.deltas(flags, payload) if kind < _frames.FIRST_JSON else _frames.parse(payload)
            items: list[tuple[Any, bytes]] = [(event, frame_of(event)) for event in events_of(kind, index, value)]
        else:
            whole = frame(kind, index, payload)
            made = [event for parsed in self._own.add_and_parse(whole) for event in events_of(*parsed)]
            items = [*((event, b"") for event in made), (None, whole)]
            if kind == _frames.RETRY:
                self.context.attempts = made[0].attempt + 1  # type: ignore[attr-defined]
        for entry in self._live:
            if entry.event is not None:
                items = yield from self._show(entry, items, kind in CHANGEABLE)
            if entry.record is not None and kind != _frames.RETRY:  # which nobody waits for when it is played
                entry.record(self.context, b"".join(data for _, data in items))
        left = [data for _, data in items]
        if kind in CHANGEABLE:
            for data in left:
                self._own.add(data)
        return left

    def _show(self, entry: Entry, items: list[tuple[Any, bytes]], changeable: bool) -> Steps[list[tuple[Any, bytes]]]:
        left = []
        for event, data in items:
            if event is None:
                left.append((event, data))
                continue
            reply = yield entry, entry.event, (self.context, event)  # type: ignore[misc]
            if reply is None or reply is event:
                left.append((event, data))
            elif not changeable:
                name = type(event).__name__
                raise hook_error(
                    entry.name, f"returned {_shown(reply)} for a {name}, which it can only see: return None."
                )
            else:
                if reply is not DROP:
                    _check(entry, reply, (type(event),), f"None, DROP or another {type(event).__name__}")
                    left.append((reply, frame_of(reply)))
                self._own._response = self.assembly._response = None  # a played answer is no longer what it was
        return left

    def _finish(self) -> Steps[bool]:
        """Takes the whole answer through the hooks. Gives whether it is another one now."""
        response = first = self._own.response
        if self.context.attempts:
            self.context.attempts = response.attempts
        while self._live:
            entry = self._live.pop(0)
            if entry.response is not None:
                reply = yield entry, entry.response, (self.context, response)
                _check(entry, reply, (Response,), "None or a Response")
                response = response if reply is None else reply
        if response is not first:
            self._replace(response)
        return response is not first

    def _tell(self, error: PyAgentError) -> Steps[PyAgentError]:
        """Tells the hooks that the request has passed that it failed. Gives what is to be raised."""
        self.context.attempts = error.attempts or self.context.attempts
        raised = error
        while self._live:
            entry = self._live.pop(0)
            if entry.error is not None:
                try:
                    yield entry, entry.error, (self.context, error)
                except HookError as another:
                    raised = another
        return raised

    def _replace(self, response: Response) -> None:
        self._own._response = self.assembly._response = response


def hook_error(hook: str, what: str) -> HookError:
    """The error of a hook, with its name."""
    error = HookError(f"The hook {hook} {what}")
    error.hook = hook
    return error


def _check(entry: Entry, reply: Any, kinds: tuple[type, ...], wanted: str) -> None:
    if reply is not None and not isinstance(reply, kinds):
        raise hook_error(entry.name, f"returned {_shown(reply)} ({type(reply).__name__}); it must return {wanted}.")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "..."


def _is_async(function: Any) -> bool:
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return code is not None and bool(code.co_flags & _COROUTINE)
