"""Many at once: hundreds of streams, threads and loops over the same connections, each with troubles of its own."""

from __future__ import annotations

import asyncio
import random
import threading
import time

import pytest
from cases import wait_until

from pyagent import Provider, Timeouts, errors


def number_of(body):
    """Each request says in its prompt which one it is."""
    return int(body["messages"][-1]["content"])


FAULTS = ["none", "none", "none", "cut", "reset", "status", "error", "garbage", "silence", "no end"]


def fault_of(number):
    return random.Random(number).choice(FAULTS)


def misbehave(visit, wire, number):
    """One answer with one fault, at a place that its number decides."""
    fault, chance = fault_of(number), random.Random(-number)
    if fault == "status":
        body = b'{"error":{"message":"busy"}}'
        visit.send(wire.head(f"content-length: {len(body)}", status="HTTP/1.1 500 Oh") + body)
        return True
    answer = b"".join(wire.chunk(wire.piece(f"{number} ")) for _ in range(chance.randrange(1, 6)))
    visit.send(wire.head("transfer-encoding: chunked"), answer)
    if fault == "none":
        visit.send(wire.chunk(wire.piece("end", "stop")), wire.chunk(wire.done) + wire.end, pause=chance.random() / 50)
        return True
    if fault == "error":
        visit.send(wire.chunk(b'data: {"error":{"message":"busy"}}\n\n'))
    elif fault == "garbage":
        visit.send(wire.chunk(b"data: {broken\n\n"))
    elif fault == "no end":
        visit.send(wire.end)
        return True
    elif fault == "silence":
        visit.wait_for_leave()
    elif fault == "reset":
        time.sleep(0.05)
        visit.reset()
    return False


EXPECTED = {
    "none": str,
    "cut": errors.StreamInterruptedError,
    "reset": errors.StreamInterruptedError,
    "status": errors.InternalServerError,
    "error": errors.InternalServerError,
    "garbage": errors.ResponseParseError,
    "silence": errors.APITimeoutError,
    "no end": errors.StreamInterruptedError,
}


@pytest.mark.memory(256)
def test_five_hundred_streams_with_faults(client, connect, wire):
    """Each ends as its own server made it end, with its own text; nobody waits for those that hang."""

    def behave(visit):
        while misbehave(visit, wire, number_of(visit.request()[1])):
            pass

    provider, _ = connect(behave, timeouts=Timeouts(idle=1.2))
    outcomes = client.outcomes([client.stream(provider, str(number)) for number in range(500)])
    assert {fault_of(number) for number in range(500)} == set(FAULTS)
    for number, outcome in enumerate(outcomes):
        assert isinstance(outcome, EXPECTED[fault_of(number)]), (number, outcome)
        text = outcome if isinstance(outcome, str) else outcome.partial_text
        assert set(text.removesuffix("end").split()) <= {str(number)}, "no stream gets another one's text"


def test_two_hundred_answers_at_once(client, connect, wire):
    def behave(visit):
        while True:
            visit.send(wire.whole(str(number_of(visit.request()[1]))))

    provider, server = connect(behave)
    prompts = [str(number) for number in range(200)]
    assert client.texts(provider, prompts) == prompts
    assert client.texts(provider, prompts) == prompts
    assert server.connections <= 400


def test_one_connection_for_everybody(client, connect, wire):
    def behave(visit):
        while True:
            visit.send(wire.whole(str(number_of(visit.request()[1]))))

    provider, server = connect(behave, max_connections=1)
    prompts = [str(number) for number in range(100)]
    assert client.texts(provider, prompts) == prompts
    assert server.connections == 1


def test_one_connection_and_answers_that_fail(client, connect, wire):
    """Whatever ends a request gives its place back: cut, reset, refused or cancelled."""

    def behave(visit):
        while misbehave(visit, wire, number_of(visit.request()[1])):
            pass

    provider, _ = connect(behave, max_connections=1, timeouts=Timeouts(idle=0.4))
    for number in range(30):
        stream = client.stream(provider, str(number))
        if number % 5 == 0:
            stream.close()
            continue
        (outcome,) = client.outcomes([stream])
        assert isinstance(outcome, EXPECTED[fault_of(number)])


@pytest.mark.memory(128)
def test_a_slow_reader_beside_fast_ones(client, connect, wire):
    """Its own server is held back, and nobody else's."""
    sent = []

    def behave(visit):
        if number_of(visit.request()[1]) == 0:
            visit.send(wire.head())
            while True:
                visit.send(wire.piece("x" * 65536))
                sent.append(65536)
        visit.send(wire.head(), *[wire.piece("quick ")] * 100, wire.piece("", "stop"), wire.done)

    provider, _ = connect(behave)
    slow = client.stream(provider, "0")
    assert len(next(slow)) == 65536
    for number in range(1, 20):
        assert client.pieces(provider, str(number)) == ["quick "] * 100
    assert sum(sent) < 32 << 20, "the slow one is held back"
    slow.close()


def test_streams_that_are_opened_and_left(client, connect, wire):
    """Three hundred times: no connection, call or thread is left over."""

    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("a"))
        visit.wait_for_leave()

    provider, server = connect(behave)
    threads = threading.active_count()
    for number in range(300):
        stream = client.stream(provider, str(number))
        if number % 3 == 0:
            assert next(stream) == "a"
        if number % 3 == 1:
            stream.close()
        del stream
    wait_until(lambda: len(server.left) == server.connections and threading.active_count() <= threads + 1)


def test_threads_and_a_loop_share_a_provider(connect, wire):
    """Plain and asyncio calls at the same time, over one pool of connections."""

    def behave(visit):
        while True:
            number = number_of(visit.request()[1])
            body = b"".join(map(wire.piece, [f"{number} "] * 20)) + wire.piece("", "stop") + wire.done
            visit.send(wire.head(f"content-length: {len(body)}") + body)

    provider, _ = connect(behave)
    given = {}

    def plainly(first):
        for number in range(first, first + 20):
            given[number] = "".join(provider.stream(str(number)))

    async def read(number):
        given[number] = "".join([piece async for piece in provider.astream(str(number))])

    async def in_a_loop(first):
        await asyncio.gather(*(read(number) for number in range(first, first + 50)))

    work = [threading.Thread(target=plainly, args=[first]) for first in range(0, 200, 20)]
    work += [threading.Thread(target=lambda first=first: asyncio.run(in_a_loop(first))) for first in (200, 250, 300)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert given == {number: f"{number} " * 20 for number in range(350)}


def test_one_client_closes_while_another_asks(client, connect, wire):
    """Providers with the same settings share connections; one that goes leaves the other's alone."""

    def behave(visit):
        while True:
            visit.send(wire.whole(str(number_of(visit.request()[1]))))

    provider, server = connect(behave)
    for number in range(30):
        other = Provider("m", base_url=server.url, provider="openai", api_key="k", max_retries=0, timeout=10)
        assert client.text(other, str(number)) == str(number)
        del other
        assert client.text(provider, str(number)) == str(number)
    assert server.connections <= 2
