"""stream_chunk_builder: the whole answer from the chunks of its stream."""

from __future__ import annotations

from .types import Choices, FunctionCall, Message, ModelResponse, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["stream_chunk_builder"]


def stream_chunk_builder(
    chunks: list[Any], messages: list[Any] | None = None, start_time: Any = None, end_time: Any = None
) -> ModelResponse | None:
    """Joins the chunks of a stream: texts, reasoning, tool calls, the reason of the end, and the token counts.

    The counts are the vendor's own, which the last chunk carries whether it was asked for them or not. Where there are
    none they are 0.

    Args:
        chunks: All chunks in their order; None is given for no chunks.
        messages: Not needed for the counts, which are no estimate.
        start_time, end_time: datetimes, for `response_ms`.
    """
    if not chunks:
        return None
    made: dict[int, _Choice] = {}
    usage = None
    for chunk in chunks:
        usage = chunk.get("usage") or chunk._hidden_params.get("usage") or usage
        for choice in chunk.choices:
            made.setdefault(choice.index, _Choice()).add(choice)
    first = chunks[0]
    response = ModelResponse(
        id=first.id,
        created=first.created,
        model=first.model,
        system_fingerprint=first.system_fingerprint,
        choices=[made[index].build(index) for index in sorted(made)] or None,
        usage=usage or Usage(),
    )
    response._hidden_params = dict(first._hidden_params)
    if start_time is not None and end_time is not None:
        response._response_ms = (end_time - start_time).total_seconds() * 1000
    return response


class _Choice:
    """What the chunks have said of one choice so far."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.lists: dict[str, list[Any]] = {}
        self.calls: dict[int, dict[str, Any]] = {}
        self.function: list[Any] = []
        self.logprobs: list[Any] = []
        self.finish: str | None = None
        self.details: list[Any] = []

    def add(self, choice: Any) -> None:
        delta = choice.delta
        self.finish = choice.finish_reason or self.finish
        if choice.logprobs:
            self.logprobs.append(choice.logprobs)
        for name in ("content", "reasoning_content", "refusal"):
            piece = delta.get(name)
            if piece is not None:
                self.texts.setdefault(name, []).append(piece)
        for name in ("thinking_blocks", "annotations", "images"):
            self.lists.setdefault(name, []).extend(delta.get(name) or ())
        self.details += (delta.get("provider_specific_fields") or {}).get("reasoning_details", ())
        for call in delta.tool_calls or ():
            self._add_call(call)
        if delta.function_call is not None:
            self.function.append(delta.function_call)

    def _add_call(self, piece: Any) -> None:
        call = self.calls.setdefault(piece.index, {"function": {"name": None, "arguments": []}})
        call["function"]["name"] = piece.function.name or call["function"]["name"]
        call["function"]["arguments"].append(piece.function.arguments or "")
        call.update(
            (name, value)
            for name, value in piece.model_dump().items()
            if value is not None and name not in {"function", "index"}
        )

    def build(self, index: int) -> Choices:
        said = {name: "".join(pieces) for name, pieces in self.texts.items()}
        said.update((name, items) for name, items in self.lists.items() if items)  # type: ignore[misc]
        calls = [self._build_call(self.calls[number]) for number in sorted(self.calls)]
        function = None
        if self.function:
            arguments = "".join(piece.arguments for piece in self.function)
            function = FunctionCall(arguments, next((piece.name for piece in self.function if piece.name), None))
        content: Any = said.pop("content", None) or (None if calls or function else "")
        more: dict[str, Any] = said
        if self.details:
            more["provider_specific_fields"] = {"reasoning_details": self.details}
        choice = Choices(self.finish, index, Message(content, tool_calls=calls, function_call=function, **more))
        if self.logprobs:
            from ._answers import merge_logprobs

            choice.logprobs = merge_logprobs(self.logprobs)
        return choice

    @staticmethod
    def _build_call(call: dict[str, Any]) -> dict[str, Any]:
        function = call["function"]
        return {**call, "function": {"name": function["name"], "arguments": "".join(function["arguments"])}}
