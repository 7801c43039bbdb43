"""The methods of Conversation that ask."""

from __future__ import annotations

from ._request import refuse_several
from ._shorten import Shortening, told
from ._turn import watch, watch_run
from .errors import APIStatusError, UnsupportedFeatureError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._history import Message, Prompt
    from ._option_types import Approve, ToolLike
    from ._turn import Turn
    from .conversation import Summariser
    from .provider import Provider
    from .response import Response
    from .session import SessionConfig
    from .stream import Stream
    from .tool_run import ToolRun
    from .tool_stream import ToolStream


class ConversationMethods:
    """One turn after the other: generate and stream, and what shortens the history."""

    __slots__ = ()

    if TYPE_CHECKING:
        _summarise: Summariser | None

        @property
        def provider(self) -> Provider: ...
        def _begin(
            self,
            prompt: Prompt | None,
            config: SessionConfig | None,
            provider: Provider | str | None = None,
            *,
            calls_tools: bool = False,
        ) -> Turn: ...
        def _hold(self, config: SessionConfig | None = None) -> Turn: ...
        def _stateless(self, prompt: Prompt, config: SessionConfig | None) -> dict[str, Any]: ...

    def generate(self, prompt: Prompt | None = None, *, config: SessionConfig | None = None) -> Response:
        """Asks the model with all that was said before, waits for the whole answer, and records both.

        Args:
            prompt: A text; a message; a list of texts and parts such as `messages.image(...)`; or a list of messages
                such as `messages.tool_result(...)`. None asks again for what the history ends with.
            config: What is different for this turn.

        Returns:
            A Response.

        Raises:
            ConversationBusyError: Another turn has not ended. A RuntimeError.
            ConfigurationError: An option is wrong, or tool calls have no results; nothing was sent. A ValueError.
            UnsupportedFeatureError: The vendor cannot honour an option. A ValueError.
            APIConnectionError, APIStatusError, ResponseParseError, LimitExceededError: As `Provider.generate`. The
                history is as it was.
        """
        return self._ask(self._begin(prompt, config))

    def generate_with(
        self, provider: Provider | str, prompt: Prompt | None = None, *, config: SessionConfig | None = None
    ) -> Response:
        """Does what generate does with another Provider, or another model of the same vendor, for this turn only.

        Args:
            provider: The Provider, or the model's name.
            prompt: As in generate().
            config: As in generate().

        Returns:
            A Response.

        Raises:
            PyAgentError: As generate() does.
        """
        return self._ask(self._begin(prompt, config, provider))

    def generate_stateless(self, prompt: Prompt, *, config: SessionConfig | None = None) -> Response:
        """Asks with the system prompt and the config of the conversation, but without its history. Nothing is recorded.

        Any number of threads and tasks may do so at once, also while a turn runs.

        Args:
            prompt: As in generate().
            config: As in generate().

        Returns:
            A Response.

        Raises:
            PyAgentError: As `Provider.generate` does.
        """
        return self.provider.generate(**self._stateless(prompt, config))

    def stream(self, prompt: Prompt | None = None, *, config: SessionConfig | None = None) -> Stream:
        """Asks the model with all that was said before and gives its answer as it is made.

        Question and answer are recorded when the stream ends. Where it is closed or dropped before, the text so far is,
        and the message has `interrupted`; with no text yet, or where the stream fails, nothing is.

        Args:
            prompt: As in generate().
            config: As in generate().

        Returns:
            A Stream. Until it ends, the conversation takes no other turn.

        Raises:
            ConversationBusyError: Another turn has not ended. A RuntimeError.
            ConfigurationError: An option is wrong, or tool calls have no results; nothing was sent. A ValueError.
            UnsupportedFeatureError: The vendor cannot honour an option. A ValueError.
        """
        return self._open(self._begin(prompt, config))

    def stream_with(
        self, provider: Provider | str, prompt: Prompt | None = None, *, config: SessionConfig | None = None
    ) -> Stream:
        """Does what stream does with another Provider, or another model of the same vendor, for this turn only.

        Args:
            provider: The Provider, or the model's name.
            prompt: As in generate().
            config: As in generate().

        Returns:
            A Stream.

        Raises:
            PyAgentError: As stream() does.
        """
        return self._open(self._begin(prompt, config, provider))

    def stream_stateless(self, prompt: Prompt, *, config: SessionConfig | None = None) -> Stream:
        """Does what generate_stateless does, as a stream.

        Args:
            prompt: As in generate().
            config: As in generate().

        Returns:
            A Stream.

        Raises:
            PyAgentError: As `Provider.stream` does.
        """
        return self.provider.stream(**self._stateless(prompt, config))

    def run_tools(
        self,
        prompt: Prompt | None = None,
        *,
        tools: Sequence[ToolLike] | None = None,
        max_steps: int = 10,
        token_budget: int | None = None,
        cost_budget: float | None = None,
        tool_timeout: float | None = None,
        approve: Approve | None = None,
        concurrency: int = 8,
        raise_tool_errors: bool = False,
        config: SessionConfig | None = None,
    ) -> ToolRun:
        """Asks the model, calls the tools that it asks for, and records the question, the calls, and the last answer.

        Args:
            prompt: As in generate(). None, where the history ends with tool calls that are to be made.
            tools: What the model may call; default: those of the config.
            max_steps: How many answers at the most.
            token_budget: No further answer is asked for once this many tokens are used, all answers together.
            cost_budget: Likewise in the vendor's currency unit, for vendors that state the cost.
            tool_timeout: Seconds that one call may take.
            approve: Called with each ToolCall before it is made, as in `Provider.run_tools`.
            concurrency: How many calls at a time.
            raise_tool_errors: Raise what a tool raises, in place of telling the model.
            config: As in generate().

        Returns:
            A ToolRun.

        Raises:
            ToolLimitError: The model asks for tools beyond max_steps or a budget. As with every error, the history is
                as it was; the error's `run` has what was done.
            PyAgentError: As generate() does.
        """
        arguments = _tool_arguments(locals())
        turn = self._begin(prompt, config, calls_tools=True)
        try:
            self._fit(turn)
            return turn.record_run(turn.provider.run_tools(**_with_tools(turn, arguments)))
        except APIStatusError as error:
            turn.fail(error.code)
            raise
        finally:
            turn.end()

    def stream_tools(
        self,
        prompt: Prompt | None = None,
        *,
        tools: Sequence[ToolLike] | None = None,
        max_steps: int = 10,
        token_budget: int | None = None,
        cost_budget: float | None = None,
        tool_timeout: float | None = None,
        approve: Approve | None = None,
        concurrency: int = 8,
        raise_tool_errors: bool = False,
        config: SessionConfig | None = None,
    ) -> ToolStream:
        """Does what run_tools does, as a stream. A run that comes to its end is recorded; one that is cut is not.

        Args:
            prompt: As in run_tools(), and so are the others.

        Returns:
            A ToolStream. Until it ends, the conversation takes no other turn.

        Raises:
            PyAgentError: As stream() does.
        """
        arguments = _tool_arguments(locals())
        turn = self._begin(prompt, config, calls_tools=True)
        try:
            self._fit(turn)
            stream = turn.provider.stream_tools(**_with_tools(turn, arguments))
            return watch_run(stream, turn)  # type: ignore[no-any-return]
        except BaseException:
            turn.end()
            raise

    def trim(self, *, max_turns: int | None = None, max_tokens: int | None = None) -> int:
        """Takes the oldest turns out of the history. The last one stays, and no tool call is parted from its result.

        What leaves is given to the `summarise` of the conversation, if it has one. `SessionConfig` has the same
        limits for every turn.

        Args:
            max_turns: How many turns may stay.
            max_tokens: How many tokens may be sent: system prompt, history, tools. The vendor counts where it can;
                otherwise four bytes of text are a token, and an image or a file is a thousand. Not counted is a new
                summary.

        Returns:
            How many messages have left.

        Raises:
            ConversationBusyError: A turn has not ended. A RuntimeError.
            ConfigurationError: A limit is wrong, or the summary no text. A ValueError.
            PyAgentError: Counting failed, as `Provider.count_tokens` does.
        """
        turn = self._hold()
        try:
            before = len(turn.past.messages)
            self._shorten(turn, Shortening(turn, max_turns, max_tokens))
            turn.commit_past()
            return before - len(turn.past.messages)
        finally:
            turn.end()

    def _ask(self, turn: Turn) -> Response:
        """Asks the question of a turn and ends it."""
        try:
            self._fit(turn)
            return turn.record(turn.provider.generate(**turn.request()))
        except APIStatusError as error:
            turn.fail(error.code)
            raise
        finally:
            turn.end()

    def _open(self, turn: Turn) -> Stream:
        """Opens the stream of a turn, which ends the turn."""
        try:
            self._fit(turn)
            return watch(turn.provider.stream(**turn.request()), turn)  # type: ignore[no-any-return]
        except BaseException:
            turn.end()
            raise

    def _fit(self, turn: Turn) -> None:
        """Shortens what a turn goes on from to what its config allows."""
        config = turn.config
        if config.max_history_turns is not None or config.max_history_tokens is not None:
            self._shorten(turn, Shortening(turn, config.max_history_turns, config.max_history_tokens))

    def _shorten(self, turn: Turn, shortening: Shortening) -> None:
        while shortening.is_open:
            shortening.take(self._count(turn, shortening))
        count = shortening.messages
        if count:
            removed = turn.removed(count)
            turn.shorten(count, None if self._summarise is None else self._sum_up(removed))

    def _count(self, turn: Turn, shortening: Shortening) -> int:
        try:
            return turn.provider.count_tokens(**turn.weighed(shortening.messages))
        except UnsupportedFeatureError:
            return shortening.estimated

    def _sum_up(self, removed: list[Message]) -> str:
        assert self._summarise is not None
        summary = self._summarise(removed)
        return told(summary)


def _tool_arguments(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments that are about tools."""
    return {name: value for name, value in given.items() if name not in {"self", "prompt", "config"}}


def _with_tools(turn: Turn, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the method of Provider that calls tools."""
    request = turn.request()
    refuse_several(request.pop("n", None), "run_tools")
    tools = arguments["tools"]
    return {**request, **arguments, "tools": request.get("tools", []) if tools is None else tools}
