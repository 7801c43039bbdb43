"""Events, functions and snapshots from coroutines, on any loop and on trio; and the clock idle at every level."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pyagent import (
    APITimeoutError,
    AsyncStream,
    Provider,
    Snapshot,
    Stream,
    StreamCancelledError,
    StreamInterruptedError,
    Timeouts,
    events,
)

if TYPE_CHECKING:
    from conftest import Server

Script = Callable[..., dict[str, Any]]

TOOLS = [{"id": "c1", "name": "add", "arguments": '{"a": 1}'}]
FULL: dict[str, Any] = {"pieces": ["x", "y"], "reasoning": "hm hm", "tools": TOOLS, "tool_piece": 4}
SILENT: dict[str, Any] = {"pieces": ["a", "b"], "after": 1, "end": "stall", "comment_every": 0.05}
IDLE = Timeouts(idle=0.4)

LEVELS: dict[str, Callable[[Any, list[Any]], Any]] = {
    "events": lambda stream, _: stream.events(),
    "functions": lambda stream, seen: stream.on_event(seen.append).on_update(seen.append).run(),
    "functions with a pace": lambda stream, seen: stream.on_update(seen.append, every=0.05).run(),
    "snapshots": lambda stream, _: stream.snapshots(),
    "snapshots with a pace": lambda stream, _: stream.snapshots(every=0.05),
}
levels = pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)


def read(stream: Stream, level: Callable[[Any, list[Any]], Any], seen: list[Any]) -> None:
    found = level(stream, seen)
    if hasattr(found, "__next__"):
        seen.extend(found)


async def aread(stream: AsyncStream, level: Callable[[Any, list[Any]], Any], seen: list[Any]) -> None:
    found = level(stream, seen)
    if hasattr(found, "__anext__"):
        async for item in found:
            seen.append(item)  # noqa: PERF401  # what came before an error counts
    else:
        await found


@levels
def test_silence_ends_every_level(provider: Provider, script: Script, level: Any) -> None:
    """The server is silent but for comments, which are no progress."""
    seen: list[Any] = []
    began = time.monotonic()
    with pytest.raises(APITimeoutError) as caught:
        read(provider.stream("", extra_body=script(**SILENT), timeouts=IDLE), level, seen)
    assert (caught.value.clock, caught.value.partial_text) == ("idle", "a")
    assert time.monotonic() - began < 5
    assert str(seen[-1].error) == str(caught.value)


@levels
def test_silence_ends_every_level_for_coroutines(run: Any, provider: Provider, script: Script, level: Any) -> None:
    seen: list[Any] = []

    async def main() -> None:
        with pytest.raises(APITimeoutError) as caught:
            await aread(provider.astream("", extra_body=script(**SILENT), timeouts=IDLE), level, seen)
        assert (caught.value.clock, caught.value.partial_text) == ("idle", "a")
        assert str(seen[-1].error) == str(caught.value)

    run(main)


def test_the_events_are_the_same(run: Any, provider: Provider, script: Script) -> None:
    async def main() -> list[events.Event]:
        return [event async for event in provider.astream("go", extra_body=script(**FULL)).events()]

    theirs, mine = run(main), list(provider.stream("go", extra_body=script(**FULL)).events())
    assert theirs[1:] == mine[1:]  # the first one has the id of the request
    assert type(theirs[0]) is type(mine[0]) is events.StartEvent


def test_snapshots(run: Any, provider: Provider, script: Script) -> None:
    fields = script(**FULL, delay=0.02)

    async def main() -> tuple[list[Snapshot], list[Snapshot], AsyncStream]:
        stream = provider.astream("go", extra_body=fields)
        every = [snapshot async for snapshot in stream.snapshots()]
        paced = [snapshot async for snapshot in provider.astream("go", extra_body=fields).snapshots(every=0.1)]
        return every, paced, stream

    every, paced, stream = run(main)
    assert len(paced) < len(every)
    assert every[-1] == stream.snapshot
    for last in (every[-1], paced[-1]):
        assert (last.text, last.reasoning, last.complete) == ("xy", "hm hm", True)
        assert [call.arguments for call in last.tool_calls] == ['{"a": 1}']


def test_functions_of_both_kinds(run: Any, provider: Provider, script: Script) -> None:
    told: list[Any] = []

    async def wait(piece: str) -> None:
        told.append(f"{piece} begins")
        await stream_of_its_own()
        told.append(f"{piece} ends")

    async def stream_of_its_own() -> None:
        assert await provider.agenerate_text("inner") == "inner"

    async def main() -> None:
        stream = provider.astream("go", extra_body=script(**FULL))
        response = await stream.on_text(wait).on_text(told.append).on_tool_call(told.append).run()
        assert told == ["x begins", "x ends", "x", "y begins", "y ends", "y", *response.tool_calls]
        assert (await provider.astream_text("a b").collect()).text == "a b"

    run(main)


def test_print(run: Any, provider: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        await provider.astream_text("a b").print()
        await provider.astream_text("c").print(end="")

    run(main)
    assert capsys.readouterr().out == "a b\nc"


def test_a_change_is_shown_though_nothing_follows_it(run: Any, provider: Provider, script: Script) -> None:
    fields = script(pieces=["a", "b", "c"], delay=0.05, after=2, end="stall")

    async def main() -> None:
        stream = provider.astream("", extra_body=fields)
        async for snapshot in stream.snapshots(every=0.2):
            if snapshot.text == "ab":
                break
        seen: list[str] = []
        stream = provider.astream("", extra_body=fields)

        def show(snapshot: Snapshot) -> None:
            seen.append(snapshot.text)
            if snapshot.text == "ab":
                stream.cancel()

        with pytest.raises(StreamCancelledError):
            await stream.on_update(show, every=0.2).run()
        assert seen[-1] == "ab"

    run(main)


@pytest.mark.parametrize("kind", ["function", "coroutine function"])
def test_a_function_that_raises_closes_the_stream(
    run: Any, provider: Provider, script: Script, server: Server, kind: str
) -> None:
    mine = KeyError("mine")

    def fail(_: object) -> None:
        raise mine

    async def fail_later(_: object) -> None:
        fail(_)

    async def main() -> None:
        stream = provider.astream("", extra_body=script(pieces=["a"], repeat=20, delay=0.5))
        with pytest.raises(KeyError) as caught:
            await stream.on_text(fail if kind == "function" else fail_later).run()
        assert caught.value is mine
        assert stream.text == "a"
        with pytest.raises(StreamCancelledError):
            await stream.result

    run(main)
    server.wait_for_state("disconnected")


def test_a_failure_is_told_and_raised(run: Any, provider: Provider, script: Script) -> None:
    told: list[Any] = []

    async def tell(error: Any) -> None:
        told.append(error)

    async def main() -> None:
        stream = provider.astream("a b c", extra_body=script(after=2, end="cut"))
        with pytest.raises(StreamInterruptedError) as caught:
            await stream.on_error(tell).run()
        assert told == [caught.value]

    run(main)


@pytest.mark.parametrize("where", ["waiting", "in a function"])
def test_a_timeout_around_run_closes_the_stream(provider: Provider, script: Script, server: Server, where: str) -> None:
    async def show(_: object) -> None:
        await asyncio.sleep(0 if where == "waiting" else 30)

    async def main() -> None:
        stream = provider.astream("", extra_body=script(pieces=["a", "b"], after=1, end="stall"))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(stream.on_text(show).on_update(show, every=0.05).run(), 0.3)
        with pytest.raises(StreamCancelledError):
            await stream.result
        server.wait_for_state("disconnected")

    asyncio.run(main())


def test_leaving_a_loop_closes_the_stream(
    run: Any, provider: Provider, script: Script, server: Server, collect: Any
) -> None:
    async def main() -> None:
        stream = provider.astream("", extra_body=script(pieces=["a"], repeat=200, delay=0.02))
        async for snapshot in stream.snapshots(every=0.05):
            if snapshot.text:
                break
        collect()
        with pytest.raises(StreamCancelledError):
            await stream.result
        server.wait_for_state("disconnected")

    run(main)


def test_many_streams_are_redrawn_side_by_side(run: Any, provider: Provider, script: Script) -> None:
    async def main() -> list[str]:
        streams = [provider.astream(f"a {i}", extra_body=script(delay=0.02)) for i in range(50)]
        readers = [stream.snapshots(every=0.05) for stream in streams]
        texts = [""] * len(readers)
        for place, reader in enumerate(readers):
            async for snapshot in reader:
                texts[place] = snapshot.text
        return texts

    assert run(main) == [f"a {i}" for i in range(50)]
