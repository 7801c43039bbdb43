"""Schedule: of many prompts, which is asked next, and whose answer is given next. It neither waits nor knows who does.

At most `concurrency` answers are on their way or wait to be given: so many requests are open at the most, and a reader
who stops reading stops the asking."""

from __future__ import annotations

from . import _checks, _frames, _request
from ._assembly import Assembly
from ._kinds import make_error
from ._stream_state import CANCELLED, FINISHED, OPEN
from .errors import ConfigurationError, PyAgentError, StreamCancelledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ._lib import Handle

END = object()  # what is given when nothing is left


def refuse_to_be_copied(answers: Any) -> str | tuple[Any, ...]:
    """What pickling and copying call."""
    raise TypeError(
        f"{type(answers).__name__} cannot be pickled or copied: they are open connections. Pickle the answers that "
        "have come, or the Provider that asks."
    )


class Schedule:
    """Everything that a map knows of its prompts and answers.

    Raises:
        ConfigurationError: An option has the wrong type.
    """

    __slots__ = (
        "prompts", "exhausted", "state", "_encode", "_concurrency", "_ordered", "_errors_are_values", "_whole",
        "_progress", "_total", "_asked", "_given", "_done", "_flying", "_finished",
    )  # fmt: skip

    due: Sequence[object] = ()  # what is to be awaited before anything else; only hooks are

    def __init__(self, model: str, arguments: dict[str, Any]) -> None:
        """Takes the local variables of a method of Provider."""
        options = dict(arguments)
        self.prompts = options.pop("prompts")
        self._concurrency = _checks.integer("concurrency", options.pop("concurrency"))
        self._ordered = _checks.flag("ordered", options.pop("ordered"))
        self._errors_are_values = _checks.flag("return_exceptions", options.pop("return_exceptions"))
        self._progress = options.pop("progress")
        options.pop("hooks", None)
        self._whole = _checks.flag("include_usage", options["include_usage"])
        if self._concurrency < 1:
            raise _checks.wrong("concurrency", "a whole number above 0", self._concurrency)
        if self._progress is not None and not callable(self._progress):
            raise _checks.wrong("progress", "a function of two numbers", self._progress)
        if isinstance(self.prompts, str):
            raise _checks.wrong("prompts", "an iterable of prompts; generate_text() asks one", self.prompts)
        self._encode = _request.encode_each("generate", model, options)
        self._total = len(self.prompts) if hasattr(self.prompts, "__len__") else None
        self._asked = self._given = self._done = 0
        self._flying: dict[int, tuple[int, Handle, Assembly]] = {}  # by call
        self._finished: dict[int, Any] = {}  # by prompt, in the order in which they came
        self.exhausted = False  # whether there is nothing more to ask
        self.state = OPEN

    async def settle(self) -> None:
        """Awaits what is due."""

    def has_room(self) -> bool:
        """Whether a prompt is to be asked."""
        held = len(self._flying) + len(self._finished)
        return held < self._concurrency and not self.exhausted and self.state == OPEN

    def ask(self, prompt: Any, start: Callable[[bytes], Handle]) -> None:
        """Asks the next prompt. One that cannot be asked has its error for an answer."""
        index = self._asked
        self._asked += 1
        try:
            request = self._encode(index, prompt)
        except ConfigurationError as error:
            self._finish(index, error.with_traceback(None))
            return
        call = start(request)
        self._flying[call.number] = index, call, Assembly()

    def take_in(self, data: bytes) -> None:
        """Takes in frames of any number of calls."""
        for call, frames in _frames.split_calls(data):
            flying = self._flying.get(call)
            if flying is None:  # closed in the meantime
                continue
            index, handle, assembly = flying
            assembly.add(frames)
            if assembly.ended:
                del self._flying[call]
                handle.end()
                self._finish(index, self._value(assembly))

    def waits(self) -> bool:
        """Whether nothing can be given before something arrives."""
        if self.state != OPEN or self._next() in self._finished:
            return False
        return bool(self._flying) or not self.exhausted

    def take(self) -> Any:
        """The next answer; with its number, where they come in any order. END when nothing is left.

        Raises:
            PyAgentError: That of the next prompt, unless errors are values.
            StreamCancelledError: It was closed before the end.
        """
        if self.state == CANCELLED:
            raise StreamCancelledError("This was closed before all prompts were answered.")
        index = self._next()
        if index not in self._finished:
            self.state = FINISHED
            return END
        self._given += 1
        if self._fails(self._finished[index]):
            raise self._finished.pop(index)  # no variable: it would hold the exception that holds it
        value = self._finished.pop(index)
        return value if self._ordered else (index, value)

    def cut(self) -> None:
        """Marks the end of reading before the end of the prompts."""
        if self.state == OPEN:
            self.state = CANCELLED

    def close(self) -> None:
        """Closes every request that is open."""
        self.cut()
        for _, call, _ in self._flying.values():
            call.close()
        self._flying.clear()

    def _next(self) -> int:
        return self._given if self._ordered else next(iter(self._finished), -1)

    def _fails(self, value: Any) -> bool:
        return isinstance(value, PyAgentError) and not self._errors_are_values

    def _value(self, assembly: Assembly) -> Any:
        if assembly.ended == _frames.ERROR:
            return make_error(assembly.failure, assembly.text)
        return assembly.response if self._whole else assembly.text

    def _finish(self, index: int, value: Any) -> None:
        self._finished[index] = value
        self._done += 1
        if self._fails(value):  # what would come after it is not worth its price
            self.exhausted = True
            for number, (other, call, _) in list(self._flying.items()):
                if other > index or not self._ordered:
                    del self._flying[number]
                    call.close()
        if self._progress is not None:
            self._progress(self._done, self._total)
