"""What a piece of a streamed answer is in litellm's shape. Making one is the inner loop of every stream."""

from __future__ import annotations

from ._objects import Object
from .types import Function, FunctionCall, Usage, _finish, _new_id, _now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ChatCompletionDeltaToolCall", "Delta", "ModelResponseStream", "StreamingChoices"]


class ChatCompletionDeltaToolCall(Object):
    """A piece of a call that the model wants made; id and name come with its first piece."""

    def __init__(
        self,
        function: Function | dict[str, Any],
        index: int = 0,
        id: str | None = None,
        type: str | None = None,
        **more: Any,
    ) -> None:
        made = function if isinstance(function, Function) else Function(**function)
        super().__init__(id=id, function=made, type=type or "function", index=index, **more)


class Delta(Object):
    """What a chunk adds to the message. Everything that it does not add is None."""

    _fields = _shown = (
        "provider_specific_fields",
        "refusal",
        "content",
        "role",
        "function_call",
        "tool_calls",
        "audio",
    )
    provider_specific_fields: dict[str, Any] | None = None
    refusal: str | None = None
    content: str | None = None
    role: str | None = None
    function_call: FunctionCall | None = None
    tool_calls: list[ChatCompletionDeltaToolCall] | None = None
    audio: Any = None

    def __init__(
        self,
        content: str | None = None,
        role: str | None = None,
        function_call: Any = None,
        tool_calls: list[Any] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(content=content, role=role)
        if function_call is not None:
            self.function_call = FunctionCall(**function_call) if isinstance(function_call, dict) else function_call
        if tool_calls is not None:
            self.tool_calls = [
                ChatCompletionDeltaToolCall(**{"index": number, **call}) if isinstance(call, dict) else call
                for number, call in enumerate(tool_calls)
            ]
        self.__dict__.update({name: value for name, value in more.items() if value is not None})


class StreamingChoices(Object):
    """The one choice of a chunk."""

    _fields = _shown = ("finish_reason", "index", "delta", "logprobs")
    finish_reason: str | None = None
    index: int = 0
    delta: Delta
    logprobs: Any = None

    def __init__(
        self,
        finish_reason: str | None = None,
        index: int = 0,
        delta: Delta | dict[str, Any] | None = None,
        logprobs: Any = None,
        **more: Any,
    ) -> None:
        made = Delta(**delta) if isinstance(delta, dict) else delta or Delta()
        super().__init__(finish_reason=_finish(finish_reason), index=index, delta=made, logprobs=logprobs, **more)


class ModelResponseStream(Object):
    """A chunk of a streamed answer, with edgequake's shortcuts to what it adds."""

    _fields = _shown = (
        "id",
        "created",
        "model",
        "object",
        "system_fingerprint",
        "choices",
        "provider_specific_fields",
        "citations",
    )
    id: str
    created: int
    model: str | None = None
    object: str = "chat.completion.chunk"
    system_fingerprint: str | None = None
    choices: list[StreamingChoices]
    provider_specific_fields: dict[str, Any] | None = None
    citations: Any = None
    usage: Usage
    _hidden_params: dict[str, Any]

    def __init__(
        self,
        choices: list[Any] | None = None,
        id: str | None = None,
        created: int | None = None,
        model: str | None = None,
        usage: Any = None,
        **more: Any,
    ) -> None:
        made = [StreamingChoices(**choice) if isinstance(choice, dict) else choice for choice in choices or ()]
        super().__init__(
            id=id or _new_id("chatcmpl-"),
            created=_now() if created is None else created,
            model=model,
            choices=[StreamingChoices()] if choices is None else made,
            **more,
        )
        if usage is not None:
            self.usage = Usage(**usage) if isinstance(usage, dict) else usage
        self._hidden_params = {}

    @property
    def content(self) -> str | None:
        """The text that this chunk adds."""
        return self.choices[0].delta.content if self.choices else None

    @property
    def thinking(self) -> str | None:
        """The thinking that this chunk adds."""
        return self.choices[0].delta.get("reasoning_content") if self.choices else None

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended, in the chunk that ends it."""
        return self.choices[0].finish_reason if self.choices else None

    @property
    def is_finished(self) -> bool:
        """Whether this chunk ends the answer."""
        return self.finish_reason is not None

    @property
    def tool_call_delta(self) -> dict[str, Any] | None:
        """The piece of a tool call that this chunk adds, as a dict."""
        calls = self.choices[0].delta.tool_calls if self.choices else None
        return calls[0].model_dump() if calls else None
