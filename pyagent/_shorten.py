"""Shortening: how many of the oldest turns of a history have to go. Who asks for counts waits elsewhere."""

from __future__ import annotations

from ._checks import integer, wrong
from ._history import estimate, turn_starts
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._turn import Turn


class Shortening:
    """The search for how many turns have to leave.

    While it `is_open`, the tokens of the turn without its first `messages` are to be counted and given to `take`.
    Counting is a request, so estimates decide where to look: nothing is counted while they are far below the limit, and
    after a count they are put right by it.
    """

    __slots__ = ("is_open", "_starts", "_estimates", "_drop", "_limit")

    def __init__(self, turn: Turn, max_turns: int | None, max_tokens: int | None) -> None:
        for name, value in (("max_turns", max_turns), ("max_tokens", max_tokens)):
            if value is not None and integer(name, value) < 1:
                raise wrong(name, "a whole number, 1 or more", value)
        messages = [*turn.past.messages, *turn.asked]
        self._starts = turn_starts(messages)
        # What is sent without the turns before each one: what is always sent, and the messages from there on.
        always = turn.weighed(len(messages))
        rest = estimate(always["messages"]) + estimate(always["tools"])
        self._estimates: list[int] = []
        end = len(messages)
        for start in reversed(self._starts):
            rest += estimate(messages[start:end])
            self._estimates.append(rest)
            end = start
        self._estimates.reverse()
        self._drop = max(0, len(self._starts) - max_turns) if max_turns is not None else 0
        self._limit = max_tokens
        self.is_open = max_tokens is not None and self._drop < len(self._starts) - 1 and self.estimated * 2 > max_tokens

    @property
    def messages(self) -> int:
        """How many messages are to leave, as far as is known."""
        return self._starts[self._drop] if self._starts else 0

    @property
    def estimated(self) -> int:
        """About how many tokens there are without them."""
        return self._estimates[self._drop]

    def take(self, tokens: int) -> None:
        """Takes the count of what is left without `messages`."""
        assert self._limit is not None
        if tokens <= self._limit:
            self.is_open = False
            return
        scale = tokens / max(1, self.estimated)
        last = len(self._starts) - 1
        self._drop += 1
        while self._drop < last and self.estimated * scale > self._limit:
            self._drop += 1
        self.is_open = self._drop < last


def told(summary: Any) -> str:
    """What a summariser gave.

    Raises:
        ConfigurationError: It is no text, or has to be awaited.
    """
    if hasattr(summary, "__await__"):
        close = getattr(summary, "close", None)
        if close is not None:
            close()
        raise ConfigurationError(
            "summarise is a coroutine function, which ordinary methods cannot await: use those with an a in front.",
            param="summarise",
        )
    return checked(summary)


async def atold(summary: Any) -> str:
    """The twin of `told` for coroutines, where it may be awaited."""
    return checked(await summary if hasattr(summary, "__await__") else summary)


def checked(summary: Any) -> str:
    """The summary, if it is one."""
    if not isinstance(summary, str) or not summary.strip():
        raise wrong("what summarise returned", "a text that is not empty", summary)
    return summary
