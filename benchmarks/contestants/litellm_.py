"""The litellm package."""

from __future__ import annotations

import os

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LABEL = "litellm"
PACKAGE = "litellm"
MODULE = "litellm"
DELTAS = 5_120
REQUESTS = 100

# Otherwise the import fetches a price list from the internet, which would be measured too.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"


def connect(base_url: str) -> tuple[Any, dict[str, Any]]:
    import litellm

    return litellm, {"model": f"openai/{MODEL}", "messages": MESSAGES, "api_key": "none", "api_base": base_url}


def stream(client: tuple[Any, dict[str, Any]]) -> tuple[int, int]:
    litellm, arguments = client
    pieces = characters = 0
    for chunk in litellm.completion(**arguments, stream=True):
        piece = chunk.choices[0].delta.content
        if piece:
            pieces += 1
            characters += len(piece)
    return pieces, characters


def complete(client: tuple[Any, dict[str, Any]]) -> str:
    litellm, arguments = client
    return str(litellm.completion(**arguments).choices[0].message.content)
