"""Snapshot: an answer as far as it had come at one moment."""

from __future__ import annotations

from ._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._accumulation import Accumulation, Mark
    from .errors import PyAgentError
    from .response import ToolCall, Usage

__all__ = ["Snapshot"]


class Snapshot(Value):
    """The state of an answer at one moment: a value that stays as it is while the answer goes on.

    The content is that of the first choice, as in `Response`. A field is put together when it is first looked at, so a
    snapshot that nobody reads costs the same however long the answer is.

    Attributes:
        id, model: As the vendor says; None before it has begun to answer.
        text, reasoning, refusal: All that had arrived, "" for nothing.
        tool_calls: The calls that had begun. The `arguments` of the last one may be the beginning of a JSON text.
        usage: Token counts as known then.
        finish_reason: Why the answer ended; None unless `complete`.
        complete: Whether the answer has come to its end.
        error: Why it will not: the exception that reading on raises. None while all is well.
    """

    __slots__ = (
        "id",
        "model",
        "text",
        "reasoning",
        "refusal",
        "tool_calls",
        "usage",
        "finish_reason",
        "complete",
        "error",
        "_source",
    )
    if TYPE_CHECKING:
        id: str | None
        model: str | None
        text: str
        reasoning: str
        refusal: str
        tool_calls: list[ToolCall]
        usage: Usage
        finish_reason: str | None
        complete: bool
        error: PyAgentError | None
    _source: tuple[Accumulation, Mark] | None

    def __init__(
        self,
        *,
        id: str | None = None,
        model: str | None = None,
        text: str = "",
        reasoning: str = "",
        refusal: str = "",
        tool_calls: list[ToolCall] | None = None,
        usage: Usage | None = None,
        finish_reason: str | None = None,
        complete: bool = False,
        error: PyAgentError | None = None,
    ) -> None:
        from .response import Usage

        self._source = None
        self.id = id
        self.model = model
        self.text = text
        self.reasoning = reasoning
        self.refusal = refusal
        self.tool_calls = tool_calls or []
        self.usage = usage if usage is not None else Usage()
        self.finish_reason = finish_reason
        self.complete = complete
        self.error = error

    @classmethod
    def _of(cls, accumulation: Accumulation, mark: Mark) -> Snapshot:
        """A snapshot whose fields are looked up when they are asked for."""
        snapshot = cls.__new__(cls)
        snapshot._source = accumulation, mark
        return snapshot

    if not TYPE_CHECKING:  # or every misspelt field would be one to type checkers

        def __getattr__(self, name: str) -> Any:
            if name not in self._fields or self._source is None:
                raise AttributeError(f"A Snapshot has no {name!r}; it has {', '.join(self._fields)}.")
            accumulation, mark = self._source
            value = accumulation.field(name, mark)
            setattr(self, name, value)
            return value

    def to_dict(self) -> dict[str, Any]:
        """The fields that are known, as plain dicts and lists that `json.dumps` takes; an error as its text."""
        return self._as_dict()

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, ({name: getattr(self, name) for name in self._fields},)

    def __str__(self) -> str:
        return self.text


def _make(fields: dict[str, Any]) -> Snapshot:
    return Snapshot(**fields)
