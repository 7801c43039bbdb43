"""edgequake-litellm: a Rust core behind Python. Streams for asyncio only; its address comes from the environment."""

from __future__ import annotations

import os

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LABEL = "edgequake-litellm"
PACKAGE = "edgequake-litellm==0.10.4"
MODULE = "edgequake_litellm"
DELTAS = 200_000
REQUESTS = 100

_ARGUMENTS = {"model": f"openai-compatible/{MODEL}", "messages": MESSAGES}


def connect(base_url: str) -> Any:
    os.environ.update({"OPENAI_COMPATIBLE_BASE_URL": base_url, "OPENAI_COMPATIBLE_API_KEY": "none"})
    import edgequake_litellm

    return edgequake_litellm


async def _stream(client: Any) -> tuple[int, int]:
    pieces = characters = 0
    async for chunk in await client.acompletion(**_ARGUMENTS, stream=True):
        if chunk.content:
            pieces += 1
            characters += len(chunk.content)
    return pieces, characters


def stream(client: Any) -> tuple[int, int]:
    import asyncio

    return asyncio.run(_stream(client))


def complete(client: Any) -> str:
    return str(client.completion(**_ARGUMENTS).content)
