"""Servers that are slow, silent, or gone: every clock, every way for a connection to end, and who is told when."""

from __future__ import annotations

import threading
import time

import pytest
from driver import wait_until

from pyagent import Provider, Timeouts, errors


def patience(stream, seconds):
    """The clock that runs until the answer: of a stream to its first piece, of a one-shot call to the whole."""
    return Timeouts(first_token=seconds, total=20) if stream else Timeouts(total=seconds)


both = pytest.mark.parametrize("stream", [False, True], ids=["generate", "stream"])


@both
def test_a_server_that_accepts_and_never_answers(client, connect, stream):
    provider, server = connect(lambda visit: visit.wait_for_leave(), timeouts=patience(stream, 0.4))
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError) as caught:
        client.ask(provider, stream)
    assert 0.4 <= time.monotonic() - begun < 2
    clock = "first_token" if stream else "total"
    assert (caught.value.clock, caught.value.clock_seconds, caught.value.attempts) == (clock, 0.4, 1)
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

    provider, _ = connect(behave, timeouts=patience(stream, 0.5))
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

    provider, _ = connect(behave, timeouts=Timeouts(idle=0.4))
    begun, stream = time.monotonic(), client.stream(provider)
    assert next(stream) == "then "
    with pytest.raises(errors.APITimeoutError) as caught:
        next(stream)
    assert (caught.value.clock, caught.value.clock_seconds, caught.value.partial_text) == ("idle", 0.4, "then ")
    assert 0.4 <= time.monotonic() - begun < 3


def test_pieces_are_progress(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), *[wire.piece("a ")] * 10, wire.piece("b", "stop"), pause=0.1)

    provider, _ = connect(behave, timeouts=Timeouts(idle=0.6))
    assert client.ask(provider, True) == "a " * 10 + "b"


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


@both
def test_a_reset_instead_of_an_answer(client, connect, stream):
    def behave(visit):
        visit.request()
        visit.reset()

    provider, server = connect(behave)
    with pytest.raises(errors.APIConnectionError, match="reset") as caught:
        client.ask(provider, stream)
    assert caught.value.is_retryable
    assert (caught.value.attempts, server.connections) == (1, 1)


def test_a_reset_in_the_middle(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("half of "), pause=0.1)
        visit.reset()

    provider, server = connect(behave, max_retries=2)
    stream = client.stream(provider)
    assert next(stream) == "half of "
    with pytest.raises(errors.StreamInterruptedError, match="reset") as caught:
        next(stream)
    assert caught.value.partial_text == "half of "
    assert server.connections == 1, "after the first piece nothing is asked for again"


@both
def test_a_connection_that_closes_without_an_answer(client, connect, wire, stream):
    """A new connection is no stale one: the request is repeated only where retries are allowed."""
    good = wire.head() + wire.piece("ok", "stop") + wire.done if stream else wire.whole("ok")

    def behave(visit):
        visit.request()
        if visit.number > 1:
            visit.send(good)

    provider, server = connect(behave)
    with pytest.raises(errors.APIConnectionError, match="closed the connection without an answer"):
        client.ask(provider, stream)
    assert server.connections == 1
    assert client.ask(provider, stream) == "ok"

    provider, server = connect(behave, max_retries=1)
    assert client.ask(provider, stream) == "ok"
    assert server.connections == 2


@both
@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_stale_connection_is_replaced(client, connect, wire, stream, end):
    """The server leaves a kept-alive connection when the next request comes: nobody is told, no retry is spent."""

    def behave(visit):
        visit.request()
        visit.send(wire.whole("first") if visit.number == 1 else good)
        visit.request()
        if end == "reset":
            visit.reset()

    length = len(wire.piece("second", "stop") + wire.done)
    good = wire.whole("second")
    if stream:
        good = wire.head(f"content-length: {length}") + wire.piece("second", "stop") + wire.done
    provider, server = connect(behave)
    assert client.ask(provider, False) == "first"
    assert client.ask(provider, stream) == "second"
    assert server.connections == 2


def test_a_kept_connection_that_was_closed_while_idle(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.whole(f"number {visit.number}"))

    provider, server = connect(behave)
    for number in range(1, 6):
        assert client.ask(provider, False) == f"number {number}"
    assert server.connections == 5


def test_a_connection_is_used_again_after_a_stream(client, connect, wire):
    def behave(visit):
        for _ in range(5):
            visit.request()
            body = wire.piece("a", "stop") + wire.done
            visit.send(wire.head("transfer-encoding: chunked"), wire.chunk(body), wire.end)

    provider, server = connect(behave)
    for _ in range(5):
        stream = client.stream(provider)
        assert list(stream) == ["a"]
        time.sleep(0.05)  # what follows [DONE] is read in the background
    assert server.connections == 1


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


@both
@pytest.mark.memory(200)
def test_a_request_that_the_server_does_not_read(client, connect, stream):
    """Larger than every socket buffer: the clock runs while it is sent."""
    provider, _ = connect(lambda visit: visit.hold(), timeouts=patience(stream, 0.5))
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError):
        client.ask(provider, stream, system_prompt="x" * 16_000_000)
    assert time.monotonic() - begun < 5


def test_an_answer_before_the_request_was_read(client, connect, wire):
    """A server that refuses a large request early is heard."""

    def behave(visit):
        visit.connection.recv(1000)
        body = b'{"error":{"message":"Too large for me"}}'
        head = wire.head(f"content-length: {len(body)}", status="HTTP/1.1 413 Too Large", kind="application/json")
        visit.send(head + body)
        visit.wait_for_leave()

    provider, _ = connect(behave)
    with pytest.raises(errors.APIStatusError, match="Too large for me") as caught:
        client.ask(provider, False, system_prompt="x" * 3_000_000)
    assert caught.value.status_code == 413
