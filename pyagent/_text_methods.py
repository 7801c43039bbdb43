"""The methods of Provider that give plain text, with the signatures that users of rusty-agent-sdk know."""

from __future__ import annotations

from . import _opening, _request
from ._whole import wait_for_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import (
        Any,
        Literal,
        Unpack,  # type: ignore[attr-defined, unused-ignore]  # Python 3.11; older checkers see Any
        overload,
    )

    from ._call import Call
    from ._option_types import TextOptions, ToolLike
    from ._vendor_options import Options
    from .hooks import Hooks
    from .options import Limits, Timeouts
    from .response import Response
    from .stream import Stream
else:

    def overload(function):
        """Does nothing: typing has the real one, and importing typing is slow."""
        return function


class TextMethods:
    """Text in, text out: generate_text and stream_text."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _start(self, op: str, arguments: dict[str, Any]) -> Call: ...

    @overload
    def generate_text(
        self, prompt: str | None = None, *, include_usage: Literal[False] = False, **options: Unpack[TextOptions]
    ) -> str: ...

    @overload
    def generate_text(  # noqa: F811
        self, prompt: str | None = None, *, include_usage: Literal[True], **options: Unpack[TextOptions]
    ) -> Response: ...

    @overload
    def generate_text(  # noqa: F811
        self, prompt: str | None = None, *, include_usage: bool, **options: Unpack[TextOptions]
    ) -> str | Response: ...

    def generate_text(  # noqa: F811
        self,
        prompt: str | None = None,
        *,
        system_prompt: str | None = None,
        messages: list[dict[str, Any]] | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: str | list[str] | None = None,
        frequency_penalty: float | None = None,
        presence_penalty: float | None = None,
        seed: int | None = None,
        response_format: dict[str, Any] | None = None,
        include_usage: bool = False,
        top_k: int | None = None,
        tools: Sequence[ToolLike] | None = None,
        tool_choice: str | dict[str, Any] | None = None,
        parallel_tool_calls: bool | None = None,
        logprobs: bool | None = None,
        top_logprobs: int | None = None,
        logit_bias: dict[Any, float] | None = None,
        n: int | None = None,
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
        modalities: list[str] | None = None,
        audio: dict[str, Any] | None = None,
        prediction: dict[str, Any] | None = None,
        stream_options: dict[str, Any] | None = None,
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
    ) -> str | Response:
        """Asks the model and waits for the whole answer.

        Args:
            prompt: The user's message. Ignored when `messages` is given and not empty.
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
            response_format: For example {"type": "json_object"}, or a JSON schema in OpenAI's form.
            include_usage: Return a Response with token counts and metadata instead of a string.
            top_k: How many tokens to sample from.
            tools: What the model may call: functions, Tool objects, or dicts in OpenAI's form.
            tool_choice: "auto", "none", "required", or one tool in OpenAI's form.
            parallel_tool_calls: Whether the model may ask for several calls at once.
            logprobs: Give the log-probability of every token.
            top_logprobs: Give this many other likely tokens beside each one too.
            logit_bias: Token id to a bias from -100 to 100.
            n: How many answers. Only 1 here; generate() shows several.
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
            modalities: What to answer with, for example ["text", "audio"].
            audio: Voice and format of an answer in audio, in OpenAI's form.
            prediction: Text that the answer will mostly repeat, in OpenAI's form; it then comes sooner.
            stream_options: For streams only, an error here.
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
            hooks: What runs around this request, inside of the Provider's hooks.

        Returns:
            The text ("" for an answer without text, such as a tool call), or with include_usage=True the Response.

        Raises:
            ConfigurationError: An option is wrong; nothing was sent. A ValueError.
            UnsupportedFeatureError: The vendor, or this method, cannot honour an option. A ValueError.
            APIConnectionError: No answer. A ConnectionError; APITimeoutError is also a TimeoutError.
            APIStatusError: The vendor said no; its subclasses say why. A RuntimeError.
            ResponseParseError, LimitExceededError: The answer is not usable. RuntimeErrors.
        """
        _request.refuse_several(n, "generate_text")
        answer = wait_for_all(self._start("generate", locals()))
        return answer.response if include_usage else answer.text

    def stream_text(
        self,
        prompt: str | None = None,
        *,
        system_prompt: str | None = None,
        messages: list[dict[str, Any]] | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: str | list[str] | None = None,
        frequency_penalty: float | None = None,
        presence_penalty: float | None = None,
        seed: int | None = None,
        response_format: dict[str, Any] | None = None,
        include_usage: bool = False,
        top_k: int | None = None,
        tools: Sequence[ToolLike] | None = None,
        tool_choice: str | dict[str, Any] | None = None,
        parallel_tool_calls: bool | None = None,
        logprobs: bool | None = None,
        top_logprobs: int | None = None,
        logit_bias: dict[Any, float] | None = None,
        n: int | None = None,
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
        modalities: list[str] | None = None,
        audio: dict[str, Any] | None = None,
        prediction: dict[str, Any] | None = None,
        stream_options: dict[str, Any] | None = None,
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
    ) -> Stream:
        """Asks the model and gives its text piece by piece, as it is written.

        Returns at once. What goes wrong with the request is raised when the stream is read, wrong options here.

        Args:
            prompt: The user's message. Ignored when `messages` is given and not empty.
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
            response_format: For example {"type": "json_object"}, or a JSON schema in OpenAI's form.
            include_usage: Ask for token counts, and show them and other metadata on the stream once they are known.
            top_k: How many tokens to sample from.
            tools: What the model may call: functions, Tool objects, or dicts in OpenAI's form.
            tool_choice: "auto", "none", "required", or one tool in OpenAI's form.
            parallel_tool_calls: Whether the model may ask for several calls at once.
            logprobs: Give the log-probability of every token.
            top_logprobs: Give this many other likely tokens beside each one too.
            logit_bias: Token id to a bias from -100 to 100.
            n: How many answers. Only 1 here; generate() shows several.
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
            modalities: What to answer with, for example ["text", "audio"].
            audio: Voice and format of an answer in audio, in OpenAI's form.
            prediction: Text that the answer will mostly repeat, in OpenAI's form; it then comes sooner.
            stream_options: OpenAI's options of a stream.
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
            hooks: What runs around this request, inside of the Provider's hooks.

        Returns:
            A Stream of str.

        Raises:
            ConfigurationError: An option is wrong; nothing was sent. A ValueError.
            UnsupportedFeatureError: The vendor, or this method, cannot honour an option. A ValueError.
            APIConnectionError: No answer. A ConnectionError; APITimeoutError is also a TimeoutError.
            APIStatusError: The vendor said no; its subclasses say why. A RuntimeError.
            ResponseParseError, LimitExceededError: The answer is not usable. RuntimeErrors.
        """
        _request.refuse_several(n, "stream_text")
        call = self._start("stream", locals())
        with _opening.lock:
            from .stream import Stream
        return Stream(call, numbers=include_usage)
