"""pyagent, as in its README."""

from __future__ import annotations

from question import MODEL, QUESTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LABEL = "pyagent"
PACKAGE = ""  # this checkout
MODULE = "pyagent"
DELTAS = 200_000
REQUESTS = 1_000


def connect(base_url: str) -> Any:
    import pyagent

    return pyagent.Provider(MODEL, api_key="none", base_url=base_url)


def stream(client: Any) -> tuple[int, int]:
    pieces = characters = 0
    for piece in client.stream_text(QUESTION):
        pieces += 1
        characters += len(piece)
    return pieces, characters


def complete(client: Any) -> str:
    return str(client.generate_text(QUESTION))
