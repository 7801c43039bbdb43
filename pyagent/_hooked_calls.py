"""The calls of requests that have hooks, in the place of Call and AsyncCall, and who calls the hooks for them."""

from __future__ import annotations

from . import _request
from ._hooked import Hooked, hook_error
from .errors import HookError, StreamCancelledError
from .hooks import Hooks, RequestContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from ._assembly import Assembly
    from ._hook_entry import Entry
    from ._hooked import Steps
    from .provider import Provider

    Value = TypeVar("Value")


def hooked(provider: Provider, op: str, arguments: dict[str, Any], hooks: Hooks | None) -> Hooked:
    """A request made of a method's local variables, before its hooks have seen it."""
    given = {
        name: _copied(value) for name, value in arguments.items() if value is not None and name not in {"self", "hooks"}
    }
    context = RequestContext(
        op,
        given,
        model=provider._model,
        base_url=provider._base_url,
        vendor=provider._config["provider"],
        with_options=provider._with_options,
    )
    return Hooked(context, Hooks() if hooks is None else hooks)


def run(steps: Steps[Value]) -> Value:
    """Calls what the steps want called."""
    try:
        step = next(steps)
        while True:
            entry, function, arguments = step
            try:
                reply = function(*arguments)
                _refuse_awaitable(reply)
            except Exception as error:  # noqa: BLE001  # a function of the user's may raise anything
                step = steps.throw(_hook_error(entry, error))
            else:
                step = steps.send(reply)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


async def arun(steps: Steps[Value]) -> Value:
    """Calls what the steps want called, and awaits it where it wants that."""
    try:
        step = next(steps)
        while True:
            entry, function, arguments = step
            try:
                reply = function(*arguments)
                if hasattr(reply, "__await__"):
                    reply = await reply
            except Exception as error:  # noqa: BLE001  # a function of the user's may raise anything
                step = steps.throw(_hook_error(entry, error))
            else:
                step = steps.send(reply)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def _refuse_awaitable(reply: Any) -> None:
    if hasattr(reply, "__await__"):
        if hasattr(reply, "close"):
            reply.close()  # or Python would warn that nobody awaited it
        raise TypeError("it gave something to await; where nobody can, it must be an ordinary function")


def _hook_error(entry: Entry, error: Exception) -> HookError:
    failure = hook_error(entry.name, f"failed: {type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure


def _copied(value: Any) -> Any:
    """Dicts and lists anew, so that a hook that changes them does not change those of the caller."""
    try:
        return _copy(value)
    except RecursionError:  # it contains itself, which encoding the request will say
        return value


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


class HookedCall:
    """A request on its way whose frames pass through hooks."""

    __slots__ = ("assembly", "runtime", "_call", "_hooked")

    def __init__(self, provider: Provider, request: Hooked) -> None:
        self._hooked = request
        request.refuse_async()
        answer = run(request.begin())
        self._call: Any = provider._connect().start(run(request.encode())) if answer is None else request.play(answer)
        self.assembly: Assembly = request.assembly
        self.runtime = self._call.runtime

    def receive(self, *, until: float | None = None) -> bytes | None:
        """Waits as Call does, then runs hooks. What they leave may be b""."""
        _raise_failure(self._hooked)
        data = self._call.receive(until=until)
        if data is None:
            return None
        try:
            left = run(self._hooked.take_in(data))
        except BaseException:
            self._call.close()
            raise
        if self._hooked.failure is not None:
            self._call.close()
            if not left:
                _raise_failure(self._hooked)
        return left

    def cancel(self) -> None:
        """As that of Call."""
        self._call.cancel()

    def end(self) -> None:
        """As that of Call."""
        self._call.end()

    def close(self) -> None:
        """As that of Call."""
        self._call.close()


def _raise_failure(request: Hooked) -> None:
    failure = request.failure
    if isinstance(failure, HookError):
        # What is raised the next time: an exception that was kept would hold the frames that it went through.
        request.failure = HookError(failure.message, partial_text=failure.partial_text)
        request.failure.hook = failure.hook
        raise failure


class AsyncHookedCall:
    """The twin of HookedCall for coroutines. Where something must be awaited before the request, it is sent when it is
    first read."""

    __slots__ = ("assembly", "_provider", "_call", "_hooked", "_ready", "_closed")

    def __init__(self, provider: Provider, request: Hooked) -> None:
        self._hooked = request
        self._ready = b""
        self._closed = False
        self._provider = provider
        self._call: Any = None
        self.assembly: Assembly = request.assembly
        if not request.waits_before:
            answer = run(request.begin())
            self._start(request.play(answer) if answer is not None else self._submit(run(self._encode())))

    @property
    def runtime(self) -> Any:
        """That of the call; of a played one as long as there is none."""
        from ._played import PlayedCall

        return PlayedCall.runtime if self._call is None else self._call.runtime

    def take(self) -> bytes:
        """What the hooks have left of what has arrived."""
        self.runtime.check_alive()
        ready, self._ready = self._ready, b""
        if not ready:
            _raise_failure(self._hooked)
        return ready

    async def arrival(self, seconds: float | None = None) -> None:
        """Waits until something has arrived and has passed the hooks; what they leave may be nothing."""
        if self._closed:
            raise StreamCancelledError("The request was closed before its end.")
        try:
            if self._call is None:
                answer = await arun(self._hooked.begin())
                request = b"" if answer is not None else await arun(self._encode())
                if not self._closed:
                    self._start(self._submit(request) if answer is None else self._hooked.play(answer))
                return
            data = self._call.take()
            if data:
                self._ready = await arun(self._hooked.take_in(data))
                if self._hooked.failure is not None:
                    self._call.close()
            else:
                await self._call.arrival(seconds)
        except BaseException:
            self.close()
            raise

    def cancel(self) -> None:
        """As that of AsyncCall."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()

    def end(self) -> None:
        """As that of AsyncCall."""
        if self._call is not None:
            self._call.end()

    def close(self) -> None:
        """As that of AsyncCall."""
        self._closed = True
        if self._call is not None:
            self._call.close()

    def _encode(self) -> Steps[bytes]:
        return self._hooked.encode(_request.WINDOW if self._hooked.context.operation == "stream" else 0)

    def _submit(self, request: bytes) -> Any:
        return self._provider._submit(request)

    def _start(self, call: Any) -> None:
        self._call = call
        if self._closed:
            call.close()
