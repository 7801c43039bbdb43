"""aiohttp and json by hand."""

from __future__ import annotations

import json

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

LABEL = "aiohttp + json by hand"
PACKAGE = "aiohttp"
MODULE = "aiohttp"
DELTAS = 200_000
REQUESTS = 1_000
REFUSES = {"events": "its readline has a limit of 128 KiB"}


async def aconnect(base_url: str) -> tuple[Any, str]:
    import aiohttp

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None),
        headers={"authorization": "Bearer none"},
        raise_for_status=True,
    )
    return session, base_url + "/chat/completions"


async def astream(client: tuple[Any, str]) -> AsyncIterator[str]:
    session, url = client
    async with session.post(url, json={"model": MODEL, "messages": MESSAGES, "stream": True}) as response:
        async for line in response.content:
            if not line.startswith(b"data: "):
                continue
            data = line[6:].strip()
            if data == b"[DONE]":
                break
            piece = json.loads(data)["choices"][0]["delta"].get("content")
            if piece:
                yield piece


async def acomplete(client: tuple[Any, str], messages: list[dict[str, str]]) -> str:
    session, url = client
    async with session.post(url, json={"model": MODEL, "messages": messages, "stream": False}) as response:
        answer = await response.json()
    return str(answer["choices"][0]["message"]["content"])
