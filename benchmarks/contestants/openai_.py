"""The openai package."""

from __future__ import annotations

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

LABEL = "openai"
PACKAGE = "openai"
MODULE = "openai"
DELTAS = 10_240
REQUESTS = 300


def connect(base_url: str) -> Any:
    import openai

    return openai.OpenAI(api_key="none", base_url=base_url)


def stream(client: Any) -> Iterator[str]:
    for chunk in client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True):
        if piece := chunk.choices[0].delta.content:
            yield piece


def complete(client: Any, messages: list[dict[str, str]]) -> str:
    return str(client.chat.completions.create(model=MODEL, messages=messages).choices[0].message.content)


async def aconnect(base_url: str) -> Any:
    import httpx2
    import openai

    unlimited = openai.DefaultAsyncHttpxClient(limits=httpx2.Limits())
    return openai.AsyncOpenAI(api_key="none", base_url=base_url, http_client=unlimited)


async def astream(client: Any) -> AsyncIterator[str]:
    async for chunk in await client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True):
        if piece := chunk.choices[0].delta.content:
            yield piece


async def acomplete(client: Any, messages: list[dict[str, str]]) -> str:
    answer = await client.chat.completions.create(model=MODEL, messages=messages)
    return str(answer.choices[0].message.content)
