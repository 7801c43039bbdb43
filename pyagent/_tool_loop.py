"""The loop of asking a model and calling the tools that it asks for. It neither asks nor calls: it says what is next.

A driver alternates between `calls`, which are to be made and answered, and `request`, whose answer goes to `take`,
until `finished`. The four ways to do that, one-shot or as a stream, with threads or with tasks, share it."""

from __future__ import annotations

from . import _checks, _request
from ._tool_calls import CallOptions
from .errors import ToolLimitError, UnsupportedFeatureError
from .response import ToolCall
from .tool_run import ToolRun, ToolStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .response import Response
    from .tools import ToolResult


class ToolLoop:
    """The state of one run.

    Args:
        arguments: The local variables of a method of Provider.

    Raises:
        ConfigurationError: An option is wrong. A ValueError.
    """

    __slots__ = ("provider", "options", "run", "calls", "finished", "_request", "_limits")

    def __init__(self, arguments: dict[str, Any]) -> None:
        arguments = dict(arguments)
        self.provider = arguments.pop("self")
        names = ("tools", "approve", "tool_timeout", "concurrency", "raise_tool_errors")
        self.options = CallOptions(*[arguments.pop(name) for name in names])
        self._limits = _Limits(*[arguments.pop(name) for name in ("max_steps", "token_budget", "cost_budget")])
        messages = _request._messages(arguments.pop("prompt"), None, arguments.pop("messages"))
        self._request = {name: value for name, value in arguments.items() if value is not None}
        self._request["tools"] = self.options.declarations or None
        self.run = ToolRun(list(messages))
        self.calls = unanswered(messages)
        self.finished = False

    def request(self) -> dict[str, Any]:
        """The arguments of the next request."""
        return {**self._request, "messages": self.run.messages}

    def answer(self, results: list[ToolResult]) -> None:
        """Takes the results of `calls`."""
        self.calls = []
        self.run.messages += [result.message for result in results]
        if self.run.steps:
            self.run.steps[-1].results = results

    def take(self, response: Response) -> None:
        """Takes an answer of the model.

        Raises:
            ToolLimitError: It asks for tools, and there may be no further answer.
            UnsupportedFeatureError: It asks for tools, and the vendor does not say what a budget needs.
        """
        self.run.steps.append(ToolStep(response))
        self.run.messages.append(response.message)
        if not response.tool_calls:
            self.finished = True
            return
        self._limits.check(self.run)
        self.calls = response.tool_calls
        # A model that must call a tool would never come to an end.
        choice = self._request.get("tool_choice")
        if choice == "required" or isinstance(choice, dict):
            del self._request["tool_choice"]


class _Limits:
    """What a run may use."""

    __slots__ = ("_steps", "_tokens", "_cost")

    def __init__(self, max_steps: int, token_budget: int | None, cost_budget: float | None) -> None:
        if _checks.integer("max_steps", max_steps) < 1:
            raise _checks.wrong("max_steps", "a whole number, 1 or more", max_steps)
        self._steps = max_steps
        self._tokens = _checks.count("token_budget", token_budget)
        if cost_budget is not None and not _checks.number("cost_budget", cost_budget) >= 0:
            raise _checks.wrong("cost_budget", "a number, 0 or more", cost_budget)
        self._cost = cost_budget

    def check(self, run: ToolRun) -> None:
        """Whether another answer may be asked for."""
        asked = ", ".join(call.name for call in run.response.tool_calls)
        tokens = _total(run)
        for name, limit, spent, unit in (
            ("token_budget", self._tokens, tokens, "tokens"),
            ("cost_budget", self._cost, run.cost, "dollars"),
        ):
            if limit is not None and spent is None:
                raise UnsupportedFeatureError(
                    f"{name} cannot be kept: nobody says how much an answer takes. Use max_steps, or give `prices`.",
                    param=name,
                )
            if limit is not None and spent is not None and spent >= limit:
                raise ToolLimitError(
                    f"The {name} of {limit:g} is used up ({spent:g} {unit} in {_answers(len(run.steps))}), and the "
                    f"model asks for more tools: {asked}. run.messages can be gone on with.",
                    param=name,
                )
        if len(run.steps) >= self._steps:
            raise ToolLimitError(
                f"The model still asks for tools after max_steps={self._steps}: {asked}. run.messages can be gone on "
                "with.",
                param="max_steps",
            )


def _answers(number: int) -> str:
    return f"{number} answer" if number == 1 else f"{number} answers"


def _total(run: ToolRun) -> int | None:
    """The tokens of all answers; None if one of them is not counted."""
    total = 0
    for step in run.steps:
        usage = step.response.usage
        counted = usage.total_tokens
        if counted is None and usage.prompt_tokens is not None and usage.completion_tokens is not None:
            counted = usage.prompt_tokens + usage.completion_tokens
        if counted is None:
            return None
        total += counted
    return total


def unanswered(messages: list[dict[str, Any]]) -> list[ToolCall]:
    """The calls of the last answer of a conversation that have no result: a run that ended early goes on with them."""
    answered = set()
    for message in reversed(messages):
        if message["role"] == "tool":
            answered.add(message.get("tool_call_id"))
        elif message["role"] == "assistant":
            calls = [_read_call(call) for call in message.get("tool_calls") or ()]
            return [call for call in calls if call.id not in answered]
        else:
            break
    return []


def _read_call(call: Any) -> ToolCall:
    """The call that an assistant's message holds, the other way round than `ToolCall.to_message`."""
    call = _checks.mapping("each of tool_calls", call)
    custom = call.get("type") == "custom"
    inner = _checks.mapping("a tool call's function", call.get("custom" if custom else "function"))
    arguments = inner.get("input" if custom else "arguments") or ""
    if not isinstance(arguments, str):
        from json import dumps

        arguments = dumps(arguments)
    return ToolCall(
        str(call.get("id") or ""), _checks.string("a tool call's name", inner.get("name")), arguments, custom=custom
    )
