"""token_counter, encode and decode: tokens as OpenAI's models cut text into them, with the package tiktoken."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["decode", "encode", "token_counter"]

# How OpenAI's chat format is counted: https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken
_PER_MESSAGE, _PER_NAME, _PER_ANSWER = 3, 1, 3


def encode(model: str = "", text: str = "", custom_tokenizer: Any = None) -> list[int]:
    """The tokens of a text, as OpenAI's model of that name has them; other models' own are not public.

    Raises:
        ImportError: There is no tiktoken.
    """
    return list((custom_tokenizer or _encoding(model)).encode(text))


def decode(model: str = "", tokens: list[int] | None = None, custom_tokenizer: Any = None) -> str:
    """The text of tokens."""
    text: str = (custom_tokenizer or _encoding(model)).decode(tokens or [])
    return text


def token_counter(
    model: str = "",
    custom_tokenizer: Any = None,
    text: str | list[str] | None = None,
    messages: list[Any] | None = None,
    count_response_tokens: bool = False,
    tools: list[Any] | None = None,
    tool_choice: Any = None,
) -> int:
    """How many tokens a text or a conversation is, counted here. For a vendor's own count there is
    `Provider.count_tokens`; of an answer, `usage` says it.

    Args:
        model: Whose tokens; for models that are not OpenAI's it is an estimate.
        custom_tokenizer: An object with `encode`.
        text: A text, or a list of them.
        messages: A conversation; pictures are not counted.
        count_response_tokens: Count the texts only, not what a request puts around them.
        tools, tool_choice: Counted as the JSON that they are.

    Raises:
        ImportError: There is no tiktoken.
        ValueError: Neither text nor messages were given.
    """
    tokenizer = custom_tokenizer or _encoding(model)

    def count(part: str) -> int:
        return len(tokenizer.encode(part))

    if text is not None:
        return count("".join(text) if isinstance(text, list) else text)
    if messages is None:
        raise ValueError("token_counter() needs text or messages; both are None.")
    from ._params import plain_messages

    total = sum(_count_message(message, count, count_response_tokens) for message in plain_messages(messages))
    from json import dumps

    total += sum(count(dumps(extra)) for extra in (*(tools or ()), tool_choice) if extra)
    return total if count_response_tokens else total + _PER_ANSWER


def _count_message(message: dict[str, Any], count: Any, texts_only: bool) -> int:
    total = 0 if texts_only else _PER_MESSAGE
    for name, value in message.items():
        if name == "tool_calls":
            total += sum(count(call["function"]["name"] + call["function"]["arguments"]) for call in value)
        elif isinstance(value, str):
            total += count(value) if name != "role" or not texts_only else 0
            total += _PER_NAME if name == "name" else 0
        elif isinstance(value, list):
            total += sum(count(part["text"]) for part in value if isinstance(part, dict) and "text" in part)
    return total


def _encoding(model: str) -> Any:
    from importlib import import_module

    try:
        tiktoken: Any = import_module("tiktoken")
    except ImportError:
        raise ImportError(
            "Counting tokens without asking a vendor needs the package tiktoken: pip install tiktoken. A vendor's own "
            "count is Provider.count_tokens()."
        ) from None
    try:
        return tiktoken.encoding_for_model(model.rpartition("/")[2])
    except KeyError:
        return tiktoken.get_encoding("cl100k_base")
