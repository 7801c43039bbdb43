"""What has been said in a conversation: its messages, where they may be cut, and what they weigh."""

from __future__ import annotations

from ._checks import string, wrong
from ._value import Value
from .errors import ConfigurationError
from .response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Union

    Message = dict[str, Any]
    Prompt = Union[str, dict[str, Any], Sequence[Union[str, dict[str, Any]]]]

# What a message costs beside its text, and a picture or a file, where nobody counts: a middle of what vendors say.
_TOKENS_OF_A_MESSAGE = 4
_TOKENS_OF_A_PART = 1000
_BYTES_OF_A_TOKEN = 4


class Past(Value):
    """What a conversation knows of its past. A turn makes a new one, so that whoever looks sees one moment.

    Its messages are never handed out and never changed: forks share them.
    """

    __slots__ = ("messages", "summary", "usage", "cost", "turns", "response_id", "covered")

    def __init__(
        self,
        messages: Sequence[Message] = (),
        *,
        summary: str | None = None,
        usage: Usage | None = None,
        cost: float | None = None,
        turns: int = 0,
        response_id: str | None = None,
        covered: int = 0,
    ) -> None:
        self.messages = tuple(messages)
        self.summary = summary  # of the messages that have left the history
        self.usage = Usage() if usage is None else usage
        self.cost = cost
        self.turns = turns
        self.response_id = response_id  # of the last answer that the vendor keeps
        self.covered = covered  # how many messages that answer goes on from, itself included

    def with_(self, **changes: Any) -> Past:
        """The same past but for some fields."""
        return Past(**{**{name: getattr(self, name) for name in self._fields}, **changes})

    def shortened(self, count: int, summary: str | None) -> Past:
        """The past without its first messages. The vendor, who keeps all of them, cannot be asked to go on from it."""
        return self.with_(messages=self.messages[count:], summary=summary, response_id=None, covered=0)


def copied(value: Any) -> Any:
    """A copy that shares no dict and no list."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [copied(item) for item in value]
    return value


def to_messages(prompt: Prompt) -> list[Message]:
    """What is asked, as messages of their own: a text, a message, or a list of either texts and parts, or messages.

    Raises:
        ConfigurationError: It is something else.
    """
    pieces = list(prompt) if isinstance(prompt, (list, tuple)) else [prompt]
    messages = [isinstance(piece, dict) and "role" in piece for piece in pieces]
    if any(messages):
        for number, (piece, message) in enumerate(zip(pieces, messages)):
            if not message:
                raise wrong(f"prompt[{number}]", "a message, as the others are", piece)
            string(f"role of prompt[{number}]", piece.get("role") if isinstance(piece, dict) else None)
        return [copied(piece) for piece in pieces]
    if not pieces:
        raise ConfigurationError("prompt is an empty list; give texts and parts, or messages.", param="prompt")
    for piece in pieces:
        if not isinstance(piece, str) and not (isinstance(piece, dict) and isinstance(piece.get("type"), str)):
            raise wrong("prompt", "a text, a message, or a list of texts and parts, or of messages", piece)
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    parts = [{"type": "text", "text": piece} if isinstance(piece, str) else copied(piece) for piece in pieces]
    return [{"role": "user", "content": parts}]


def open_calls(messages: Sequence[Message]) -> list[str]:
    """The ids of the tool calls that have no result yet."""
    calls: dict[str, None] = {}
    for message in messages:
        if message.get("role") == "tool":
            calls.pop(message.get("tool_call_id") or "", None)
        calls.update(dict.fromkeys(call.get("id") or "" for call in message.get("tool_calls") or ()))
    return list(calls)


def turn_starts(messages: Sequence[Message]) -> list[int]:
    """Where turns begin, the first one at 0: with what the user says when no tool call waits for its result."""
    starts = [0] if messages else []
    waiting: set[str] = set()
    for number, message in enumerate(messages):
        role = message.get("role")
        if number and role == "user" and not waiting and messages[number - 1].get("role") != "user":
            starts.append(number)
        if role == "tool":
            waiting.discard(message.get("tool_call_id") or "")
        waiting.update(call.get("id") or "" for call in message.get("tool_calls") or ())
    return starts


def estimate(value: Any) -> int:
    """About how many tokens messages or tools have: one for four bytes of text, a thousand for a picture or file."""
    if isinstance(value, str):
        return -(-len(value.encode(errors="surrogatepass")) // _BYTES_OF_A_TOKEN)
    if isinstance(value, dict):
        if isinstance(value.get("type"), str) and value["type"] not in {"text", "function", "custom", "object"}:
            return _TOKENS_OF_A_PART if {"image_url", "input_audio", "file", "video_url"} & set(value) else 0
        own = _TOKENS_OF_A_MESSAGE if "role" in value else 0
        return own + sum(estimate(item) for key, item in value.items() if key not in {"role", "type", "source"})
    if isinstance(value, (list, tuple)):
        return sum(estimate(item) for item in value)
    return 1 if isinstance(value, (int, float)) else 0
