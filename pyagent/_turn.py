"""Turn: one question of a conversation and its answer, from its beginning, when nobody else may ask, to its record."""

from __future__ import annotations

import os
from _thread import allocate_lock

from . import _frames, _request
from ._history import copied
from ._totals import total_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._assembly import Assembly
    from ._history import Message, Past
    from ._tool_loop import ToolLoop
    from .conversation import Conversation
    from .provider import Provider
    from .response import Response, Usage
    from .session import SessionConfig
    from .tool_run import ToolRun


class Turn:
    """One turn of a conversation, which is its own until `end`.

    Attributes:
        past: What it goes on from, the conversation's past unless that had to be shortened. It takes the place of the
            conversation's past together with the answer, so that a turn that fails changes nothing.
        asked: The messages that are new.
    """

    __slots__ = ("conversation", "provider", "past", "asked", "config", "keeps", "_sent", "_lock", "_process", "_once")

    def __init__(
        self,
        conversation: Conversation,
        provider: Provider,
        asked: list[Message],
        config: SessionConfig,
        lock: Any,
        *,
        keeps: bool,
    ) -> None:
        self.conversation = conversation
        self.provider = provider
        self.past: Past = conversation._past
        self.asked = asked
        self.config = config
        self.keeps = keeps  # the vendor keeps the answer, and may be told to go on from the last one
        self._sent = 0  # how many messages the request had
        self._lock = lock
        self._process = os.getpid()
        self._once = allocate_lock()

    def request(self) -> dict[str, Any]:
        """The arguments of the method of Provider that asks."""
        arguments = self.config._arguments()
        messages: Any = (*self.past.messages, *self.asked)
        if self.keeps:
            arguments["store"] = True
            if self.past.response_id is not None:
                arguments["previous_response_id"] = self.past.response_id
                messages = (*self.past.messages[self.past.covered :], *self.asked)
        arguments["messages"] = self._system(self.past.summary) + copied(messages)
        self._sent = len(arguments["messages"])
        return arguments

    def weighed(self, drop: int) -> dict[str, Any]:
        """The arguments of count_tokens for the request without its first messages."""
        messages = self._system(self.past.summary) + copied([*self.past.messages, *self.asked][drop:])
        tools = self.config.tools
        return {"messages": messages, "tools": tools and _request._CHECKS["tools"]("tools", tools)}

    def removed(self, count: int) -> list[Message]:
        """The messages that are to leave the history, behind what is left of those that have left it before."""
        earlier = [] if self.past.summary is None else [{"role": "system", "content": self.past.summary}]
        return earlier + copied(self.past.messages[:count])  # type: ignore[no-any-return]

    def shorten(self, count: int, summary: str | None) -> None:
        """Takes the first messages out of what the turn goes on from."""
        self.past = self.past.shortened(count, self.past.summary if summary is None else summary)

    def record(self, response: Response) -> Response:
        """Records the question and its answer."""
        kept = response.id if self.keeps else None
        self._commit([copied(response.message)], response.usage, response.cost, kept)
        return response

    def record_run(self, run: ToolRun) -> ToolRun:
        """Records the question, and all that a model and its tools have made of it."""
        answers = run.messages[self._sent :]
        kept = run.response.id if self.keeps else None
        self._commit(copied(answers), run.usage, run.cost, kept)
        return run

    def settle_run(self, loop: ToolLoop) -> None:
        """Records a run that was read as a stream, if it came to its end, and ends the turn."""
        if not self._once.acquire(False):
            return
        try:
            if loop.finished and self._is_here:
                self.record_run(loop.run)
        finally:
            self._release()

    def settle(self, assembly: Assembly) -> None:
        """Records what has come of a stream, once nothing more will, and ends the turn. From any thread, any time.

        The whole answer, or the text of one that was cut, marked so. A stream that failed, or had no text yet,
        leaves no trace.
        """
        if not self._once.acquire(False):
            return
        try:
            if not self._is_here:
                return
            if assembly.ended == _frames.FINISH:
                self.record(assembly.response)
            elif assembly.ended == _frames.ERROR:
                self.fail(assembly.failure.get("code"))
            elif assembly.text:
                said = {"role": "assistant", "content": assembly.text, "interrupted": True}
                self._commit([said], assembly.usage, assembly.usage.cost)
        finally:
            self._release()

    def fail(self, code: str | None) -> None:
        """Notes the vendor's word for a failure. If it does not know its own answer any more, it is sent everything."""
        if code == "previous_response_not_found":
            self.conversation._past = self.conversation._past.with_(response_id=None, covered=0)

    def end(self) -> None:
        """Lets others ask."""
        if self._once.acquire(False):
            self._release()

    @property
    def _is_here(self) -> bool:
        """Whether this is the process in which the turn began, and not one that was forked off in its middle."""
        return self._process == os.getpid()

    def commit_past(self) -> None:
        """Puts the shortened past in the conversation's place, without an answer."""
        self.conversation._past = self.past

    def _commit(self, answers: list[Message], usage: Usage, cost: float | None, response_id: str | None = None) -> None:
        past = self.past
        messages = (*past.messages, *self.asked, *answers)
        known = [value for value in (past.cost, cost) if value is not None]
        past = past.with_(
            messages=messages,
            usage=total_usage([past.usage, usage]),
            cost=sum(known) if known else None,
            turns=past.turns + 1,
        )
        if response_id is not None:
            past = past.with_(response_id=response_id, covered=len(messages))
        self.conversation._past = past

    def _release(self) -> None:
        if self._is_here:  # the lock of a process that was forked off is another one
            self._lock.release()

    def _system(self, summary: str | None) -> list[Message]:
        said = [text for text in (self.conversation.system, summary and _SUMMARY + summary) if text]
        return [{"role": "system", "content": "\n\n".join(said)}] if said else []


_SUMMARY = "What was said before the following messages, in short:\n"


class Watched:
    """A call whose turn is recorded when it ends, in whatever way: read to its end, closed, cancelled or dropped."""

    __slots__ = ("_call", "_turn", "_assembly")

    def __init__(self, call: Any, turn: Turn, assembly: Assembly) -> None:
        self._call = call
        self._turn = turn
        self._assembly = assembly

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def end(self) -> None:
        """As the call's, behind the terminal frame."""
        self._call.end()
        self._turn.settle(self._assembly)

    def close(self) -> None:
        """As the call's."""
        self._call.close()
        self._turn.settle(self._assembly)

    def cancel(self) -> None:
        """As the call's."""
        self._call.cancel()
        self._turn.settle(self._assembly)

    def __del__(self) -> None:
        self.close()


def watch(stream: Any, turn: Turn) -> Any:
    """Lets a stream tell its turn when it ends."""
    stream._call = Watched(stream._call, turn, stream._assembly)
    return stream


def watch_run(stream: Any, turn: Turn) -> Any:
    """Likewise a stream of a model and its tools, which is recorded when the model needs no more of them."""
    loop = stream._loop
    stream._live.then = lambda: turn.settle_run(loop)
    return stream
