"""HookedSchedule: the schedule of many prompts, each of which passes through hooks on its way out and back."""

from __future__ import annotations

from . import _frames
from ._hooked_calls import arun, hooked, run
from ._map import Schedule
from ._stream_state import OPEN
from .errors import PyAgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._hooked import Hooked, Steps
    from ._lib import Handle
    from .hooks import Hooks
    from .provider import Provider

_OWN = frozenset({"self", "prompts", "concurrency", "ordered", "return_exceptions", "progress", "hooks"})


class HookedSchedule(Schedule):
    """A schedule for ordinary code, which runs hooks where they are due."""

    __slots__ = ("_provider", "_hooks", "_options", "_requests")

    def __init__(self, provider: Provider, arguments: dict[str, Any], hooks: Hooks) -> None:
        super().__init__(provider._model, provider._with_options(arguments))
        self._provider = provider
        self._hooks = hooks
        self._options = {name: value for name, value in arguments.items() if name not in _OWN}
        self._requests: dict[int, Hooked] = {}  # by call
        self._check()

    def ask(self, prompt: Any, start: Callable[[bytes], Handle]) -> None:
        index = self._asked
        self._asked += 1
        self._do(self._ask_hooked(index, prompt, start))

    def take_in(self, data: bytes) -> None:
        for call, frame in _frames.split_calls(data):
            self._do(self._take_in_hooked(call, frame))

    def _check(self) -> None:
        self._hooked({}).refuse_async()

    def _do(self, steps: Steps[None]) -> None:
        run(steps)

    def _hooked(self, asked: dict[str, Any]) -> Hooked:
        return hooked(self._provider, "generate", {**self._options, **asked}, self._hooks)

    def _ask_hooked(self, index: int, prompt: Any, start: Callable[[bytes], Handle]) -> Steps[None]:
        try:
            self._encode(index, prompt)  # which knows the prompt's number, for its errors
            request = self._hooked({"prompt" if isinstance(prompt, str) else "messages": prompt})
            answer = yield from request.begin()
            data = b"" if answer is not None else (yield from request.encode())
        except PyAgentError as error:
            self._finish(index, error.with_traceback(None))
            return
        if answer is not None:
            request.assembly.add((yield from request.take_in(request.play(answer).take())))
            self._finish(index, request.failure or self._value(request.assembly))
        elif self.state == OPEN:  # nobody has closed this while a hook was awaited
            call = start(data)
            self._requests[call.number] = request
            self._flying[call.number] = index, call, request.assembly

    def _take_in_hooked(self, call: int, frame: bytes) -> Steps[None]:
        request = self._requests.get(call)
        if request is None or call not in self._flying:  # closed in the meantime
            return
        request.assembly.add((yield from request.take_in(frame)))
        if call not in self._flying or not (request.failure or request.assembly.ended):
            return
        index, handle, assembly = self._flying.pop(call)
        del self._requests[call]
        if assembly.ended:
            handle.end()
        else:
            handle.close()
        self._finish(index, request.failure or self._value(assembly))


class AsyncHookedSchedule(HookedSchedule):
    """The twin for coroutines: what is due waits for `settle`."""

    __slots__ = ("due",)

    def _check(self) -> None:
        self.due: list[Steps[None]] = []

    def _do(self, steps: Steps[None]) -> None:
        self.due.append(steps)

    async def settle(self) -> None:
        while self.due:
            await arun(self.due.pop(0))
