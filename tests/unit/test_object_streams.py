"""stream_object: objects that grow while they are written, for threads and for coroutines."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pyagent import (
    AsyncObjectStream,
    ObjectStream,
    ObjectTruncatedError,
    ObjectValidationError,
    Provider,
    ServiceUnavailableError,
    StreamCancelledError,
    StreamInterruptedError,
    UnsupportedFeatureError,
)

Script = Callable[..., dict[str, Any]]
Run = Callable[[Callable[[], Awaitable[Any]]], Any]


@dataclass
class Story:
    title: str
    lines: list[str]
    stars: int = 5


TEXT = '{"title": "The sea", "lines": ["It was grey.", "It rained."], "stars": 4}'
STORY = Story("The sea", ["It was grey.", "It rained."], 4)


def pieces(text: str, size: int = 3) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def by_tool(text: str, name: str = "Story") -> dict[str, Any]:
    return {"tools": [{"name": name, "arguments": text}], "tool_piece": 3}


@pytest.mark.parametrize(("mode", "answer"), [("strict", {"pieces": pieces(TEXT)}), ("tool", by_tool(TEXT))])
def test_an_object_grows(provider: Provider, script: Script, mode: Any, answer: dict[str, Any]) -> None:
    stream = provider.stream_object("?", schema=Story, mode=mode, extra_body=script(delay=0.01, **answer))
    seen = [copy.deepcopy(partial) for partial in stream]
    assert seen[-1] == json.loads(TEXT)
    assert any(partial.get("title") == "The sea" and "stars" not in partial for partial in seen)
    assert len(seen) > 3  # pieces that arrive together are given together
    assert all(before != after for before, after in zip(seen, seen[1:]))
    result = stream.result
    assert (result.object, result.mode, result.attempts) == (STORY, mode, 1)
    assert result.usage.completion_tokens
    assert stream.result is result


def test_words_around_the_object(provider: Provider, script: Script) -> None:
    answer = f"Here it is:\n```json\n{TEXT}\n```\nMore?"
    stream = provider.stream_object("?", schema=Story, mode="prompt", extra_body=script(pieces=pieces(answer)))
    *_, last = stream
    assert last == json.loads(TEXT)
    assert stream.result.object == STORY


def test_a_bracket_that_begins_no_object_costs_the_partial_objects_only(provider: Provider, script: Script) -> None:
    answer = f"Here {{it}} is: {TEXT}"
    stream = provider.stream_object("?", schema=Story, mode="prompt", extra_body=script(pieces=pieces(answer)))
    assert all(partial == {} for partial in stream)
    assert stream.result.object == STORY


def test_a_list_grows(provider: Provider, script: Script) -> None:
    answer = by_tool('{"value": [1, 2, 3]}', "answer")
    stream = provider.stream_object("?", schema=list[int], mode="tool", extra_body=script(delay=0.005, **answer))
    assert stream.partial is None
    seen = [list(partial) for partial in stream]
    assert seen[-1] == [1, 2, 3]
    assert seen == sorted(seen)
    assert stream.partial == stream.result.object == [1, 2, 3]


def test_the_result_alone(provider: Provider, script: Script) -> None:
    assert provider.stream_object("?", schema=Story, extra_body=script(text=TEXT)).result.object == STORY


def test_what_was_begun_is_read_on_by_result(provider: Provider, script: Script) -> None:
    stream = provider.stream_object("?", schema=Story, extra_body=script(pieces=pieces(TEXT), delay=0.001))
    parts = iter(stream)
    assert isinstance(next(parts), dict)
    assert stream.result.object == STORY


def test_after_a_loop_that_was_left_there_is_no_result(provider: Provider, script: Script, collect: Any) -> None:
    stream = provider.stream_object("?", schema=Story, extra_body=script(pieces=pieces(TEXT), delay=0.005))
    for _ in stream:
        break
    collect()
    with pytest.raises(StreamCancelledError):
        _ = stream.result


def test_a_stream_is_not_repaired(provider: Provider, script: Script, server: Any) -> None:
    stream = provider.stream_object("?", schema=Story, extra_body=script(text='{"title": 5}'))
    assert list(stream)[-1] == {"title": 5}
    for _ in range(2):
        with pytest.raises(ObjectValidationError, match=r"field 'title': expected a string, got 5") as caught:
            _ = stream.result
        assert caught.value.attempts == 1
        assert caught.value.text == '{"title": 5}'
    assert len(server.requests()) == 1


def test_an_answer_that_was_cut(provider: Provider, script: Script) -> None:
    stream = provider.stream_object("?", schema=Story, extra_body=script(text='{"title": "The', finish_reason="length"))
    *_, last = stream
    assert last == {"title": "The"}
    with pytest.raises(ObjectTruncatedError):
        _ = stream.result


def test_a_connection_that_breaks(provider: Provider, script: Script) -> None:
    stream = provider.stream_object("?", schema=Story, extra_body=script(text=TEXT, after=2, end="cut"))
    with pytest.raises(StreamInterruptedError) as caught:
        list(stream)
    assert caught.value.partial_text == '{"title": "The'
    assert stream.partial == {"title": "The"}


def test_an_error_of_the_vendor(provider: Provider, script: Script) -> None:
    stream = provider.stream_object("?", schema=Story, max_retries=0, extra_body=script(status=503))
    with pytest.raises(ServiceUnavailableError):
        list(stream)


def test_leaving_the_loop_closes_the_connection(provider: Provider, script: Script, server: Any) -> None:
    stream = provider.stream_object("?", schema=Story, extra_body=script(text=TEXT, after=4, end="stall"))
    for partial in stream:
        if partial:
            break
    server.wait_for_state("disconnected")


@pytest.fixture
def own(server: Any) -> Any:
    """Makes Providers of a vendor that lacks something."""
    made = []

    def make(**lacking: Any) -> Provider:
        row = {"name": "mine", "base_url": server.url, "key_optional": True, "formats": ["text"], **lacking}
        made.append(Provider("m", provider=row))
        return made[-1]

    yield make
    for provider in made:
        if provider._client is not None:
            provider._client.close()


def test_what_a_vendor_lacks_is_asked_for_otherwise(own: Any, script: Script, server: Any) -> None:
    stream = own().stream_object("?", schema=Story, extra_body=script(**by_tool(TEXT)))
    assert list(stream)[-1] == json.loads(TEXT)
    assert (stream.mode, stream.result.object, len(server.requests())) == ("tool", STORY, 1)
    lacking = own(unsupported=["tools", "tool_choice"])
    stream = lacking.stream_object("?", schema=Story, extra_body=script(text=TEXT))
    assert (stream.result.object, stream.mode) == (STORY, "prompt")
    with pytest.raises(UnsupportedFeatureError):
        list(lacking.stream_object("?", schema=Story, mode="tool"))


def test_anthropic(server: Any, script: Script) -> None:
    provider = Provider.anthropic("claude-sonnet-4-5", api_key="k", base_url=server.url)
    try:
        stream = provider.stream_object("?", schema=Story, mode="tool", extra_body=script(**by_tool(TEXT)))
        assert list(stream)[-1] == json.loads(TEXT)
        assert stream.result.object == STORY
    finally:
        if provider._client is not None:
            provider._client.close()


def test_from_a_coroutine(provider: Provider, script: Script, run: Run) -> None:
    async def main() -> Any:
        stream = await provider.astream_object("?", schema=Story, extra_body=script(pieces=pieces(TEXT), delay=0.01))
        seen = [copy.deepcopy(partial) async for partial in stream]
        return seen, await stream.result, await stream.result

    seen, result, again = run(main)
    assert seen[-1] == json.loads(TEXT)
    assert len(seen) > 3
    assert result.object == STORY
    assert again is result


def test_leaving_the_loop_of_a_coroutine_closes_the_connection(
    provider: Provider, script: Script, run: Run, server: Any
) -> None:
    async def main() -> None:
        body = script(text=TEXT, after=4, end="stall")
        async for partial in provider.astream_object("?", schema=Story, extra_body=body):
            if partial:
                break

    run(main)
    server.wait_for_state("disconnected")


def test_cancelling_a_task_closes_the_connection(provider: Provider, script: Script, server: Any) -> None:
    async def main() -> None:
        stream = provider.astream_object("?", schema=Story, extra_body=script(text=TEXT, after=2, end="stall"))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(_collect(stream), 0.2)
        with pytest.raises(StreamCancelledError):
            await stream.result

    asyncio.run(main())
    server.wait_for_state("disconnected")


async def _collect(stream: Any) -> list[Any]:
    return [partial async for partial in stream]


def test_a_vendor_that_lacks_something_from_a_coroutine(own: Any, script: Script) -> None:
    async def main() -> Any:
        async with own().astream_object("?", schema=Story, extra_body=script(**by_tool(TEXT))) as stream:
            return [copy.deepcopy(partial) async for partial in stream][-1], (await stream.result).mode

    assert asyncio.run(main()) == (json.loads(TEXT), "tool")


def test_the_streams_have_the_same_members() -> None:
    def members(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert members(AsyncObjectStream) - members(ObjectStream) == {"aclose"}
    assert members(ObjectStream) - members(AsyncObjectStream) == {"close"}
    for name in members(ObjectStream) & members(AsyncObjectStream):
        words = [inspect.getdoc(getattr(kind, name)) or "" for kind in (ObjectStream, AsyncObjectStream)]
        assert words[1].replace(": `await stream.result`", "") == words[0], name
