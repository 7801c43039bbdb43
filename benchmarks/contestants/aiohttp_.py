"""aiohttp and json by hand, on one event loop."""

from __future__ import annotations

import asyncio
import json

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LABEL = "aiohttp + json by hand"
PACKAGE = "aiohttp"
MODULE = "aiohttp"
DELTAS = 200_000
REQUESTS = 1_000


class Client:
    """A session and the loop that it lives on."""

    def __init__(self, base_url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.url = base_url + "/chat/completions"
        self.session = self.loop.run_until_complete(self._open())

    async def _open(self) -> Any:
        import aiohttp

        return aiohttp.ClientSession(headers={"authorization": "Bearer none"}, raise_for_status=True)


def connect(base_url: str) -> Client:
    return Client(base_url)


def _body(stream: bool) -> dict[str, Any]:
    return {"model": MODEL, "messages": MESSAGES, "stream": stream}


async def _stream(client: Client) -> tuple[int, int]:
    pieces = characters = 0
    async with client.session.post(client.url, json=_body(True)) as response:
        async for line in response.content:
            if not line.startswith(b"data: "):
                continue
            data = line[6:].strip()
            if data == b"[DONE]":
                break
            piece = json.loads(data)["choices"][0]["delta"].get("content")
            if piece:
                pieces += 1
                characters += len(piece)
    return pieces, characters


async def _complete(client: Client) -> str:
    async with client.session.post(client.url, json=_body(False)) as response:
        answer = await response.json()
    return str(answer["choices"][0]["message"]["content"])


def stream(client: Client) -> tuple[int, int]:
    return client.loop.run_until_complete(_stream(client))


def complete(client: Client) -> str:
    return client.loop.run_until_complete(_complete(client))
