"""rusty-agent-sdk: a Rust core behind Python. Its released version takes nothing but a prompt."""

from __future__ import annotations

from question import MODEL, QUESTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LABEL = "rusty-agent-sdk"
PACKAGE = "rusty-agent-sdk==0.1.0"
MODULE = "rusty_agent_sdk"
DELTAS = 200_000
REQUESTS = 100
REFUSES = {"messages": "it takes one prompt and no conversation"}


def connect(base_url: str) -> Any:
    import rusty_agent_sdk

    return rusty_agent_sdk.Provider(MODEL, api_key="none", base_url=base_url)


def stream(client: Any) -> Iterator[str]:
    return client.stream_text(QUESTION)


def complete(client: Any, messages: list[dict[str, str]]) -> str:
    return client.generate_text(QUESTION)
