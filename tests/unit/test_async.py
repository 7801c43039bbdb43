"""The asyncio twins: text, results, ends and errors as the synchronous ones give them, on any loop and on trio."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pyagent import APIConnectionError, AsyncStream, Provider, Response, StreamCancelledError, _aio, _loading

STALL = {"fake": {"after": 1, "end": "stall"}}


_before = 0  # calls that other fixtures hold open, such as a server


@pytest.fixture
def provider() -> Iterator[Provider]:
    global _before  # noqa: PLW0603
    _before = open_calls()
    provider = Provider.echo()
    yield provider
    if provider._client is not None:  # pytest keeps the object longer than the check for open handles waits
        provider._client.close()


def test_text_and_responses(run: Any, provider: Provider) -> None:
    async def main() -> tuple[Any, ...]:
        return (
            await provider.agenerate_text("one two"),
            await provider.agenerate_text("one two", include_usage=True),
            await provider.agenerate("one two"),
        )

    text, counted, full = run(main)
    assert text == "one two" == counted.text == full.text
    assert isinstance(counted, Response)
    assert full.usage.total_tokens == provider.generate("one two").usage.total_tokens


def test_a_stream_gives_pieces(run: Any, provider: Provider) -> None:
    async def main() -> tuple[list[str], AsyncStream]:
        stream = provider.astream_text("one two three", include_usage=True)
        return [piece async for piece in stream], stream

    pieces, stream = run(main)
    assert pieces == list(provider.stream_text("one two three"))
    assert (stream.finish_reason, stream.model, stream.completion_tokens) == ("stop", "echo", 3)


def test_a_stream_gives_events(run: Any, provider: Provider) -> None:
    async def main() -> list[str]:
        return [type(event).__name__ async for event in provider.astream("one two").events()]

    assert run(main) == [type(event).__name__ for event in provider.stream("one two").events()]


def test_one_piece_and_then_the_result(run: Any, provider: Provider) -> None:
    async def main() -> tuple[str, Response]:
        stream = await provider.astream("one two three")
        return await stream.__anext__(), await stream.result

    first, response = run(main)
    assert (first, response.text) == ("one", "one two three")


def test_leaving_a_loop_closes_the_stream_at_once(run: Any, provider: Provider) -> None:
    async def main() -> None:
        stream = provider.astream_text("one two", extra_body=STALL)
        async for _ in stream:
            break
        assert calls() == 0
        with pytest.raises(StreamCancelledError) as caught:
            await stream.__anext__()
        assert caught.value.partial_text == "one"

    run(main)


def test_dropping_a_stream_closes_it(run: Any, provider: Provider) -> None:
    async def main() -> None:
        stream = provider.astream_text("one two", extra_body=STALL)
        assert calls() == 1
        del stream
        assert calls() == 0

    run(main)


def test_a_block_closes_its_stream(run: Any, provider: Provider) -> None:
    async def main() -> None:
        async with provider.astream_text("one two", extra_body=STALL) as stream:
            assert await stream.__anext__() == "one"
        assert calls() == 0
        await stream.aclose()

    run(main)


def test_another_thread_cancels_a_stream(run: Any, provider: Provider) -> None:
    async def main() -> None:
        stream = provider.astream_text("one two", extra_body=STALL)
        assert await stream.__anext__() == "one"
        thread = threading.Timer(0.05, stream.cancel)
        thread.start()
        with pytest.raises(StreamCancelledError):
            await stream.__anext__()
        thread.join()

    run(main)


def test_errors_carry_the_partial_text(run: Any, provider: Provider) -> None:
    async def main() -> None:
        with pytest.raises(APIConnectionError) as caught:
            await provider.astream_text("one two three", extra_body={"fake": {"after": 2, "end": "cut"}}).result
        assert caught.value.partial_text == "one two"

    run(main)


def test_a_second_reader_is_refused_and_the_first_goes_on(provider: Provider) -> None:
    async def main() -> None:
        stream = provider.astream_text("one two", extra_body={"fake": {"delay": 0.1}})
        first = asyncio.ensure_future(stream.__anext__())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="Another task is reading"):
            await stream.__anext__()
        assert await first == "one"
        assert [piece async for piece in stream] == [" two"]

    asyncio.run(main())


@pytest.mark.parametrize("method", ["agenerate_text", "agenerate"])
def test_cancelling_a_task_closes_its_request(provider: Provider, method: str) -> None:
    async def main() -> None:
        asking = asyncio.ensure_future(getattr(provider, method)("one", extra_body={"fake": {"header_delay": 30}}))
        await asyncio.sleep(0.05)
        assert calls() == 1
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert calls() == 0

    asyncio.run(main())


def test_a_timeout_around_a_loop_closes_its_stream(provider: Provider) -> None:
    async def main() -> None:
        stream = provider.astream_text("one two", extra_body=STALL)

        async def read() -> None:
            async for _ in stream:
                pass

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(read(), 0.05)
        assert calls() == 0
        assert stream.text == "one"

    asyncio.run(main())


def test_many_at_once(run: Any, provider: Provider) -> None:
    async def main() -> list[str]:
        streams = [provider.astream_text(f"one {i}") for i in range(300)]
        return [(await stream.result).text for stream in streams]

    assert run(main) == [f"one {i}" for i in range(300)]


def test_a_loop_has_one_inbox_and_no_thread_for_all_its_streams(provider: Provider) -> None:
    async def main() -> None:
        assert await provider.agenerate_text("warm") == "warm"
        before = _loading.runtime().inspect()["handles"]["inboxes"], threading.active_count()
        streams = [provider.astream_text("one two", extra_body=STALL) for _ in range(200)]
        assert [await stream.__anext__() for stream in streams] == ["one"] * 200
        assert (_loading.runtime().inspect()["handles"]["inboxes"], threading.active_count()) == before
        for stream in streams:
            await stream.aclose()

    asyncio.run(main())


def test_a_slow_reader_holds_its_vendor_back_and_nobody_else(provider: Provider) -> None:
    size, count = 8192, 512  # 4 MiB in all

    async def main() -> int:
        script = {"fake": {"pieces": ["x" * size], "repeat": count}}
        slow = provider.astream_text("-", extra_body=script)
        assert len(await slow.__anext__()) > 0
        for _ in range(20):
            assert await provider.agenerate_text("quick") == "quick"
            await asyncio.sleep(0.01)
        held = sum(map(len, slow._call.box.chunks))
        assert len((await slow.result).text) == size * count
        return held

    assert asyncio.run(main()) <= 512 * 1024


def test_loops_one_after_another_leave_nothing(provider: Provider) -> None:
    async def main() -> str:
        return await provider.agenerate_text("again")

    for _ in range(20):
        assert asyncio.run(main()) == "again"
    gc.collect()
    assert len(_aio._inboxes) <= 1


def test_loops_in_threads_and_plain_calls_share_a_provider(provider: Provider) -> None:
    seen: list[str] = []

    async def ask(name: str) -> None:
        seen.extend(await asyncio.gather(*(provider.agenerate_text(name) for _ in range(20))))

    threads = [threading.Thread(target=asyncio.run, args=(ask(f"n{i}"),)) for i in range(4)]
    for thread in threads:
        thread.start()
    seen.extend(provider.generate_text("plain") for _ in range(20))
    for thread in threads:
        thread.join()
    assert {name: seen.count(name) for name in set(seen)} == {**{f"n{i}": 20 for i in range(4)}, "plain": 20}


def test_a_stream_of_another_loop_is_an_error_and_no_hang(provider: Provider) -> None:
    async def begin() -> AsyncStream:
        return provider.astream_text("one", extra_body=STALL)

    async def read(stream: AsyncStream) -> None:
        async for _ in stream:
            pass

    stream = asyncio.run(begin())
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(read(stream))


def test_without_a_loop_the_error_says_what_to_do(provider: Provider) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        provider.astream_text("one")


def test_a_loop_that_ends_leaves_its_streams_closed(provider: Provider) -> None:
    kept: list[AsyncStream] = []

    async def main() -> None:
        kept.append(provider.astream_text("one two", extra_body=STALL))
        await kept[0].__anext__()

    asyncio.run(main())
    gc.collect()  # the loop, which closes what was left of its streams
    assert calls() == 0
    assert kept[0].text == "one"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_cancels_and_groups(provider: Provider, backend: str) -> None:
    anyio = pytest.importorskip("anyio", reason="pip install anyio")
    if backend == "trio":
        pytest.importorskip("trio", reason="pip install trio")
    answers: dict[str, str] = {}

    async def ask(name: str) -> None:
        answers[name] = await provider.agenerate_text(name)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(ask, str(number))
        stream = provider.astream_text("one two", extra_body=STALL)
        with anyio.move_on_after(0.05) as scope:
            async for _ in stream:
                pass
        assert (scope.cancelled_caught, stream.text, calls()) == (True, "one", 0)
        with anyio.move_on_after(0.05) as scope:
            await provider.agenerate_text("one", extra_body={"fake": {"header_delay": 30}})
        assert (scope.cancelled_caught, calls()) == (True, 0)
        with anyio.move_on_after(0.05) as scope:
            [answer async for answer in provider.amap(["one"] * 5, extra_body={"fake": {"header_delay": 30}})]
        assert (scope.cancelled_caught, calls()) == (True, 0)

    anyio.run(main, backend=backend)
    assert answers == {str(number): str(number) for number in range(20)}


def open_calls() -> int:
    return int(_loading.runtime().inspect()["handles"]["calls"])


def calls() -> int:
    """How many calls the test has open. PyPy closes those that nothing refers to when it collects: first the loop."""
    for _ in range(3 if sys.implementation.name == "pypy" else 0):
        gc.collect()
    return open_calls() - _before
