"""Every recorded answer, in every way that a program can ask for it, over connections that cut it anywhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import recorded
from recorded import Case
from replaying import Replay

from pyagent import Provider, PyAgentError, events
from pyagent._registry import ROWS

pytestmark = pytest.mark.timeout(30)
CASES = recorded.load()
BASES = {"azure": "/openai/v1", "vertex": "/v1/projects/p/locations/l"}  # of vendors whose users have their own


def provider(case: Case, replay: Replay) -> Provider:
    """A Provider for the case's vendor whose address is the replay server, with the path that the vendor's has."""
    path = BASES.get(case.vendor) or urlsplit(ROWS[case.vendor].base_url).path
    return Provider("m", provider=case.vendor, api_key="k", base_url=replay.url(case) + path, max_retries=0)


def question(case: Case) -> list[Any]:
    """What to ask: as many texts as there are vectors in the answer."""
    if case.operation == "list_models":
        return []
    return [["hi"] * case.expect.get("embeddings", {}).get("count", 1)] if case.operation == "embed" else ["hi"]


def ask(provider: Provider, case: Case) -> Any:
    """The answer as a program reads it without asyncio."""
    if not case.streams:
        return getattr(provider, case.operation)(*question(case))
    stream = provider.stream("hi")
    pieces = list(stream)
    assert "".join(pieces) == stream.result.text
    assert all(pieces)
    return stream.result


async def aask(provider: Provider, case: Case) -> Any:
    """The same over asyncio, a stream by its events."""
    if not case.streams:
        return await getattr(provider, "a" + case.operation)(*question(case))
    stream = provider.astream("hi")
    seen = [event async for event in stream.events()]
    result = await stream.result
    assert isinstance(seen[-1], events.FinishEvent)
    text = "".join(event.text for event in seen if isinstance(event, events.TextDelta) and event.index == 0)
    assert text == result.text
    ends = [event.tool_call for event in seen if isinstance(event, events.ToolCallEnd)]
    assert [call.to_message() for call in ends] == [call.to_message() for call in result.tool_calls]
    return result


def ask_on_a_loop(provider: Provider, case: Case) -> Any:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(aask(provider, case))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@pytest.mark.parametrize("asking", [ask, ask_on_a_loop], ids=["threads", "asyncio"])
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_case(case: Case, replay: Replay, asking: Callable[[Provider, Case], Any]) -> None:
    client = provider(case, replay)
    try:
        answer = asking(client, case)
    except PyAgentError as error:
        recorded.check_error(case, error)
    else:
        if case.operation == "generate":
            recorded.check_answer(case, answer, streamed=case.streams)
        else:
            recorded.check_result(case, answer)
    asked = replay.asked[str(case)][-1]
    if path := case.request.get("path"):
        assert (asked.method, route(asked.path)) == (case.request["method"].upper(), route(path))


# Routes that give the same answers: for one text, as a list, and of old.
SAME = {"batchEmbedContents": "embedContent", "streamGenerateContent": "generateContent", "embeddings": "embed"}


def route(path: str) -> str:
    """What is asked for, without whose and of which model."""
    last = re.split("[/:]", path)[-1]
    return SAME.get(last, last)
