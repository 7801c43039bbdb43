"""Conversation: what has been said between a user and a model, and the model that goes on with it."""

from __future__ import annotations

import os
from _thread import allocate_lock

from . import _checks
from ._async_conversation_methods import AsyncConversationMethods
from ._conversation_methods import ConversationMethods
from ._history import Past, copied, open_calls, to_messages
from ._totals import total_usage
from ._turn import Turn
from .errors import ConfigurationError, ConversationBusyError
from .provider import Provider
from .session import SessionConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from os import PathLike
    from typing import Any, Union

    from ._history import Message, Prompt
    from .response import Usage

    # Given the messages that leave the history, it tells what was said in them.
    Summariser = Union[Callable[[list[Message]], str], Callable[[list[Message]], Awaitable[str]]]

__all__ = ["Conversation"]


class Conversation(ConversationMethods, AsyncConversationMethods):
    """What has been said between a user and a model, and the model that goes on with it.

        conversation = Conversation(provider, system="Be brief.")
        print(conversation.generate("Who wrote Dracula?"))
        for piece in conversation.stream("When?"):
            print(piece, end="")

    A turn is recorded when its answer is there, question and answer together; one that fails leaves the history as it
    was. Any thread and any task may take a turn, one at a time: while one runs, another one is refused.

    Args:
        provider: The model.
        system: What the model shall keep to. It goes before the history and is not a part of it.
        config: Defaults for every turn.
        messages: What has been said before.
        summarise: Called with the messages that leave a history that became too long; the text that it returns is sent
            in their place. It may be a coroutine function, for methods that are awaited. What an earlier call returned
            is the first of the messages, as one of the system.
        use_response_ids: Send only what is new, and let the vendor go on from the answer that it keeps. Vendors whose
            protocol is not that of the Responses API are sent the history all the same.

    Raises:
        ConfigurationError: An argument is wrong. A ValueError.
    """

    __slots__ = ("_provider", "_system", "_config", "_summarise", "_use_ids", "_past", "_locks", "__weakref__")

    def __init__(
        self,
        provider: Provider,
        *,
        system: str | None = None,
        config: SessionConfig | None = None,
        messages: list[Message] | None = None,
        summarise: Summariser | None = None,
        use_response_ids: bool = False,
    ) -> None:
        self._provider: Provider = _checked("provider", provider, Provider)
        self._system = None if system is None else str(_checks.string("system", system))
        self._config: SessionConfig = SessionConfig() if config is None else _checked("config", config, SessionConfig)
        if summarise is not None and not callable(summarise):
            raise _checks.wrong("summarise", "a function that takes messages and returns a text", summarise)
        self._summarise = summarise
        self._use_ids: bool = _checks.flag("use_response_ids", use_response_ids)
        self._past = Past(_messages("messages", messages) if messages else ())
        self._locks: dict[int, Any] = {}

    @property
    def provider(self) -> Provider:
        """The Provider that is asked; `switch` sets another one."""
        return self._provider

    @property
    def system(self) -> str | None:
        """What the model shall keep to. It can be set, for the turns that follow."""
        return self._system

    @system.setter
    def system(self, system: str | None) -> None:
        self._system = None if system is None else _checks.string("system", system)

    @property
    def config(self) -> SessionConfig:
        """The defaults of every turn. They can be set, for the turns that follow."""
        return self._config

    @config.setter
    def config(self, config: SessionConfig) -> None:
        self._config = _checked("config", config, SessionConfig)

    @property
    def messages(self) -> list[Message]:
        """What has been said, as a copy. It goes to `messages=` of any method as it is."""
        return copied(self._past.messages)  # type: ignore[no-any-return]

    @property
    def summary(self) -> str | None:
        """What `summarise` said of the messages that have left the history."""
        return self._past.summary

    @property
    def turns(self) -> int:
        """How many turns were recorded, those that have left the history included."""
        return self._past.turns

    @property
    def usage(self) -> Usage:
        """The token counts of all recorded turns together; None where no vendor said."""
        return total_usage([self._past.usage])  # a copy, because a Usage can be changed

    @property
    def cost(self) -> float | None:
        """US dollars for all recorded turns whose cost is known, see `Response.cost`; None where none is."""
        return self._past.cost

    @property
    def previous_response_id(self) -> str | None:
        """With use_response_ids, the answer that the vendor is told to go on from; None where it is sent everything."""
        return self._past.response_id

    @property
    def is_busy(self) -> bool:
        """Whether a turn is running now."""
        return bool(self._lock.locked())

    def add(self, message: Prompt) -> None:
        """Puts messages at the end of the history without asking: examples, results of tools, what others have said.

        Args:
            message: As the prompt of generate(). With use_response_ids they are sent with the next turn.

        Raises:
            ConversationBusyError: A turn has not ended. A RuntimeError.
            ConfigurationError: They are no messages. A ValueError.
        """
        turn = self._hold()
        try:
            self._past = self._past.with_(messages=(*self._past.messages, *to_messages(message)))
        finally:
            turn.end()

    def switch(self, provider: Provider | str) -> None:
        """Goes on with another Provider, or with another model of the same vendor.

        The history goes with it; what only the maker of an answer understands (signatures, encrypted reasoning) goes
        back to its maker only. The ids of answers that the old vendor keeps are forgotten.

        Raises:
            ConversationBusyError: A turn has not ended. A RuntimeError.
            ConfigurationError: It is no Provider and no name. A ValueError.
        """
        turn = self._hold()
        try:
            self._provider = self._other(provider)
            self._past = self._past.with_(response_id=None, covered=0)
        finally:
            turn.end()

    def clear(self) -> None:
        """Forgets what has been said. System prompt, config, and the totals of usage and cost stay.

        Raises:
            ConversationBusyError: A turn has not ended. A RuntimeError.
        """
        turn = self._hold()
        try:
            self._past = self._past.with_(messages=(), summary=None, response_id=None, covered=0)
        finally:
            turn.end()

    def fork(self) -> Conversation:
        """A second conversation with the same past. From here on nothing of one is seen in the other.

        A turn that runs is not in the fork, which may take turns at once. Usage and cost begin with those up to here.
        """
        made = object.__new__(type(self))
        made.__setstate__(self.__getstate__())
        return made

    def to_dict(self) -> dict[str, Any]:
        """Everything but secrets, as dicts and lists that `json.dumps` takes and `from_dict` reads; see `save`."""
        from ._conversation_file import write

        return write(self)

    @classmethod
    def from_dict(
        cls,
        data: dict[str, Any],
        *,
        provider: Provider | None = None,
        config: SessionConfig | None = None,
        summarise: Summariser | None = None,
    ) -> Conversation:
        """The conversation that `to_dict` has written.

        Args:
            data: What to_dict() gave.
            provider: The Provider. Default: the vendor and the model that are written down, with key and address from
                the environment. A written address is never asked, so nobody can have your key sent to his.
            config: In place of the config that is written down.
            summarise: As in Conversation; functions are not written down.

        Raises:
            ConfigurationError: It is not what to_dict() gives, or a newer version's; there is no key; the address is
                another one than was written down. A ValueError.
        """
        from ._conversation_file import read

        return read(cls, data, provider, config, summarise)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the conversation into a file of JSON, in the place of one that is there.

        Not written are keys, headers, proxies, certificates and functions. A turn that runs is not in it.

        Raises:
            ConfigurationError: The history holds something that JSON has no form for. A ValueError.
            OSError: The file cannot be written; an older one is as it was.
        """
        from ._conversation_file import save

        save(self, path)

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        *,
        provider: Provider | None = None,
        config: SessionConfig | None = None,
        summarise: Summariser | None = None,
    ) -> Conversation:
        """The conversation that `save` has written. The arguments are those of from_dict().

        Raises:
            ConfigurationError: It is no such file, or what from_dict() raises. A ValueError.
            OSError: The file cannot be read.
        """
        from ._conversation_file import load

        return cls.from_dict(load(path), provider=provider, config=config, summarise=summarise)

    def _begin(
        self,
        prompt: Prompt | None,
        config: SessionConfig | None,
        provider: Provider | str | None = None,
        *,
        calls_tools: bool = False,
    ) -> Turn:
        """Begins a turn, which nobody else can until it ends."""
        asked = [] if prompt is None else to_messages(prompt)
        merged = self._with_defaults(config)
        turn = self._hold(merged, asked, self._provider if provider is None else self._other(provider))
        try:
            _check_question(turn, calls_tools)
        except BaseException:
            turn.end()
            raise
        return turn

    def _hold(
        self,
        config: SessionConfig | None = None,
        asked: list[Message] | None = None,
        provider: Provider | None = None,
    ) -> Turn:
        """Begins what must not be done while a turn runs."""
        lock = self._lock
        if not lock.acquire(False):
            raise ConversationBusyError(
                "Another turn of this conversation has not ended; wait for its answer, close its stream, or ask a "
                "fork()."
            )
        chosen = self._provider if provider is None else provider
        keeps = self._use_ids and chosen is self._provider and chosen._vendor()[1] == "responses"
        return Turn(self, chosen, asked or [], self._config if config is None else config, lock, keeps=keeps)

    def _stateless(self, prompt: Prompt, config: SessionConfig | None) -> dict[str, Any]:
        """The arguments of a request that knows nothing of the history."""
        arguments = self._with_defaults(config)._arguments()
        arguments["messages"] = to_messages(prompt)
        if self._system:
            arguments["system_prompt"] = self._system
        return arguments

    def _with_defaults(self, config: SessionConfig | None) -> SessionConfig:
        return self._config if config is None else _checked("config", config, SessionConfig).over(self._config)

    def _other(self, provider: Provider | str) -> Provider:
        if isinstance(provider, str):
            return self._provider.with_model(provider)
        if not isinstance(provider, Provider):
            raise _checks.wrong("provider", "a Provider, or the name of a model", provider)
        return provider

    @property
    def _lock(self) -> Any:
        """What a turn holds, of this process: one that was forked off must not wait for turns of its parent."""
        process = os.getpid()
        return self._locks.get(process) or self._locks.setdefault(process, allocate_lock())

    def __len__(self) -> int:
        """How many messages the history has."""
        return len(self._past.messages)

    def __bool__(self) -> bool:
        return True

    def __getstate__(self) -> dict[str, Any]:
        names = ("_provider", "_system", "_config", "_summarise", "_use_ids", "_past")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._locks = {}

    def __repr__(self) -> str:
        return f"Conversation({self._provider!r}, {len(self)} messages, {self.turns} turns)"


def _checked(name: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise _checks.wrong(name, f"a {kind.__name__}", value)
    return value


def _messages(name: str, messages: Any) -> list[Message]:
    for number, message in enumerate(_checks.sequence(name, messages)):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise _checks.wrong(f"{name}[{number}]", "a dict with role and content", message)
    return copied(messages)  # type: ignore[no-any-return]


def _check_question(turn: Turn, calls_tools: bool) -> None:
    """Refuses a turn that no vendor would take: one without a question, or with tool calls that have no result."""
    messages = [*turn.past.messages, *turn.asked]
    calls = open_calls(messages)
    to_be_made = calls_tools and bool(calls) and all(message["role"] == "tool" for message in turn.asked)
    if not turn.asked and not to_be_made and (not messages or messages[-1].get("role") == "assistant"):
        raise ConfigurationError("There is nothing to answer; give a prompt.", param="prompt")
    if calls and not to_be_made:
        names = ", ".join(repr(call) for call in calls)
        raise ConfigurationError(
            f"The model waits for the results of its tool calls {names}; give a messages.tool_result(call, ...) for "
            "each, or let run_tools() call the tools.",
            param="prompt",
        )
    if turn.keeps and turn.config.store is False:
        raise ConfigurationError(
            "use_response_ids needs answers that the vendor keeps, but store is False; leave one of them out.",
            param="store",
        )
