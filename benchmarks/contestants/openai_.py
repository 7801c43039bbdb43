"""The openai package."""

from __future__ import annotations

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LABEL = "openai"
PACKAGE = "openai"
MODULE = "openai"
DELTAS = 20_480
REQUESTS = 300


def connect(base_url: str) -> Any:
    import openai

    return openai.OpenAI(api_key="none", base_url=base_url)


def stream(client: Any) -> tuple[int, int]:
    pieces = characters = 0
    for chunk in client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True):
        piece = chunk.choices[0].delta.content
        if piece:
            pieces += 1
            characters += len(piece)
    return pieces, characters


def complete(client: Any) -> str:
    return str(client.chat.completions.create(model=MODEL, messages=MESSAGES).choices[0].message.content)
