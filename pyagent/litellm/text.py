"""text_completion and atext_completion: a prompt and its continuation, over the vendors' chat interfaces."""

from __future__ import annotations

from .exceptions import UnsupportedParamsError
from .types import TextChoices, TextCompletionResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

    from .chunks import ModelResponseStream
    from .types import ModelResponse

__all__ = ["TextCompletionStreamWrapper", "atext_completion", "text_completion"]


class TextCompletionStreamWrapper:
    """The chunks of a text completion, for `for` or `async for`."""

    def __init__(self, chunks: Any) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[TextCompletionResponse]:
        return (_make_chunk(chunk) for chunk in self._chunks if _says_something(chunk))

    async def __aiter__(self) -> AsyncIterator[TextCompletionResponse]:
        async for chunk in self._chunks:
            if _says_something(chunk):
                yield _make_chunk(chunk)

    def close(self) -> None:
        """Closes the connection at once."""
        self._chunks.close()


def text_completion(
    prompt: str | list[str],
    model: str | None = None,
    best_of: int | None = None,
    echo: bool | None = None,
    logprobs: int | None = None,
    suffix: str | None = None,
    stream: bool | None = None,
    **kwargs: Any,
) -> TextCompletionResponse | TextCompletionStreamWrapper:
    """Continues a prompt, or several, each of them as what the user says in a chat.

    Args:
        prompt: A text, or a list of texts that become one choice each.
        model: "provider/model".
        best_of, echo, suffix: Refused: chat interfaces do not have them.
        logprobs: How many likely tokens to give for each token.
        stream: Give chunks; for one prompt only.
        kwargs: As in `completion`.

    Raises:
        LiteLLMEdgeError: The classes of `exceptions`.
    """
    from ._completion import completion

    refused = {"best_of": best_of, "echo": echo, "suffix": suffix}
    return _continue(completion, prompt, model, refused, logprobs, stream, kwargs)


async def atext_completion(
    prompt: str | list[str],
    model: str | None = None,
    best_of: int | None = None,
    echo: bool | None = None,
    logprobs: int | None = None,
    suffix: str | None = None,
    stream: bool | None = None,
    **kwargs: Any,
) -> TextCompletionResponse | TextCompletionStreamWrapper:
    """The twin of `text_completion` for coroutines."""
    from ._completion import acompletion

    refused = {"best_of": best_of, "echo": echo, "suffix": suffix}
    return await _acontinue(acompletion, prompt, model, refused, logprobs, stream, kwargs)


def _continue(
    ask: Any,
    prompt: Any,
    model: str | None,
    refused: dict[str, Any],
    logprobs: int | None,
    stream: bool | None,
    more: dict[str, Any],
) -> TextCompletionResponse | TextCompletionStreamWrapper:
    """Continues a prompt, or several, by a function that is like `completion`."""
    prompts = _check(prompt, model, refused, stream)
    shared = _chat_arguments(model, logprobs, more)
    if stream:
        return TextCompletionStreamWrapper(ask(messages=_say(prompts[0]), stream=True, **shared))
    return _join([ask(messages=_say(one), **shared) for one in prompts])


async def _acontinue(
    ask: Any,
    prompt: Any,
    model: str | None,
    refused: dict[str, Any],
    logprobs: int | None,
    stream: bool | None,
    more: dict[str, Any],
) -> TextCompletionResponse | TextCompletionStreamWrapper:
    """The twin of `_continue` for coroutines."""
    prompts = _check(prompt, model, refused, stream)
    shared = _chat_arguments(model, logprobs, more)
    if stream:
        return TextCompletionStreamWrapper(await ask(messages=_say(prompts[0]), stream=True, **shared))
    return _join([await ask(messages=_say(one), **shared) for one in prompts])


def _check(prompt: Any, model: str | None, refused: dict[str, Any], stream: bool | None) -> list[str]:
    prompts = [prompt] if isinstance(prompt, str) else prompt
    names = [name for name, value in refused.items() if value]
    if not isinstance(prompts, list) or not prompts or not all(isinstance(one, str) for one in prompts):
        names.append("a prompt that is neither a text nor a list of texts")
    elif stream and len(prompts) > 1:
        names.append("a stream for more than one prompt")
    if names:
        raise UnsupportedParamsError(f"text_completion() goes to chat interfaces and has no {', '.join(names)}.", model)
    return prompts


def _chat_arguments(model: str | None, logprobs: int | None, more: dict[str, Any]) -> dict[str, Any]:
    likely = {} if logprobs is None else {"logprobs": True, "top_logprobs": logprobs}
    engine = more.pop("engine", None)
    return {"model": model or engine, **likely, **more}


def _say(prompt: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}]


def _join(answers: list[ModelResponse]) -> TextCompletionResponse:
    """One answer with the choices of all of them, and the sum of their tokens."""
    choices = [
        TextChoices(choice.finish_reason, number, choice.message.content, choice.logprobs)
        for number, choice in enumerate(choice for answer in answers for choice in answer.choices)
    ]
    first = answers[0]
    usage = first.usage
    for answer in answers[1:]:
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            usage[name] += answer.usage[name]
    made = TextCompletionResponse(first.id, choices, first.created, first.model, usage)
    made._hidden_params = first._hidden_params
    made._response_ms = sum(answer.response_ms or 0 for answer in answers)
    return made


def _says_something(chunk: ModelResponseStream) -> bool:
    """Chat's first chunk only says who speaks, which a text completion does not have."""
    return not chunk.choices or chunk.choices[0].delta.role is None or bool(chunk.choices[0].delta.content)


def _make_chunk(chunk: ModelResponseStream) -> TextCompletionResponse:
    choices = [
        TextChoices(choice.finish_reason, choice.index, choice.delta.content or "", choice.logprobs)
        for choice in chunk.choices
    ]
    made = TextCompletionResponse(chunk.id, None, chunk.created, chunk.model, chunk.get("usage"))
    made.choices = choices
    made._hidden_params = chunk._hidden_params
    return made
