"""Hooks: functions of yours around every request, such as logs, caches and filters.

    from pyagent import Hooks, Provider

    def be_brief(context):
        context.arguments.setdefault("max_tokens", 100)

    provider = Provider("openai/gpt-4o-mini", hooks=Hooks(request=[be_brief]))

Hooks lie around a request like the skins of an onion. The request passes them from the outermost to the innermost, and
what comes back passes them the other way round. Which is further out is said by their priorities, then by their order:
those of a Provider before those of a call. _hooked.py runs them."""

from __future__ import annotations

import math

from . import _checks
from ._hook_entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from typing import Any, Union

    from .errors import PyAgentError
    from .events import Event
    from .response import Response

    Answered = Union[Response, None]
    RequestHook = Callable[["RequestContext"], Union[Answered, Awaitable[Answered]]]
    ResponseHook = Callable[["RequestContext", Response], Union[Answered, Awaitable[Answered]]]
    Seen = Union[Event, "Drop", None]
    StreamHook = Callable[["RequestContext", Event], Union[Seen, Awaitable[Seen]]]

__all__ = ["DROP", "Drop", "Hook", "Hooks", "RequestContext"]


class Drop:
    """What DROP is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "DROP"

    def __reduce__(self) -> str:
        return "DROP"


DROP = Drop()
"""What a stream hook returns for an event that nobody shall see."""


class RequestContext:
    """One request on its way through its hooks. All of them get the same object.

    Attributes:
        operation: "generate" for a whole answer, of `map` too; "stream" for a stream.
        provider: The vendor's name.
        base_url: Where the request goes, without secrets.
        request_id: An id of this request, made here. The vendor's own is `Response.request_id`.
        arguments: The arguments of the method that were given, by name. A request hook may change them; they are
            checked after the last one. They may hold an api_key.
        attempts: How many requests were sent so far: 0 before the first, and when a hook has answered.
        metadata: Yours, to pass something from one hook to another. Empty at first.
        started: When it began, in seconds since 1970 UTC.
    """

    __slots__ = (
        "operation", "provider", "request_id", "arguments", "attempts", "metadata", "started", "_model", "_base_url",
        "_vendor", "_notes", "_with_options",
    )  # fmt: skip

    def __init__(
        self,
        operation: str,
        arguments: dict[str, Any],
        *,
        model: str,
        base_url: str,
        vendor: str | dict[str, Any],
        with_options: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> None:
        from os import urandom
        from time import time

        self.operation = operation
        self.provider: str = vendor if isinstance(vendor, str) else str(vendor.get("name", ""))
        self.request_id = urandom(8).hex()
        self.arguments = arguments
        self.attempts = 0
        self.metadata: dict[str, Any] = {}
        self.started = time()
        self._model = model
        self._base_url = base_url
        self._vendor = vendor
        self._with_options = with_options
        self._notes: dict[int, Any] = {}  # of hooks of this package, by their id

    @property
    def model(self) -> str:
        """The model that is asked: the one among the arguments, or the Provider's."""
        model = self.arguments.get("model")
        return self._model if model is None else str(model)

    @property
    def base_url(self) -> str:
        """Where the request goes, without secrets."""
        from ._environment import without_secrets

        return without_secrets(str(self.arguments.get("base_url") or self._base_url))

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What is asked as a list of messages, whichever way it was given. To change it, set arguments["messages"]."""
        from . import _request

        return _request.messages_of(self.arguments)

    def _request(self) -> dict[str, Any]:
        """The arguments as a request is made of them.

        Raises:
            ConfigurationError: There is one that no method has, or the options are wrong.
        """
        from . import _request

        _request.check_names(self.arguments)
        return self._with_options({"options": None, **self.arguments})

    def __repr__(self) -> str:  # without the arguments: they hold keys and other people's words
        return (
            f"RequestContext(operation={self.operation!r}, provider={self.provider!r}, model={self.model!r}, "
            f"request_id={self.request_id!r})"
        )


class Hook:
    """The base of hooks that do several things: a subclass has those of the methods that it needs.

    Each method may be a coroutine function; then the hook serves the methods of Provider for coroutines only. One hook
    serves all threads and loops that its Provider does.

    Attributes:
        priority: The higher it is, the further out the hook lies.
    """

    priority: float = 0

    def on_request(self, context: RequestContext) -> Answered | Awaitable[Answered]:
        """Sees, and may change, the arguments of a request. A Response is the answer: nothing is sent."""

    def on_event(self, context: RequestContext, event: Event) -> Seen | Awaitable[Seen]:
        """Sees an event of a stream. Another event of the same class takes its place, DROP takes it away."""

    def on_response(self, context: RequestContext, response: Response) -> Answered | Awaitable[Answered]:
        """Sees the whole answer, that of a stream when it ends. Another Response takes its place."""

    def on_error(self, context: RequestContext, error: PyAgentError) -> Awaitable[None] | None:
        """Sees why there is no answer. Of this and on_response one is called for a request, unless it is closed."""


class Hooks:
    """Hooks for a Provider or for one call. They do not change, and any number of threads may share them.

    `first + second` has the hooks of both, the first ones further out.

    Args:
        hooks: Hook objects, such as LoggingHook().
        request: Functions of the RequestContext that run before a request is sent. One that returns a Response has
            answered: nothing is sent, and hooks further in take no part.
        response: Functions of the RequestContext and the Response. One that returns a Response replaces it.
        stream: Functions of the RequestContext and an event of a stream. One that returns an event of the same class
            replaces it; DROP takes it away.

    Each function may be a coroutine function, for the methods for coroutines. In place of a function there may be a
    pair of a function and its priority, a number, which is 0 otherwise. The higher it is, the further out the hook
    lies: it runs earlier on the way out and later on the way back. With equal priorities the order given decides, first
    that of `hooks`, then request, stream and response.

    Raises:
        ConfigurationError: Something is no hook. A ValueError.
    """

    __slots__ = ("_entries",)

    def __init__(
        self,
        *hooks: Hook,
        request: Iterable[RequestHook | tuple[RequestHook, float]] = (),
        response: Iterable[ResponseHook | tuple[ResponseHook, float]] = (),
        stream: Iterable[StreamHook | tuple[StreamHook, float]] = (),
    ) -> None:
        entries = [_entry_of(hook) for hook in hooks]
        for name, part, given in (("request", "request", request), ("stream", "event", stream)):
            entries += _entries_of(name, part, given)
        entries += _entries_of("response", "response", response)
        self._entries: tuple[Entry, ...] = _in_order(entries)

    def __add__(self, other: Hooks) -> Hooks:
        if not isinstance(other, Hooks):
            return NotImplemented
        both = Hooks()
        both._entries = _in_order([*self._entries, *other._entries])
        return both

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<Hooks {', '.join(entry.name for entry in self._entries) or 'none'}>"


def _in_order(entries: list[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: -entry.priority))


def _entry_of(hook: Any) -> Entry:
    if not isinstance(hook, Hook):
        expected = "Hook objects; functions are given as request=[...], response=[...] or stream=[...]"
        raise _checks.wrong("hooks", expected, hook)
    kind = type(hook)
    parts = {
        part: getattr(hook, "on_" + part)
        for part in ("request", "event", "response", "error")
        if getattr(kind, "on_" + part) is not getattr(Hook, "on_" + part)
    }
    name = _name_of(kind)
    return Entry(name, _priority(name, hook.priority), record=getattr(hook, "_record", None), **parts)


def _entries_of(name: str, part: str, given: Any) -> list[Entry]:
    if callable(given) or not hasattr(given, "__iter__"):
        raise _checks.wrong(name, "a list of functions", given)
    entries = []
    for number, item in enumerate(given):
        function, priority = item if isinstance(item, tuple) and len(item) == 2 else (item, 0)
        if not callable(function):
            raise _checks.wrong(f"{name}[{number}]", "a function, or a pair of a function and its priority", function)
        entries.append(Entry(_name_of(function), _priority(f"{name}[{number}]", priority), **{part: function}))
    return entries


def _priority(place: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        raise _checks.wrong(f"the priority of {place}", "a number", value)
    return value


def _name_of(function: Any) -> str:
    inner = getattr(function, "func", function)  # of functools.partial
    return str(getattr(inner, "__qualname__", type(inner).__qualname__)).rpartition("<locals>.")[2]
