"""The ollama package, in Ollama's own format."""

from __future__ import annotations

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LABEL = "ollama"
PACKAGE = "ollama"
MODULE = "ollama"
DELTAS = 10_240
REQUESTS = 300


def connect(base_url: str) -> Any:
    import ollama

    return ollama.Client(host=base_url)


def stream(client: Any) -> Iterator[str]:
    for chunk in client.chat(model=MODEL, messages=MESSAGES, stream=True):
        if piece := chunk.message.content:
            yield piece


def complete(client: Any, messages: list[dict[str, str]]) -> str:
    return str(client.chat(model=MODEL, messages=messages).message.content)
