"""The methods of Provider that give typed objects."""

from __future__ import annotations

from ._whole import wait_for_all
from .errors import PyAgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import (
        Any,
        Literal,
        TypeVar,
        Unpack,  # type: ignore[attr-defined, unused-ignore]  # Python 3.11; older checkers see Any
        overload,
    )

    from ._call import Call
    from ._option_types import ObjectOptions
    from ._vendor_options import Options
    from .hooks import Hooks
    from .objects import ObjectResult, ObjectStream
    from .options import Limits, Timeouts
    from .stream import Stream

    T = TypeVar("T")
else:

    def overload(function):
        """Does nothing: typing has the real one, and importing typing is slow."""
        return function


class ObjectMethods:
    """Typed objects: generate_object and stream_object."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _start(self, op: str, arguments: dict[str, Any]) -> Call: ...

    @overload
    def generate_object(
        self, prompt: str | None = None, *, schema: type[T], repairs: int = 2, **options: Unpack[ObjectOptions]
    ) -> ObjectResult[T]: ...

    @overload
    def generate_object(  # noqa: F811
        self, prompt: str | None = None, *, schema: dict[str, Any], repairs: int = 2, **options: Unpack[ObjectOptions]
    ) -> ObjectResult[Any]: ...

    def generate_object(  # noqa: F811
        self,
        prompt: str | None = None,
        *,
        schema: type[T] | dict[str, Any],
        mode: Literal["auto", "strict", "tool", "prompt"] = "auto",
        repairs: int = 2,
        system_prompt: str | None = None,
        messages: list[dict[str, Any]] | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: str | list[str] | None = None,
        frequency_penalty: float | None = None,
        presence_penalty: float | None = None,
        seed: int | None = None,
        top_k: int | None = None,
        logit_bias: dict[Any, float] | None = None,
        reasoning_effort: str | None = None,
        reasoning_budget: int | None = None,
        reasoning_summary: str | None = None,
        verbosity: str | None = None,
        service_tier: str | None = None,
        store: bool | None = None,
        metadata: dict[str, str] | None = None,
        user: str | None = None,
        prompt_cache_key: str | None = None,
        safety_identifier: str | None = None,
        prediction: dict[str, Any] | None = None,
        previous_response_id: str | None = None,
        allow_unsupported: bool = False,
        options: Options | None = None,
        extra_body: dict[str, Any] | None = None,
        extra_headers: dict[str, str] | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        tag: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        model: str | None = None,
        hooks: Hooks | None = None,
        include_raw: bool = False,
    ) -> ObjectResult[Any]:
        """Asks the model for an object of a type, and gives it once it is one.

        Args:
            prompt: The user's message. Ignored when `messages` is given and not empty.
            schema: The type of the object: a pydantic model, a dataclass, a TypedDict, a NamedTuple, a msgspec Struct,
                any type made of these and plain ones; or a JSON Schema as a dict.
            mode: How to ask: "strict" (the vendor's own mode for schemas), "tool" (as the arguments of a tool call),
                "prompt" (the schema in the system prompt), or "auto", the first of them that the vendor takes.
            repairs: How often the model is told what is wrong with its answer, and asked again. Failures of the
                connection are retried apart from that, see max_retries.
            system_prompt: Put before everything else as a system message.
            messages: The whole conversation as dicts with role and content. Content may be a list of parts, and
                tool_calls, tool_call_id, name and the vendor's own keys go out as they are.
            temperature: Randomness, 0 to 2 for most vendors.
            max_tokens: The most tokens to generate. Sent under the name that the model takes.
            top_p: The share of probability to sample from, 0 to 1.
            stop: Text, or up to four of them, that ends the answer.
            frequency_penalty: -2 to 2; above 0, what was said often is said less.
            presence_penalty: -2 to 2; above 0, what was said at all is said less.
            seed: The same seed asks for the same answer.
            top_k: How many tokens to sample from.
            logit_bias: Token id to a bias from -100 to 100.
            reasoning_effort: How long to think: "low", "medium", "high", or the vendor's other words.
            reasoning_budget: How many tokens to think with; 0 for no thinking.
            reasoning_summary: What to show of the thinking: "auto", "concise" or "detailed".
            verbosity: How much to write: "low", "medium" or "high".
            service_tier: The vendor's class of service, for example "flex".
            store: Whether the vendor shall keep the answer.
            metadata: Labels for an answer that is kept.
            user: Your own id of the end user.
            prompt_cache_key: Requests with the same key find each other's prompt in the vendor's cache.
            safety_identifier: A hash of the end user's id, by which the vendor recognises abuse.
            prediction: Text that the answer will mostly repeat, in OpenAI's form; it then comes sooner.
            previous_response_id: Go on from this answer, which the vendor keeps.
            allow_unsupported: Send what the model is known to lack, see `Provider.capabilities`.
            options: What only this vendor knows, such as AnthropicOptions(...); of a list, those count that fit.
            extra_body: Fields that only the vendor knows; they have the last word on the request body.
            extra_headers: Added to those of the Provider, winning over them.
            timeout: Seconds to wait for the next thing: the whole answer.
            timeouts: The four clocks one by one, instead of timeout.
            limits: What the answer may weigh.
            max_retries: Attempts after the first.
            tag: Whom or what the cost is counted for, see `pyagent.costs`; not sent to the vendor.
            api_key: Instead of the Provider's.
            base_url: Instead of the Provider's.
            model: Instead of the Provider's.
            hooks: What runs around each request, inside of the Provider's hooks.
            include_raw: Keep the vendor's own JSON as `Response.raw`.

        Returns:
            An ObjectResult: the object, the answer that it is from, the usage of all answers, the mode, the attempts.

        Raises:
            ConfigurationError: An option is wrong, or the type has no form in JSON; nothing was sent. A ValueError.
            UnsupportedFeatureError: The vendor cannot honour an option, or the mode that was asked for. A ValueError.
            ObjectValidationError: The answer does not fit the schema, after all repairs.
            ObjectRefusedError, ObjectTruncatedError: The model refused, or reached max_tokens.
            APIConnectionError: No answer. A ConnectionError; APITimeoutError is also a TimeoutError.
            APIStatusError: The vendor said no; its subclasses say why. A RuntimeError.
            ResponseParseError, LimitExceededError: The answer is not usable. RuntimeErrors.
        """
        arguments = locals()
        from ._object_job import ObjectJob  # here, because it imports typing, which is slow

        job = ObjectJob(arguments, repairs=repairs)
        while not job.done:
            try:
                answer = wait_for_all(self._start("generate", job.request()))
            except PyAgentError as error:
                job.fail(error)
            else:
                job.take(answer.response)
        return job.result

    @overload
    def stream_object(
        self, prompt: str | None = None, *, schema: type[T], **options: Unpack[ObjectOptions]
    ) -> ObjectStream[T]: ...

    @overload
    def stream_object(  # noqa: F811
        self, prompt: str | None = None, *, schema: dict[str, Any], **options: Unpack[ObjectOptions]
    ) -> ObjectStream[Any]: ...

    def stream_object(  # noqa: F811
        self,
        prompt: str | None = None,
        *,
        schema: type[T] | dict[str, Any],
        mode: Literal["auto", "strict", "tool", "prompt"] = "auto",
        system_prompt: str | None = None,
        messages: list[dict[str, Any]] | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: str | list[str] | None = None,
        frequency_penalty: float | None = None,
        presence_penalty: float | None = None,
        seed: int | None = None,
        top_k: int | None = None,
        logit_bias: dict[Any, float] | None = None,
        reasoning_effort: str | None = None,
        reasoning_budget: int | None = None,
        reasoning_summary: str | None = None,
        verbosity: str | None = None,
        service_tier: str | None = None,
        store: bool | None = None,
        metadata: dict[str, str] | None = None,
        user: str | None = None,
        prompt_cache_key: str | None = None,
        safety_identifier: str | None = None,
        prediction: dict[str, Any] | None = None,
        previous_response_id: str | None = None,
        allow_unsupported: bool = False,
        options: Options | None = None,
        extra_body: dict[str, Any] | None = None,
        extra_headers: dict[str, str] | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        tag: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        model: str | None = None,
        hooks: Hooks | None = None,
        include_raw: bool = False,
    ) -> ObjectStream[Any]:
        """Asks the model for an object of a type, and gives what is there of it while it is written.

        Returns at once. What goes wrong with the request is raised when the stream is read, wrong options here. What
        was read cannot be taken back, so a stream is not repaired.

        Args:
            prompt: The user's message. Ignored when `messages` is given and not empty.
            schema: The type of the object: a pydantic model, a dataclass, a TypedDict, a NamedTuple, a msgspec Struct,
                any type made of these and plain ones; or a JSON Schema as a dict.
            mode: How to ask: "strict" (the vendor's own mode for schemas), "tool" (as the arguments of a tool call),
                "prompt" (the schema in the system prompt), or "auto", the first of them that the vendor takes.
            system_prompt: Put before everything else as a system message.
            messages: The whole conversation as dicts with role and content. Content may be a list of parts, and
                tool_calls, tool_call_id, name and the vendor's own keys go out as they are.
            temperature: Randomness, 0 to 2 for most vendors.
            max_tokens: The most tokens to generate. Sent under the name that the model takes.
            top_p: The share of probability to sample from, 0 to 1.
            stop: Text, or up to four of them, that ends the answer.
            frequency_penalty: -2 to 2; above 0, what was said often is said less.
            presence_penalty: -2 to 2; above 0, what was said at all is said less.
            seed: The same seed asks for the same answer.
            top_k: How many tokens to sample from.
            logit_bias: Token id to a bias from -100 to 100.
            reasoning_effort: How long to think: "low", "medium", "high", or the vendor's other words.
            reasoning_budget: How many tokens to think with; 0 for no thinking.
            reasoning_summary: What to show of the thinking: "auto", "concise" or "detailed".
            verbosity: How much to write: "low", "medium" or "high".
            service_tier: The vendor's class of service, for example "flex".
            store: Whether the vendor shall keep the answer.
            metadata: Labels for an answer that is kept.
            user: Your own id of the end user.
            prompt_cache_key: Requests with the same key find each other's prompt in the vendor's cache.
            safety_identifier: A hash of the end user's id, by which the vendor recognises abuse.
            prediction: Text that the answer will mostly repeat, in OpenAI's form; it then comes sooner.
            previous_response_id: Go on from this answer, which the vendor keeps.
            allow_unsupported: Send what the model is known to lack, see `Provider.capabilities`.
            options: What only this vendor knows, such as AnthropicOptions(...); of a list, those count that fit.
            extra_body: Fields that only the vendor knows; they have the last word on the request body.
            extra_headers: Added to those of the Provider, winning over them.
            timeout: Seconds to wait for the next thing: the first piece, and each pause after it.
            timeouts: The four clocks one by one, instead of timeout.
            limits: What the answer may weigh.
            max_retries: Attempts after the first.
            tag: Whom or what the cost is counted for, see `pyagent.costs`; not sent to the vendor.
            api_key: Instead of the Provider's.
            base_url: Instead of the Provider's.
            model: Instead of the Provider's.
            hooks: What runs around each request, inside of the Provider's hooks.
            include_raw: Keep the vendor's own JSON as `Response.raw`.

        Returns:
            An ObjectStream: iterating gives the object as it grows, and its `result` is the ObjectResult.

        Raises:
            ConfigurationError: An option is wrong, or the type has no form in JSON; nothing was sent. A ValueError.
            UnsupportedFeatureError: The vendor cannot honour an option, or the mode that was asked for. A ValueError.
            ObjectValidationError: The answer does not fit the schema.
            ObjectRefusedError, ObjectTruncatedError: The model refused, or reached max_tokens.
            APIConnectionError: No answer. A ConnectionError; APITimeoutError is also a TimeoutError.
            APIStatusError: The vendor said no; its subclasses say why. A RuntimeError.
            ResponseParseError, LimitExceededError: The answer is not usable. RuntimeErrors.
        """
        arguments = locals()
        from ._object_job import ObjectJob
        from .objects import ObjectStream
        from .stream import Stream

        def start(request: dict[str, Any]) -> Stream:
            return Stream(self._start("stream", {**request, "include_usage": True}))

        return ObjectStream(ObjectJob(arguments), start)
