"""edgequake-litellm: a Rust core behind Python. Streams for asyncio only; its address comes from the environment."""

from __future__ import annotations

import os

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

LABEL = "edgequake-litellm"
PACKAGE = "edgequake-litellm==0.10.4"
MODULE = "edgequake_litellm"
DELTAS = 200_000
REQUESTS = 100
REFUSES = {"held": "it hands out nothing before the answer has ended"}

_MODEL = f"openai-compatible/{MODEL}"


def connect(base_url: str) -> Any:
    os.environ.update({"OPENAI_COMPATIBLE_BASE_URL": base_url, "OPENAI_COMPATIBLE_API_KEY": "none"})
    import edgequake_litellm

    return edgequake_litellm


def complete(client: Any, messages: list[dict[str, str]]) -> str:
    return str(client.completion(model=_MODEL, messages=messages).content)


async def aconnect(base_url: str) -> Any:
    return connect(base_url)


async def astream(client: Any) -> AsyncIterator[str]:
    async for chunk in await client.acompletion(model=_MODEL, messages=MESSAGES, stream=True):
        if chunk.content:
            yield chunk.content


async def acomplete(client: Any, messages: list[dict[str, str]]) -> str:
    return str((await client.acompletion(model=_MODEL, messages=messages)).content)
