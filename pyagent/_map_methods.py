"""The methods of Provider that ask many prompts at a time."""

from __future__ import annotations

from . import _opening, _request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import (
        Any,
        Literal,
        Union,
        Unpack,  # type: ignore[attr-defined, unused-ignore]  # Python 3.11; older checkers see Any
        overload,
    )

    from ._call import Client
    from ._map import Schedule
    from ._option_types import MapOptions, ToolLike
    from ._vendor_options import Options
    from .answers import Answers
    from .errors import PyAgentError
    from .hooks import Hooks
    from .options import Limits, Timeouts
    from .response import Response

    Prompt = Union[str, list[dict[str, Any]]]
else:

    def overload(function):
        """Does nothing: typing has the real one, and importing typing is slow."""
        return function


class MapMethods:
    """Many prompts in, many answers out: map."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _connect(self) -> Client: ...

        def _plan(self, arguments: dict[str, Any]) -> Schedule: ...

    @overload
    def map(
        self,
        prompts: Iterable[Prompt],
        *,
        ordered: Literal[True] = True,
        return_exceptions: Literal[False] = False,
        include_usage: Literal[False] = False,
        **options: Unpack[MapOptions],
    ) -> Answers[str]: ...

    @overload
    def map(  # noqa: F811
        self,
        prompts: Iterable[Prompt],
        *,
        ordered: Literal[True] = True,
        return_exceptions: Literal[False] = False,
        include_usage: Literal[True],
        **options: Unpack[MapOptions],
    ) -> Answers[Response]: ...

    @overload
    def map(  # noqa: F811
        self,
        prompts: Iterable[Prompt],
        *,
        ordered: Literal[True] = True,
        return_exceptions: Literal[True],
        include_usage: Literal[False] = False,
        **options: Unpack[MapOptions],
    ) -> Answers[str | PyAgentError]: ...

    @overload
    def map(  # noqa: F811
        self,
        prompts: Iterable[Prompt],
        *,
        ordered: Literal[True] = True,
        return_exceptions: Literal[True],
        include_usage: Literal[True],
        **options: Unpack[MapOptions],
    ) -> Answers[Response | PyAgentError]: ...

    @overload
    def map(  # noqa: F811
        self,
        prompts: Iterable[Prompt],
        *,
        ordered: Literal[False],
        return_exceptions: Literal[False] = False,
        include_usage: Literal[False] = False,
        **options: Unpack[MapOptions],
    ) -> Answers[tuple[int, str]]: ...

    @overload
    def map(  # noqa: F811
        self,
        prompts: Iterable[Prompt],
        *,
        ordered: Literal[False],
        return_exceptions: Literal[False] = False,
        include_usage: Literal[True],
        **options: Unpack[MapOptions],
    ) -> Answers[tuple[int, Response]]: ...

    @overload
    def map(  # noqa: F811
        self,
        prompts: Iterable[Prompt],
        *,
        ordered: Literal[False],
        return_exceptions: Literal[True],
        include_usage: Literal[False] = False,
        **options: Unpack[MapOptions],
    ) -> Answers[tuple[int, str | PyAgentError]]: ...

    @overload
    def map(  # noqa: F811
        self,
        prompts: Iterable[Prompt],
        *,
        ordered: Literal[False],
        return_exceptions: Literal[True],
        include_usage: Literal[True],
        **options: Unpack[MapOptions],
    ) -> Answers[tuple[int, Response | PyAgentError]]: ...

    @overload
    def map(  # noqa: F811
        self,
        prompts: Iterable[Prompt],
        *,
        ordered: bool = True,
        return_exceptions: bool = False,
        include_usage: bool = False,
        **options: Unpack[MapOptions],
    ) -> Answers[Any]: ...

    def map(  # noqa: F811
        self,
        prompts: Iterable[Prompt],
        *,
        concurrency: int = 16,
        ordered: bool = True,
        return_exceptions: bool = False,
        progress: Callable[[int, int | None], object] | None = None,
        include_usage: bool = False,
        system_prompt: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        top_p: float | None = None,
        stop: str | list[str] | None = None,
        frequency_penalty: float | None = None,
        presence_penalty: float | None = None,
        seed: int | None = None,
        response_format: dict[str, Any] | None = None,
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
    ) -> Answers[Any]:
        """Asks many prompts, several at a time, and gives their answers as they are read.

        Returns at once, and asks nothing before the first answer is read. Prompts are read one by one, never further
        ahead than there is room for: any number of them takes the memory of `concurrency` answers.

        Args:
            prompts: Strings, or lists of messages for conversations, in any iterable.
            concurrency: The most prompts that are being asked, or are answered and wait to be read.
            ordered: Give the answers in the order of their prompts. False gives pairs, the number of the prompt from 0
                and its answer, as they arrive; a slow answer then holds no other up.
            return_exceptions: Give a prompt's error in place of its answer. Otherwise the first is raised where its
                answer would come, and the requests behind it are closed.
            progress: Called with the number of finished prompts, and with that of all of them (None if unknown), by
                the one who reads.
            include_usage: Give a Response with token counts and metadata instead of a string.
            system_prompt: Put before everything else as a system message.
            temperature: Randomness, 0 to 2 for most vendors.
            max_tokens: The most tokens to generate. Sent under the name that the model takes.
            top_p: The share of probability to sample from, 0 to 1.
            stop: Text, or up to four of them, that ends the answer.
            frequency_penalty: -2 to 2; above 0, what was said often is said less.
            presence_penalty: -2 to 2; above 0, what was said at all is said less.
            seed: The same seed asks for the same answer.
            response_format: For example {"type": "json_object"}, or a JSON schema in OpenAI's form.
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
            timeout: Seconds to wait for the next thing: the whole answer to one prompt.
            timeouts: The four clocks one by one, instead of timeout.
            limits: What the answer may weigh.
            max_retries: Attempts after the first.
            tag: Whom or what the cost is counted for, see `pyagent.costs`; not sent to the vendor.
            api_key: Instead of the Provider's.
            base_url: Instead of the Provider's.
            model: Instead of the Provider's.
            hooks: What runs around this request, inside of the Provider's hooks.

        Returns:
            Answers: an iterator of str, of Response with include_usage=True, of PyAgentError too with
            return_exceptions=True; of pairs of a number and one of these with ordered=False.

        Raises:
            ConfigurationError: An option is wrong; nothing was sent. A ValueError. When read: a prompt is.
            UnsupportedFeatureError: The vendor, or this method, cannot honour an option. A ValueError.
            APIConnectionError: No answer. A ConnectionError; APITimeoutError is also a TimeoutError.
            APIStatusError: The vendor said no; its subclasses say why. A RuntimeError.
            ResponseParseError, LimitExceededError: The answer is not usable. RuntimeErrors.
        """
        _request.refuse_several(n, "map")
        return _make(self._connect, self._plan(locals()))


def _make(connect: Callable[[], Client], plan: Schedule) -> Answers[Any]:
    with _opening.lock:
        from .answers import Answers

    return Answers(connect, plan)
