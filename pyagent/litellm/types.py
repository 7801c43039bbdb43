"""What a whole answer is in litellm's shape: ModelResponse and the objects inside it."""

from __future__ import annotations

from ._objects import Object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "ChatCompletionMessageToolCall",
    "Choices",
    "CompletionTokensDetailsWrapper",
    "Function",
    "FunctionCall",
    "Message",
    "ModelResponse",
    "PromptTokensDetailsWrapper",
    "TextChoices",
    "TextCompletionResponse",
    "Usage",
]

# Words of vendors for why an answer ended, and OpenAI's for the same.
_FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "error": "stop",
    "other": "stop",
    "max_tokens": "length",
    "pause_turn": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "sensitive": "content_filter",
}


def _finish(reason: str | None) -> str | None:
    return None if reason is None else _FINISHES.get(reason.lower(), reason)


class FunctionCall(Object):
    """A call in the form that OpenAI had before tool calls."""

    def __init__(self, arguments: str = "", name: str | None = None, **more: Any) -> None:
        super().__init__(arguments=arguments, name=name, **more)


class Function(Object):
    """The name of what is called, and its arguments as JSON text."""

    def __init__(self, arguments: dict[str, Any] | str | None = None, name: str | None = None, **more: Any) -> None:
        if isinstance(arguments, dict):
            from json import dumps

            arguments = dumps(arguments)
        super().__init__(arguments=arguments or "", name=name, **more)


class ChatCompletionMessageToolCall(Object):
    """One call that the model wants made."""

    def __init__(
        self, function: Function | dict[str, Any], id: str | None = None, type: str | None = None, **more: Any
    ) -> None:
        made = function if isinstance(function, Function) else Function(**function)
        super().__init__(function=made, id=id or _new_id("call_"), type=type or "function", **more)

    @property
    def function_name(self) -> str | None:
        """The name as edgequake's ToolCall has it."""
        return self.function.name  # type: ignore[no-any-return]

    @property
    def function_arguments(self) -> str:
        """The arguments as edgequake's ToolCall has them."""
        return self.function.arguments  # type: ignore[no-any-return]


class Message(Object):
    """What the model said. Fields beyond content, role, tool_calls and function_call are there only when known."""

    _fields = ("provider_specific_fields",)
    provider_specific_fields: dict[str, Any] | None = None

    def __init__(
        self,
        content: str | None = None,
        role: str = "assistant",
        function_call: Any = None,
        tool_calls: list[Any] | None = None,
        **more: Any,
    ) -> None:
        calls = [ChatCompletionMessageToolCall(**call) if isinstance(call, dict) else call for call in tool_calls or ()]
        call = FunctionCall(**function_call) if isinstance(function_call, dict) else function_call
        optional = (
            "audio",
            "images",
            "annotations",
            "reasoning_content",
            "thinking_blocks",
            "provider_specific_fields",
        )
        super().__init__(
            content=content,
            role=role or "assistant",
            tool_calls=calls or None,
            function_call=call,
            **{name: value for name, value in more.items() if value is not None or name not in optional},
        )


class Choices(Object):
    """One of the answers to a request."""

    _fields = ("provider_specific_fields", "logprobs")
    provider_specific_fields: dict[str, Any] | None = None
    logprobs: Any = None

    def __init__(
        self,
        finish_reason: str | None = None,
        index: int | None = 0,
        message: Message | dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        made = Message(**message) if isinstance(message, dict) else message
        super().__init__(
            finish_reason=_finish(finish_reason) or "stop", index=index or 0, message=made or Message(), **more
        )


class CompletionTokensDetailsWrapper(Object):
    """Of what kind the tokens of an answer are; None where the vendor does not say."""

    _fields = (
        "accepted_prediction_tokens",
        "audio_tokens",
        "reasoning_tokens",
        "rejected_prediction_tokens",
        "text_tokens",
        "image_tokens",
        "video_tokens",
    )
    accepted_prediction_tokens: int | None = None
    audio_tokens: int | None = None
    reasoning_tokens: int | None = None
    rejected_prediction_tokens: int | None = None
    text_tokens: int | None = None
    image_tokens: int | None = None
    video_tokens: int | None = None


class PromptTokensDetailsWrapper(Object):
    """Of what kind the tokens of a prompt are; None where the vendor does not say."""

    _fields = ("audio_tokens", "cached_tokens", "image_tokens", "text_tokens", "video_tokens")
    audio_tokens: int | None = None
    cached_tokens: int | None = None
    image_tokens: int | None = None
    text_tokens: int | None = None
    video_tokens: int | None = None


class Usage(Object):
    """Token counts; 0 where the vendor does not say, as in litellm.

    edgequake's `cache_read_input_tokens` and `reasoning_tokens` can be read too.
    """

    def __init__(
        self,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        total_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        prompt_tokens_details: Any = None,
        completion_tokens_details: Any = None,
        cost: float | None = None,
        **more: Any,
    ) -> None:
        completion = completion_tokens_details or None
        if isinstance(completion, dict):
            completion = CompletionTokensDetailsWrapper(**completion)
        if reasoning_tokens and completion is None:
            completion = CompletionTokensDetailsWrapper(reasoning_tokens=reasoning_tokens)
        prompt = prompt_tokens_details or None
        if isinstance(prompt, dict):
            prompt = PromptTokensDetailsWrapper(**prompt)
        super().__init__(
            completion_tokens=completion_tokens or 0,
            prompt_tokens=prompt_tokens or 0,
            total_tokens=total_tokens or 0,
            completion_tokens_details=completion,
            prompt_tokens_details=prompt,
        )
        if cost is not None:
            self.cost = cost
        self.__dict__.update(more)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What edgequake shows of the details; there is nothing else that was not set."""
            details = self.__dict__
            if name == "cache_read_input_tokens":
                return getattr(details.get("prompt_tokens_details"), "cached_tokens", None)
            if name == "reasoning_tokens":
                return getattr(details.get("completion_tokens_details"), "reasoning_tokens", None)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class ModelResponse(Object):
    """A whole answer in OpenAI's shape, with edgequake's shortcuts to the first choice."""

    _hidden_params: dict[str, Any]
    _response_ms: float | None = None
    _response_headers: dict[str, str] | None = None

    def __init__(
        self,
        id: str | None = None,
        choices: list[Any] | None = None,
        created: int | None = None,
        model: str | None = None,
        object: str | None = None,
        system_fingerprint: str | None = None,
        usage: Any = None,
        response_ms: float | None = None,
        hidden_params: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        made = [Choices(**choice) if isinstance(choice, dict) else choice for choice in choices or [Choices()]]
        super().__init__(
            id=id or _new_id("chatcmpl-"),
            created=_now() if created is None else created,
            model=model,
            object=object or "chat.completion",
            system_fingerprint=system_fingerprint,
            choices=made,
            usage=Usage(**usage) if isinstance(usage, dict) else usage or Usage(),
            **more,
        )
        self._hidden_params = {} if hidden_params is None else hidden_params
        self._response_ms = response_ms

    @property
    def hidden_params(self) -> dict[str, Any]:
        """What is known beside the answer: vendor, address, headers of the response, cost."""
        return self._hidden_params

    @property
    def response_ms(self) -> float | None:
        """Milliseconds from the call to its answer."""
        return self._response_ms

    @property
    def content(self) -> str | None:
        """The text of the first choice."""
        return self.choices[0].message.content  # type: ignore[no-any-return]

    @property
    def tool_calls(self) -> list[ChatCompletionMessageToolCall]:
        """The calls of the first choice; an empty list where its message has None."""
        return self.choices[0].message.tool_calls or []

    @property
    def finish_reason(self) -> str | None:
        """Why the first choice ended."""
        return self.choices[0].finish_reason  # type: ignore[no-any-return]

    @property
    def thinking_content(self) -> str | None:
        """What the model showed of its thinking."""
        return self.choices[0].message.get("reasoning_content")  # type: ignore[no-any-return]

    @property
    def cache_hit_tokens(self) -> int | None:
        """Tokens of the prompt that came from the vendor's cache."""
        return self.usage.cache_read_input_tokens  # type: ignore[no-any-return]

    @property
    def thinking_tokens(self) -> int | None:
        """Tokens of the answer that were thinking."""
        return self.usage.reasoning_tokens  # type: ignore[no-any-return]

    def has_tool_calls(self) -> bool:
        """Whether the model wants tools called."""
        return bool(self.tool_calls)


class TextChoices(Object):
    """One of the answers to a text completion."""

    def __init__(
        self,
        finish_reason: str | None = None,
        index: int = 0,
        text: str | None = None,
        logprobs: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(finish_reason=_finish(finish_reason), index=index, text=text, logprobs=logprobs, **more)


class TextCompletionResponse(Object):
    """The answer to a text completion, whole or a chunk of it."""

    _hidden_params: dict[str, Any]
    _response_ms: float | None = None

    def __init__(
        self,
        id: str | None = None,
        choices: list[Any] | None = None,
        created: int | None = None,
        model: str | None = None,
        usage: Any = None,
        object: str | None = None,
        **more: Any,
    ) -> None:
        made = [TextChoices(**choice) if isinstance(choice, dict) else choice for choice in choices or [TextChoices()]]
        super().__init__(
            id=id or _new_id("cmpl-"),
            object=object or "text_completion",
            created=_now() if created is None else created,
            model=model,
            choices=made,
            usage=Usage(**usage) if isinstance(usage, dict) else usage,
            **more,
        )
        self._hidden_params = {}

    @property
    def response_ms(self) -> float | None:
        """Milliseconds from the call to its answer."""
        return self._response_ms


def _new_id(prefix: str) -> str:
    from os import urandom

    return prefix + urandom(12).hex()


def _now() -> int:
    from time import time

    return int(time())
