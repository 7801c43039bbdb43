"""What a finished answer is: Response and the values inside it."""

from __future__ import annotations

from ._json_text import decode
from ._value import Value
from .errors import ResponseParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .rate_limits import RateLimits

__all__ = ["Choice", "Response", "ToolCall", "Usage"]


class Usage(Value):
    """Tokens, counted the same way for every vendor; None where the vendor did not say.

    Attributes:
        prompt_tokens: Everything that was sent, cached tokens included.
        completion_tokens: Everything that was generated, reasoning included.
        total_tokens: Both together, as the vendor says.
        cached_tokens: The part of the prompt that was read from the vendor's cache.
        cache_write_tokens: The part of the prompt that was written to it.
        reasoning_tokens: The part of the completion that was reasoning.
        cost: In US dollars, only where the vendor states it; `Response.cost` is known more often.
    """

    __slots__ = (
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "cached_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "cost",
    )

    def __init__(
        self,
        *,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        total_tokens: int | None = None,
        cached_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        cost: float | None = None,
    ) -> None:
        self.prompt_tokens = prompt_tokens
        self.completion_tokens = completion_tokens
        self.total_tokens = total_tokens
        self.cached_tokens = cached_tokens
        self.cache_write_tokens = cache_write_tokens
        self.reasoning_tokens = reasoning_tokens
        self.cost = cost


class ToolCall(Value):
    """One call that the model wants made.

    Attributes:
        id: To be sent back with the result.
        name: The tool's name.
        arguments: JSON text exactly as the model wrote it, or free text for a custom tool.
        custom: Whether the tool takes free text.
        extra: Vendor data that must return with the call, such as a signature.
    """

    __slots__ = ("id", "name", "arguments", "custom", "extra")

    def __init__(
        self, id: str, name: str, arguments: str, *, custom: bool = False, extra: dict[str, Any] | None = None
    ) -> None:
        self.id = id
        self.name = name
        self.arguments = arguments
        self.custom = custom
        self.extra = extra

    @property
    def parsed(self) -> dict[str, Any]:
        """The arguments as a dict; no arguments at all are an empty one.

        Raises:
            ResponseParseError: The model did not write a JSON object.
        """
        if not self.arguments.strip():
            return {}
        try:
            value = decode(self.arguments)
        except ValueError as error:
            raise ResponseParseError(
                f"The arguments of the tool call {self.name!r} are not valid JSON ({error}): {self.arguments[:200]!r}"
            ) from None
        if not isinstance(value, dict):
            raise ResponseParseError(
                f"The arguments of the tool call {self.name!r} are not a JSON object: {self.arguments[:200]!r}"
            )
        return value

    def to_message(self) -> dict[str, Any]:
        """The call in the form that an assistant message carries."""
        if self.custom:
            call: dict[str, Any] = {
                "id": self.id,
                "type": "custom",
                "custom": {"name": self.name, "input": self.arguments},
            }
        else:
            call = {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}
        return {**call, **(self.extra or {})}


class Choice(Value):
    """One of the answers to one request; there is more than one only with n above 1.

    Its fields are those of `Response`, and index, and source: the vendor and the model that were asked, as a dict.
    """

    __slots__ = (
        "index",
        "text",
        "reasoning",
        "refusal",
        "tool_calls",
        "finish_reason",
        "raw_finish_reason",
        "logprobs",
        "annotations",
        "parts",
        "reasoning_details",
        "source",
    )

    def __init__(
        self,
        index: int = 0,
        *,
        text: str = "",
        reasoning: str = "",
        refusal: str = "",
        tool_calls: list[ToolCall] | None = None,
        finish_reason: str | None = None,
        raw_finish_reason: str | None = None,
        logprobs: list[Any] | None = None,
        annotations: list[Any] | None = None,
        parts: list[Any] | None = None,
        reasoning_details: list[Any] | None = None,
        source: dict[str, str] | None = None,
    ) -> None:
        self.index = index
        self.text = text
        self.reasoning = reasoning
        self.refusal = refusal
        self.tool_calls = tool_calls or []
        self.finish_reason = finish_reason
        self.raw_finish_reason = raw_finish_reason
        self.logprobs = logprobs or []
        self.annotations = annotations or []
        self.parts = parts or []
        self.reasoning_details = reasoning_details or []
        self.source = source

    @property
    def message(self) -> dict[str, Any]:
        """This answer as an assistant message, ready to be appended to `messages`.

        With what only its maker understands (reasoning_details, signatures of tool calls) it says under "source" who
        that is, so that nobody else is sent it. `pyagent.messages.plain` takes both away, for other libraries.
        """
        content = self.text or (None if self.tool_calls or self.refusal else "")
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if self.refusal:
            message["refusal"] = self.refusal
        if self.tool_calls:
            message["tool_calls"] = [call.to_message() for call in self.tool_calls]
        if self.reasoning_details:
            message["reasoning_details"] = self.reasoning_details
        if self.source and (self.reasoning_details or any(call.extra for call in self.tool_calls)):
            message["source"] = self.source
        return message


class Response(Value):
    """A complete answer. `str(response)` is its text.

    The content properties (text, tool_calls and so on) are those of the first choice.

    Attributes:
        choices: All answers; one, unless the request asked for n of them.
        usage: Token counts; its fields are None where the vendor did not say.
        cost: US dollars: as the vendor states it, or by the model's price; None where neither is known.
        model, provider: Who answered, as the vendor reports it.
        deployment: Which deployment of a `Router` answered; None without one.
        id: The vendor's id of the answer.
        request_id: The vendor's id of the HTTP request.
        created: Seconds since 1970 UTC, by the vendor's clock.
        system_fingerprint, service_tier: As the vendor says.
        headers: Of the HTTP answer, names in lower case, without secrets.
        warnings: What the user should know about how the request was sent.
        attempts: How many requests were sent; more than 1 after retries.
        retries: The attempts that another one followed, as dicts: attempt (from 1), wait (seconds up to the next one),
            kind, message, and status_code where there was one.
        raw: The vendor's own JSON, only with include_raw=True: one object, or the list of a stream's events.
    """

    __slots__ = (
        "choices",
        "usage",
        "cost",
        "model",
        "id",
        "provider",
        "deployment",
        "request_id",
        "created",
        "system_fingerprint",
        "service_tier",
        "headers",
        "warnings",
        "attempts",
        "retries",
        "raw",
    )

    def __init__(
        self,
        choices: list[Choice],
        *,
        usage: Usage | None = None,
        cost: float | None = None,
        model: str | None = None,
        id: str | None = None,
        provider: str | None = None,
        deployment: str | None = None,
        request_id: str | None = None,
        created: float | None = None,
        system_fingerprint: str | None = None,
        service_tier: str | None = None,
        headers: dict[str, str] | None = None,
        warnings: list[str] | None = None,
        attempts: int = 1,
        retries: list[dict[str, Any]] | None = None,
        raw: Any = None,
    ) -> None:
        self.choices = choices
        self.usage = usage if usage is not None else Usage()
        self.cost = cost
        self.model = model
        self.id = id
        self.provider = provider
        self.deployment = deployment
        self.request_id = request_id
        self.created = created
        self.system_fingerprint = system_fingerprint
        self.service_tier = service_tier
        self.headers = headers or {}
        self.warnings = warnings or []
        self.attempts = attempts
        self.retries = retries or []
        self.raw = raw

    @property
    def text(self) -> str:
        """The answer's text, "" when there is none."""
        return self.choices[0].text

    @property
    def reasoning(self) -> str:
        """What the model showed of its thinking."""
        return self.choices[0].reasoning

    @property
    def refusal(self) -> str:
        """The model's words of refusal, "" when it did not refuse."""
        return self.choices[0].refusal

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The calls that the model wants made."""
        return self.choices[0].tool_calls

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended: stop, length, tool_calls, content_filter, error or other."""
        return self.choices[0].finish_reason

    @property
    def raw_finish_reason(self) -> str | None:
        """The vendor's own word for why the answer ended."""
        return self.choices[0].raw_finish_reason

    @property
    def logprobs(self) -> list[Any]:
        """Log-probabilities of the tokens, as the vendor sends them."""
        return self.choices[0].logprobs

    @property
    def annotations(self) -> list[Any]:
        """Citations and other notes on the text, as the vendor sends them."""
        return self.choices[0].annotations

    @property
    def parts(self) -> list[Any]:
        """Images and audio of the answer, as the vendor sends them."""
        return self.choices[0].parts

    @property
    def reasoning_details(self) -> list[Any]:
        """Reasoning in the vendor's own form, to be sent back unchanged with the next request."""
        return self.choices[0].reasoning_details

    @property
    def message(self) -> dict[str, Any]:
        """The answer as an assistant message, ready to be appended to `messages`."""
        return self.choices[0].message

    @property
    def prompt_tokens(self) -> int | None:
        """Tokens of the prompt."""
        return self.usage.prompt_tokens

    @property
    def completion_tokens(self) -> int | None:
        """Tokens of the answer."""
        return self.usage.completion_tokens

    @property
    def total_tokens(self) -> int | None:
        """Tokens of both together."""
        return self.usage.total_tokens

    @property
    def rate_limits(self) -> RateLimits:
        """What the vendor said of its rate limits in the headers; false when it said nothing."""
        from .rate_limits import RateLimits

        return RateLimits.from_headers(self.headers)

    def to_dict(self) -> dict[str, Any]:
        """Everything that is known, as plain dicts and lists that `json.dumps` takes."""
        return {"text": self.text, "finish_reason": self.finish_reason, **self._as_dict()}

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        text = self.text if len(self.text) <= 50 else self.text[:50] + "..."
        return (
            f"Response(text={text!r}, finish_reason={self.finish_reason!r}, "
            f"prompt_tokens={self.prompt_tokens!r}, completion_tokens={self.completion_tokens!r})"
        )
