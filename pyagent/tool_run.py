"""ToolRun: what has come of asking a model that may call tools, step by step."""

from __future__ import annotations

from ._totals import total_cost, total_usage
from ._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .response import Response, ToolCall, Usage
    from .tools import ToolResult

__all__ = ["ToolRun", "ToolStep"]


class ToolStep(Value):
    """One answer of the model, and the results of the calls that it asked for.

    Attributes:
        response: The answer; its `tool_calls` are the calls.
        results: What has come of them, in their order; none if the answer asks for no tools, or came too late.
    """

    __slots__ = ("response", "results")

    def __init__(self, response: Response, results: list[ToolResult] | None = None) -> None:
        self.response = response
        self.results = results or []


class ToolRun(Value):
    """Everything between a question and the answer for which the model needed no more tools. `str(run)` is its text.

    Attributes:
        messages: The conversation: what was asked, the model's answers, the results of the tools. It goes on with
            `run_tools(messages=[*run.messages, messages.user("...")])`. The system_prompt is an option and not in it.
        steps: A ToolStep for each answer.
    """

    __slots__ = ("messages", "steps")

    def __init__(self, messages: list[dict[str, Any]], steps: list[ToolStep] | None = None) -> None:
        self.messages = messages
        self.steps = steps or []

    @property
    def response(self) -> Response:
        """The last answer.

        Raises:
            IndexError: There is none: the run failed before it.
        """
        return self.steps[-1].response

    @property
    def text(self) -> str:
        """The text of the last answer, "" when there is none."""
        return self.steps[-1].response.text if self.steps else ""

    @property
    def results(self) -> list[ToolResult]:
        """What has come of every call, in the order of the answers that asked for them."""
        return [result for step in self.steps for result in step.results]

    @property
    def pending(self) -> list[ToolCall]:
        """The calls of the last answer that were not made, because the run ended before."""
        step = self.steps[-1] if self.steps else None
        return step.response.tool_calls if step and not step.results else []

    @property
    def usage(self) -> Usage:
        """The token counts and the cost of all answers together; None where the vendor did not say."""
        return total_usage(step.response.usage for step in self.steps)

    @property
    def cost(self) -> float | None:
        """US dollars for all answers together, see `Response.cost`; None where one of them is not known."""
        return total_cost(step.response.cost for step in self.steps)

    def __str__(self) -> str:
        return self.text
