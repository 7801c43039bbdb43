"""rusty-agent-sdk: a Rust core behind Python. Its released version takes nothing but a prompt."""

from __future__ import annotations

from question import MODEL, QUESTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LABEL = "rusty-agent-sdk"
PACKAGE = "rusty-agent-sdk==0.1.0"
MODULE = "rusty_agent_sdk"
DELTAS = 200_000
REQUESTS = 100


def connect(base_url: str) -> Any:
    import rusty_agent_sdk

    return rusty_agent_sdk.Provider(MODEL, api_key="none", base_url=base_url)


def stream(client: Any) -> tuple[int, int]:
    pieces = characters = 0
    for piece in client.stream_text(QUESTION):
        pieces += 1
        characters += len(piece)
    return pieces, characters


def complete(client: Any) -> str:
    return str(client.generate_text(QUESTION))
