"""The anthropic package, which speaks the format of its own vendor: the server answers it in that."""

from __future__ import annotations

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

LABEL = "anthropic (own format)"
PACKAGE = "anthropic"
MODULE = "anthropic"
DELTAS = 10_240
REQUESTS = 300

_OPTIONS = {"model": MODEL, "max_tokens": 1024}


def connect(base_url: str) -> Any:
    import anthropic

    return anthropic.Anthropic(api_key="none", base_url=base_url.removesuffix("/v1"))


def stream(client: Any) -> Iterator[str]:
    for event in client.messages.create(**_OPTIONS, messages=MESSAGES, stream=True):
        if event.type == "content_block_delta":
            yield event.delta.text


def complete(client: Any, messages: list[dict[str, str]]) -> str:
    return str(client.messages.create(**_OPTIONS, messages=messages).content[0].text)


async def aconnect(base_url: str) -> Any:
    import anthropic
    import httpx2

    unlimited = anthropic.DefaultAsyncHttpxClient(limits=httpx2.Limits())
    return anthropic.AsyncAnthropic(api_key="none", base_url=base_url.removesuffix("/v1"), http_client=unlimited)


async def astream(client: Any) -> AsyncIterator[str]:
    async for event in await client.messages.create(**_OPTIONS, messages=MESSAGES, stream=True):
        if event.type == "content_block_delta":
            yield event.delta.text


async def acomplete(client: Any, messages: list[dict[str, str]]) -> str:
    return str((await client.messages.create(**_OPTIONS, messages=messages)).content[0].text)
