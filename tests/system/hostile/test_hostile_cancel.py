"""Cancelling in every state of a call: the server sees the connection close at once, whatever either side is busy with.

What no server can see (names, connecting, pauses, queues) is in core/engine/cancel_test.go. `pytest -s` shows how long
each takes.
"""

from __future__ import annotations

import statistics
import threading
import time

import pytest

from pyagent import Provider, Timeouts, errors

TRIES = 3


class Cancelling:
    """Cancels a stream when the server has reached the state, and measures how long the server takes to notice."""

    def __init__(self, client, hostile):
        self._client, self._hostile = client, hostile

    def __call__(self, reach, options, asked=None, before=None):
        delays = [self._once(reach, options, asked or {}, before) for _ in range(TRIES)]
        print(f" noticed after {statistics.median(delays) * 1000:.1f} ms, at most {max(delays) * 1000:.1f} ms")
        assert statistics.median(delays) < 0.05, delays

    def _once(self, reach, options, asked, before):
        reached, cancelled = threading.Event(), threading.Event()
        noticed = []

        def behave(visit):
            try:
                reach(visit, reached, cancelled)
                visit.wait_for_leave()
            except OSError:
                pass  # a reset is a way to leave as well
            noticed.append(time.monotonic())

        server = self._hostile(behave)
        provider = Provider(
            "m", api_key="k", provider="openai", timeouts=Timeouts(connect=30), max_retries=0, **options(server)
        )
        stream = self._client.stream(provider, **asked)
        if before:
            before(stream)
        assert reached.wait(10)
        begun = time.monotonic()
        stream.cancel()
        cancelled.set()
        while not noticed and time.monotonic() < begun + 10:
            time.sleep(0.0005)
        assert noticed, "the server still waits"
        assert server.connections == 1, "and is not asked again"
        with pytest.raises(errors.StreamCancelledError):
            stream.result  # noqa: B018 - reading the rest is what raises
        return noticed[0] - begun


@pytest.fixture
def cancelling(client, hostile):
    return Cancelling(client, hostile)


def hear(visit, reached, cancelled):
    """Hears the first bytes and says nothing."""
    assert visit.connection.recv(65536)
    reached.set()


def test_in_the_tls_handshake(cancelling):
    cancelling(hear, lambda server: {"base_url": f"https://127.0.0.1:{server.port}/v1"})


def test_in_the_tls_handshake_of_http2(cancelling):
    cancelling(hear, lambda server: {"base_url": f"https://127.0.0.1:{server.port}/v1", "http2": True})


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
@pytest.mark.parametrize("proxy", ["http", "socks5", "https"])
def test_while_a_proxy_connects(cancelling, proxy, http2):
    def options(server):
        return {"base_url": "https://vendor.test/v1", "proxy": f"{proxy}://127.0.0.1:{server.port}", "http2": http2}

    cancelling(hear, options)


def plain(server):
    return {"base_url": server.url}


def test_while_the_header_is_awaited(cancelling):
    def reach(visit, reached, cancelled):
        visit.request()
        reached.set()

    cancelling(reach, plain)


def test_in_the_middle_of_the_header(cancelling):
    def reach(visit, reached, cancelled):
        visit.request()
        visit.send(b"HTTP/1.1 200 OK\r\nx: ")
        reached.set()

    cancelling(reach, plain)


@pytest.mark.memory(250)
def test_while_the_request_is_written(cancelling):
    def reach(visit, reached, cancelled):
        visit.connection.recv(100)
        time.sleep(0.1)  # the buffers on the way fill up
        reached.set()
        cancelled.wait(10)

    cancelling(reach, plain, {"system_prompt": "x" * 16_000_000})


def test_between_two_pieces(cancelling, wire):
    def reach(visit, reached, cancelled):
        visit.request()
        visit.send(wire.head(), wire.piece("a"))
        reached.set()

    cancelling(reach, plain, before=next)


@pytest.mark.parametrize("coding", ["identity", "chunked"])
def test_with_100_000_pieces_unread(cancelling, wire, coding):
    """The server is stuck in the middle of them, because nobody reads."""
    pieces = wire.piece("unread ") * 100_000

    def reach(visit, reached, cancelled):
        visit.request()
        if coding == "chunked":
            visit.send(wire.head("transfer-encoding: chunked"), b"%x\r\n" % len(pieces))
        else:
            visit.send(wire.head())
        visit.send(pieces[:1_000_000])
        threading.Timer(0.1, reached.set).start()
        visit.send(pieces[1_000_000:])

    cancelling(reach, plain, before=next)
