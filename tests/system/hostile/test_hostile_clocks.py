"""Servers that are slow or silent: every clock ends its wait, is named, and is not stopped by noise."""

from __future__ import annotations

import socket
import sys
import time

import pytest
from cases import both, wait_until

from pyagent import Provider, Timeouts, errors


def patience(stream, seconds):
    """The clock that runs until the answer: of a stream to its first piece, of a one-shot call to the whole."""
    return Timeouts(first_token=seconds, total=20) if stream else Timeouts(total=seconds)


@both
def test_a_server_that_accepts_and_never_answers(client, connect, stream):
    provider, server = connect(lambda visit: visit.wait_for_leave(), timeouts=patience(stream, 0.25))
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError) as caught:
        client.ask(provider, stream)
    assert 0.25 <= time.monotonic() - begun < 2
    clock = "first_token" if stream else "total"
    assert (caught.value.clock, caught.value.clock_seconds, caught.value.attempts) == (clock, 0.25, 1)
    assert clock in str(caught.value)
    wait_until(lambda: server.left)
    assert server.left[0] - begun < 2, "the connection is closed"


@both
@pytest.mark.parametrize("where", ["provider", "call"])
def test_a_server_that_does_not_shake_hands(client, hostile, stream, where):
    """The clock for connecting covers TLS; one of the call wins over one of the Provider."""
    server = hostile(lambda visit: visit.wait_for_leave())
    short, long = Timeouts(connect=0.4), Timeouts(connect=20)
    options = {"timeouts": short if where == "provider" else long, "max_retries": 0, "api_key": "k"}
    provider = Provider("m", base_url=f"https://127.0.0.1:{server.port}/v1", provider="openai", **options)
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError, match=r"timeouts\.connect") as caught:
        client.ask(provider, stream, **({"timeouts": short} if where == "call" else {}))
    assert (caught.value.clock, caught.value.clock_seconds, caught.value.is_retryable) == ("connect", 0.4, True)
    assert 0.4 <= time.monotonic() - begun < 2


@both
def test_nobody_listens(client, hostile, stream):
    server = hostile(lambda visit: None)
    server.stop()
    with pytest.raises(errors.APIConnectionError, match="refused") as caught:
        client.ask(Provider("m", api_key="k", base_url=server.url, provider="openai", max_retries=0), stream)
    assert str(server.port) in str(caught.value)


@both
def test_header_bytes_one_by_one(client, connect, wire, stream):
    answer = wire.head() + wire.piece("slow", "stop") + wire.done if stream else wire.whole("slow")
    head, _, body = answer.partition(b"\r\n\r\n")

    def behave(visit):
        visit.request()
        visit.send(*(head[i : i + 1] for i in range(len(head))), pause=0.004)
        visit.send(b"\r\n\r\n" + body)

    provider, _ = connect(behave, timeouts=Timeouts(first_token=20))
    assert client.ask(provider, stream) == "slow"


@both
def test_header_bytes_without_end(client, connect, stream):
    """Bytes of a header are no answer: they do not stop the clock."""

    def behave(visit):
        visit.request()
        visit.send(b"HTTP/1.1 200 OK\r\nx: ")
        while True:
            visit.send(b"y", pause=0.05)

    provider, _ = connect(behave, timeouts=patience(stream, 0.3))
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError) as caught:
        client.ask(provider, stream)
    assert caught.value.clock == ("first_token" if stream else "total")
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    "noise", [b": keep-alive\n\n", b"\n", b'data: {"choices":[]}\n\n'], ids=["comment", "blank", "void"]
)
def test_noise_is_no_progress(client, connect, wire, noise):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("then "))
        while True:
            visit.send(noise, pause=0.05)

    provider, _ = connect(behave, timeouts=Timeouts(idle=0.25))
    begun, stream = time.monotonic(), client.stream(provider)
    assert next(stream) == "then "
    with pytest.raises(errors.APITimeoutError) as caught:
        next(stream)
    assert (caught.value.clock, caught.value.clock_seconds, caught.value.partial_text) == ("idle", 0.25, "then ")
    assert 0.25 <= time.monotonic() - begun < 3


def test_pieces_are_progress(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), *[wire.piece("a ")] * 6, wire.piece("b", "stop"), pause=0.1)

    provider, _ = connect(behave, timeouts=Timeouts(idle=0.45))
    assert client.ask(provider, True) == "a " * 6 + "b"


def test_the_total_clock_ends_what_makes_progress(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head())
        while True:
            visit.send(wire.piece("a "), pause=0.05)

    provider, _ = connect(behave, timeouts=Timeouts(total=0.6))
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError) as caught:
        client.ask(provider, True)
    assert caught.value.clock == "total"
    assert caught.value.partial_text.startswith("a a ")
    assert 0.6 <= time.monotonic() - begun < 3


def test_a_body_that_stays_open_after_done(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("a", "stop") + wire.done)
        visit.wait_for_leave()

    provider, server = connect(behave)
    begun = time.monotonic()
    assert client.ask(provider, True) == "a"
    assert time.monotonic() - begun < 1
    wait_until(lambda: server.left)


def test_a_body_that_goes_on_for_ever_after_done(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("a", "stop") + wire.done)
        while True:
            visit.send(b"x" * 65536)

    provider, server = connect(behave)
    begun = time.monotonic()
    assert client.ask(provider, True) == "a"
    assert time.monotonic() - begun < 2
    wait_until(lambda: server.left)


@both
@pytest.mark.memory(200)
def test_a_request_that_the_server_does_not_read(client, connect, stream):
    """Larger than every socket buffer: the clock runs while it is sent."""
    provider, _ = connect(lambda visit: visit.hold(), timeouts=patience(stream, 0.3))
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError):
        client.ask(provider, stream, system_prompt="x" * 16_000_000)
    assert time.monotonic() - begun < 5


@pytest.fixture
def deaf():
    """The address of a server that never accepts: its queue of connections is full, so the kernel answers nobody."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    filling = [socket.socket() for _ in range(4)]
    for endpoint in filling:
        endpoint.setblocking(False)
        endpoint.connect_ex(listener.getsockname())
    time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    for endpoint in (listener, *filling):
        endpoint.close()


@both
@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="other kernels refuse when the queue is full: use Linux"
)
def test_a_connection_that_is_never_made(client, deaf, stream):
    provider = Provider(
        "m", api_key="k", base_url=deaf, provider="openai", max_retries=0, timeouts=Timeouts(connect=0.3)
    )
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError) as caught:
        client.ask(provider, stream)
    assert 0.3 <= time.monotonic() - begun < 3
    assert (caught.value.clock, caught.value.is_retryable) == ("connect", True)


def test_waiting_for_one_of_few_connections_is_connecting(client, connect, wire):
    provider, server = connect(lambda visit: visit.hold(), max_connections=1, timeouts=Timeouts(connect=0.3))
    first = client.stream(provider)
    wait_until(lambda: server.connections)
    with pytest.raises(errors.APITimeoutError) as caught:
        client.pieces(provider)
    assert caught.value.clock == "connect"
    assert server.connections == 1
    first.close()


@both
def test_a_clock_of_the_call_counts_over_the_providers(client, connect, stream):
    provider, _ = connect(lambda visit: visit.wait_for_leave(), timeouts=patience(stream, 30))
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError):
        client.ask(provider, stream, timeout=0.2)
    assert time.monotonic() - begun < 3


def test_a_clock_of_the_call_may_be_longer(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(b"", pause=0.3)
        visit.send(wire.whole("late"))

    provider, _ = connect(behave, timeouts=Timeouts(total=0.1))
    assert client.text(provider, timeouts=Timeouts(total=10)) == "late"


def test_zero_switches_a_clock_off(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("a"), wire.piece("b", "stop") + wire.done, pause=0.2)

    provider, _ = connect(behave, timeouts=Timeouts(first_token=0.1, idle=0.1))
    assert client.pieces(provider, timeouts=Timeouts(first_token=0, idle=0)) == ["a", "b"]


def test_one_clock_after_the_other(client, connect, wire):
    """The first piece may take its time; after it only idle counts."""

    def behave(visit):
        visit.request()
        visit.send(wire.head(), pause=0.4)
        visit.send(wire.piece("a"))
        visit.wait_for_leave()

    provider, _ = connect(behave, timeouts=Timeouts(first_token=5, idle=0.2))
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError) as caught:
        client.pieces(provider)
    assert (caught.value.clock, caught.value.partial_text) == ("idle", "a")
    assert 0.6 <= time.monotonic() - begun < 3


def test_what_cannot_be_seen_does_not_stop_the_first_clock(client, connect, wire):
    """A header, comments, pings and empty deltas come at once, a piece never."""

    def behave(visit):
        visit.request()
        visit.send(wire.head())
        while True:
            visit.send(b": ping\n\n", wire.piece(""), b"event: ping\ndata: {}\n\n", pause=0.03)

    provider, _ = connect(behave, timeouts=Timeouts(first_token=0.3))
    with pytest.raises(errors.APITimeoutError) as caught:
        client.pieces(provider)
    assert caught.value.clock == "first_token"


DELTAS = {
    "reasoning": '{"reasoning":"a"}',
    "tool arguments": '{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"[1,"}}]}',
}


@pytest.mark.parametrize("delta", DELTAS.values(), ids=DELTAS)
def test_progress_other_than_text(client, connect, wire, delta):
    event = f'data: {{"choices":[{{"index":0,"delta":{delta}}}]}}\n\n'.encode()

    def behave(visit):
        visit.request()
        visit.send(wire.head(), *[event] * 5, wire.piece("b", "stop"), pause=0.12)

    provider, _ = connect(behave, timeouts=Timeouts(idle=0.4))
    assert client.pieces(provider) == ["b"]


def test_a_piece_that_never_becomes_whole(client, connect, wire):
    """Bytes of an event are no progress until the event is there."""

    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("a"), b"data: ")
        while True:
            visit.send(b"x", pause=0.03)

    provider, _ = connect(behave, timeouts=Timeouts(idle=0.3))
    with pytest.raises(errors.APITimeoutError) as caught:
        client.pieces(provider)
    assert (caught.value.clock, caught.value.partial_text) == ("idle", "a")


def test_a_slow_program_is_not_the_vendors_fault(client, connect, wire):
    """While the reader sleeps and the queue is full, idle stands still."""

    def behave(visit):
        visit.request()
        visit.send(wire.head(), *[wire.piece("x" * 65536)] * 160, wire.piece("", "stop") + wire.done)

    provider, _ = connect(behave, timeouts=Timeouts(idle=0.3))
    stream = client.stream(provider)
    size = len(next(stream))
    client.pause(0.7)
    assert size + sum(map(len, stream)) == 160 * 65536


@both
def test_the_total_clock_covers_everything(client, connect, wire, stream):
    """Attempts that fail quickly, pauses between them, and one that hangs."""

    def behave(visit):
        visit.request()
        if visit.number < 3:
            body = b'{"error":{"message":"busy"}}'
            visit.send(wire.head(f"content-length: {len(body)}", "retry-after: 0.1", status="HTTP/1.1 503 Busy") + body)
        else:
            visit.wait_for_leave()

    provider, _ = connect(behave, timeouts=Timeouts(total=0.5), max_retries=10)
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError) as caught:
        client.ask(provider, stream)
    assert (caught.value.clock, caught.value.attempts) == ("total", 3)
    assert 0.5 <= time.monotonic() - begun < 3


@both
def test_the_server_learns_at_once_that_a_clock_ran_out(client, connect, stream):
    provider, server = connect(lambda visit: visit.wait_for_leave(), timeouts=patience(stream, 0.2))
    with pytest.raises(errors.APITimeoutError):
        client.ask(provider, stream)
    ended = time.monotonic()
    wait_until(lambda: server.left)
    assert server.left[0] - ended < 1


def test_a_hundred_calls_run_out_together(client, connect):
    """No clock waits for another one's call."""
    provider, server = connect(lambda visit: visit.wait_for_leave(), timeouts=Timeouts(total=0.5))
    begun = time.monotonic()
    outcomes = client.texts(provider, ["x"] * 100)
    assert time.monotonic() - begun < 5
    assert {getattr(outcome, "clock", None) for outcome in outcomes} == {"total"}
    wait_until(lambda: len(server.left) == 100)
