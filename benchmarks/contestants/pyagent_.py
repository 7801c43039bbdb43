"""pyagent, as in its README."""

from __future__ import annotations

from question import MESSAGES, MODEL, QUESTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

LABEL = "pyagent"
PACKAGE = ""  # this checkout
MODULE = "pyagent"
DELTAS = 200_000
REQUESTS = 1_000


def connect(base_url: str) -> Any:
    import pyagent

    return pyagent.Provider(MODEL, api_key="none", base_url=base_url)


def stream(client: Any) -> Iterator[str]:
    return client.stream_text(QUESTION)


def complete(client: Any, messages: list[dict[str, str]]) -> str:
    if messages is MESSAGES:
        return client.generate_text(QUESTION)
    return client.generate_text(messages=messages)


async def aconnect(base_url: str) -> Any:
    return connect(base_url)


def astream(client: Any) -> AsyncIterator[str]:
    return client.astream_text(QUESTION)


async def acomplete(client: Any, messages: list[dict[str, str]]) -> str:
    if messages is MESSAGES:
        return await client.agenerate_text(QUESTION)
    return await client.agenerate_text(messages=messages)
