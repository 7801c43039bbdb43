"""Programs that have had enough: in whatever state, their connection closes at once and nobody waits."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

import pytest
from cases import wait_until

from pyagent import Timeouts, errors

WAYS = {
    "close": lambda stream: stream.close(),
    "cancel": lambda stream: stream.cancel(),
    "with": lambda stream: stream.__exit__(None, None, None),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("state", ["before the header", "before the first piece", "between pieces"])
def test_leaving_closes_the_connection(client, connect, wire, way, state):
    asked = threading.Event()

    def behave(visit):
        visit.request()
        if state != "before the header":
            visit.send(wire.head())
        if state == "between pieces":
            visit.send(wire.piece("a"))
        asked.set()
        visit.wait_for_leave()

    provider, server = connect(behave)
    stream = client.stream(provider)
    assert asked.wait(5)
    if state == "between pieces":
        assert next(stream) == "a"
    begun = time.monotonic()
    way(stream)
    assert time.monotonic() - begun < 0.5, "leaving does not wait"
    wait_until(lambda: server.left)
    assert server.left[0] - begun < 1
    with pytest.raises(errors.StreamCancelledError):
        next(stream)


def test_dropping_a_stream_closes_the_connection(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("a"))
        visit.wait_for_leave()

    provider, server = connect(behave)
    stream = client.stream(provider)
    assert next(stream) == "a"
    begun = time.monotonic()
    del stream
    wait_until(lambda: server.left)
    assert server.left[0] - begun < 1


def test_a_moment_later_from_elsewhere(client, connect, wire):
    """Another thread, or another task of the loop, cancels while the reader waits."""

    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("a"))
        visit.wait_for_leave()

    provider, server = connect(behave)
    stream = client.stream(provider)
    assert next(stream) == "a"
    begun = time.monotonic()
    client.soon(0.1, stream.cancel)
    with pytest.raises(errors.StreamCancelledError) as caught:
        next(stream)
    assert caught.value.partial_text == "a"
    wait_until(lambda: server.left)
    assert server.left[0] - begun < 1.5


def test_with_a_hundred_thousand_deltas_unread(client, connect, wire):
    """Their connection is closed and what has not been read is dropped, without being looked at."""
    sent = threading.Event()

    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("a"))
        sent.set()
        while True:
            visit.send(wire.piece("ab") * 1000)

    provider, server = connect(behave)
    stream = client.stream(provider)
    assert next(stream) == "a"
    assert sent.wait(5)
    client.pause(0.3)
    begun = time.monotonic()
    stream.cancel()
    with pytest.raises(errors.StreamCancelledError):
        next(stream)
    assert time.monotonic() - begun < 1
    wait_until(lambda: server.left)
    assert server.left[0] - begun < 1.5


def test_in_the_pause_before_a_retry(client, connect, wire):
    body = b'{"error":{"message":"busy"}}'

    def behave(visit):
        visit.request()
        visit.send(wire.head(f"content-length: {len(body)}", "retry-after: 60", status="HTTP/1.1 503 Busy") + body)
        visit.wait_for_leave()

    provider, server = connect(behave, max_retries=3, timeouts=Timeouts())
    stream = client.stream(provider)
    wait_until(lambda: server.connections)
    client.soon(0.2, stream.cancel)
    begun = time.monotonic()
    with pytest.raises(errors.StreamCancelledError):
        next(stream)
    assert time.monotonic() - begun < 2
    assert server.connections == 1


@pytest.mark.memory(200)
def test_while_a_large_request_is_sent(client, connect):
    provider, server = connect(lambda visit: (visit.connection.recv(1), visit.hold()))
    stream = client.stream(provider, "x" * 16_000_000)
    wait_until(lambda: server.connections)
    begun = time.monotonic()
    stream.close()
    assert time.monotonic() - begun < 1
    with pytest.raises(errors.StreamCancelledError):
        next(stream)


def test_before_anything_was_connected(client, connect):
    """At once after it was started: whether a connection is still made or not, none stays."""
    provider, server = connect(lambda visit: visit.wait_for_leave())
    for _ in range(50):
        client.stream(provider).close()
    time.sleep(0.1)
    wait_until(lambda: len(server.left) == server.connections)


def test_twice_and_after_the_end(client, serve, wire):
    provider = serve(wire.head(), wire.piece("a", "stop") + wire.done)
    stream = client.stream(provider)
    assert list(stream) == ["a"]
    for _ in range(2):
        stream.cancel()
        stream.close()
    assert (stream.text, stream.result.text) == ("a", "a")
    cut = client.stream(provider)
    for _ in range(2):
        cut.cancel()
        cut.close()
    for _ in range(2):
        with pytest.raises(errors.StreamCancelledError):
            next(cut)


def test_one_of_many(client, connect, wire):
    """The others do not notice."""
    go_on = threading.Event()

    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("a"))
        go_on.wait(10)
        visit.send(wire.piece("b", "stop") + wire.done)

    provider, _ = connect(behave)
    streams = [client.stream(provider) for _ in range(10)]
    assert [next(stream) for stream in streams] == ["a"] * 10
    streams[3].cancel()
    streams[7].close()
    go_on.set()
    outcomes = client.outcomes(streams)
    assert [isinstance(outcome, errors.StreamCancelledError) for outcome in outcomes] == [
        i in {3, 7} for i in range(10)
    ]
    assert {outcome for outcome in outcomes if isinstance(outcome, str)} == {"b"}


def test_leaving_a_loop(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("a"))
        visit.wait_for_leave()

    provider, server = connect(behave)
    stream = client.stream(provider)
    begun = time.monotonic()
    assert client.first(stream) == "a"
    wait_until(lambda: server.left)
    assert server.left[0] - begun < 1


def test_the_connection_of_a_cancelled_stream_serves_nobody_else(client, connect, wire):
    """What was still on its way must not be taken for the next answer."""

    def behave(visit):
        visit.request()
        if visit.number == 1:
            visit.send(wire.head("transfer-encoding: chunked"), wire.chunk(wire.piece("old")))
            visit.wait_for_leave()
        visit.send(wire.whole("new"))

    provider, server = connect(behave)
    stream = client.stream(provider)
    assert next(stream) == "old"
    stream.close()
    assert client.text(provider) == "new"
    assert server.connections == 2


STATES = ["connected", "header", "piece"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", ["text", "stream"])
def test_async_only_a_task_is_cancelled(connect, wire, state, kind):
    reached = threading.Event()

    def behave(visit):
        visit.request()
        if state != "connected":
            visit.send(wire.head())
        if state == "piece":
            visit.send(wire.piece("a"))
        reached.set()
        visit.wait_for_leave()

    provider, server = connect(behave)

    async def read():
        if kind == "text":
            return await provider.agenerate_text("x")
        return [piece async for piece in provider.astream("x")]

    async def main():
        task = asyncio.ensure_future(read())
        while not reached.is_set():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic()

    ended = asyncio.run(main())
    wait_until(lambda: server.left)
    assert server.left[0] - ended < 1


def test_async_only_a_hundred_tasks_are_cancelled_at_once(connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("a"))
        visit.wait_for_leave()

    provider, server = connect(behave)

    async def read():
        return [piece async for piece in provider.astream("x")]

    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(read() for _ in range(100))), 1)

    asyncio.run(main())
    wait_until(lambda: len(server.left) == server.connections)


def test_async_only_the_loop_ends_with_streams_open(connect, wire):
    """Nobody closed them: they are closed when they are dropped."""

    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("a"))
        visit.wait_for_leave()

    provider, server = connect(behave)

    async def main():
        streams = [provider.astream("x") for _ in range(5)]
        return [await stream.__anext__() for stream in streams]

    assert asyncio.run(main()) == ["a"] * 5
    wait_until(lambda: len(server.left) == 5)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout is new in Python 3.11")
@pytest.mark.parametrize("kind", ["text", "stream", "map"])
def test_async_only_a_timeout_of_asyncio_closes_the_connection(connect, wire, kind):
    def behave(visit):
        visit.request()
        if kind == "stream":
            visit.send(wire.head(), wire.piece("a"))
        visit.wait_for_leave()

    provider, server = connect(behave)

    async def read():
        async with asyncio.timeout(0.2):
            if kind == "text":
                await provider.agenerate_text("x")
            asked = provider.astream("x") if kind == "stream" else provider.amap(["x"] * 3)
            async for _ in asked:
                pass

    async def main():
        with pytest.raises(TimeoutError):
            await read()
        ended = time.monotonic()
        while len(server.left) < server.connections:
            assert time.monotonic() < ended + 1
            await asyncio.sleep(0.005)

    asyncio.run(main())
