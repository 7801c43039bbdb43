"""pyagent in Ollama's own protocol."""

from __future__ import annotations

from question import MODEL, QUESTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LABEL = "pyagent (ollama)"
PACKAGE = ""  # this checkout
MODULE = "pyagent"
DELTAS = 200_000
REQUESTS = 1_000


def connect(base_url: str) -> Any:
    import pyagent

    return pyagent.Provider(MODEL, provider="ollama", api_key="none", base_url=base_url)


def stream(client: Any) -> Iterator[str]:
    return client.stream_text(QUESTION)


def complete(client: Any, messages: list[dict[str, str]]) -> str:
    return client.generate_text(messages=messages)
