"""The litellm package."""

from __future__ import annotations

import os

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

LABEL = "litellm"
PACKAGE = "litellm"
MODULE = "litellm"
DELTAS = 2_560
REQUESTS = 100

# Otherwise the import fetches a price list from the internet, which would be measured too.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
# As many connections as there are streams.
os.environ["AIOHTTP_CONNECTOR_LIMIT"] = os.environ["AIOHTTP_CONNECTOR_LIMIT_PER_HOST"] = "10000"


def connect(base_url: str) -> tuple[Any, dict[str, Any]]:
    import litellm

    return litellm, {"model": f"openai/{MODEL}", "api_key": "none", "api_base": base_url}


def stream(client: tuple[Any, dict[str, Any]]) -> Iterator[str]:
    litellm, arguments = client
    for chunk in litellm.completion(**arguments, messages=MESSAGES, stream=True):
        if piece := chunk.choices[0].delta.content:
            yield piece


def complete(client: tuple[Any, dict[str, Any]], messages: list[dict[str, str]]) -> str:
    litellm, arguments = client
    return str(litellm.completion(**arguments, messages=messages).choices[0].message.content)


async def aconnect(base_url: str) -> tuple[Any, dict[str, Any]]:
    return connect(base_url)


async def astream(client: tuple[Any, dict[str, Any]]) -> AsyncIterator[str]:
    litellm, arguments = client
    async for chunk in await litellm.acompletion(**arguments, messages=MESSAGES, stream=True):
        if piece := chunk.choices[0].delta.content:
            yield piece


async def acomplete(client: tuple[Any, dict[str, Any]], messages: list[dict[str, str]]) -> str:
    litellm, arguments = client
    return str((await litellm.acompletion(**arguments, messages=messages)).choices[0].message.content)
