"""Connections: used again by calls and threads, bounded on request, and never by a call that should not have them."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pyagent import Provider, errors


class Counting:
    """A server that answers every request after a pause, and counts how many it has at once."""

    def __init__(self, hostile, wire, pause):
        self.most = self._now = 0
        self._lock = threading.Lock()
        self._answer, self._pause = wire.whole("ok"), pause
        self.server = hostile(self._behave)

    def _behave(self, visit):
        while True:
            visit.request()
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
            time.sleep(self._pause)
            with self._lock:
                self._now -= 1
            visit.send(self._answer)

    def provider(self, **options):
        return Provider("m", api_key="k", base_url=self.server.url, provider="openai", max_retries=0, **options)


def ask(provider):
    return provider.generate_text("x")


def test_threads_share_connections(hostile, wire):
    counting = Counting(hostile, wire, 0.002)
    provider = counting.provider()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, [provider] * 200)) == {"ok"}
    assert counting.server.connections < 20, "a call may begin while the one before it still puts its connection back"
    with ThreadPoolExecutor(8) as pool:  # other threads, and another Provider with the same options
        assert set(pool.map(ask, [counting.provider()] * 50)) == {"ok"}
    assert counting.server.connections < 20


def test_event_loops_and_plain_calls_share_connections(hostile, wire):
    counting = Counting(hostile, wire, 0)
    provider = counting.provider()
    for _ in range(10):
        assert (asyncio.run(provider.agenerate_text("x")), ask(provider)) == ("ok", "ok")
        time.sleep(0.01)  # the call before puts its connection back
    assert counting.server.connections <= 2


def test_no_limit_by_default(hostile, wire):
    counting = Counting(hostile, wire, 0.5)
    provider = counting.provider()
    with ThreadPoolExecutor(40) as pool:
        assert set(pool.map(ask, [provider] * 40)) == {"ok"}
    assert counting.most >= 20


@pytest.mark.parametrize("limit", [1, 3])
def test_a_limit_on_request(hostile, wire, limit):
    counting = Counting(hostile, wire, 0.01)
    provider = counting.provider(max_connections=limit)
    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(ask, [provider] * 60)) == {"ok"}
    assert counting.most == limit
    assert counting.server.connections == limit


def test_failed_calls_give_their_places_back(client, hostile, wire):
    """Refused, broken, cancelled: none of them keeps a place or hands its connection on."""

    def behave(visit):
        while True:
            _, body = visit.request()
            asked = body["messages"][0]["content"]
            if asked == "break":
                visit.send(wire.head("content-length: 1000") + b"half")
                return
            if asked == "refuse":
                visit.send(wire.head("content-length: 2", status="HTTP/1.1 400 Bad", kind="") + b"no")
            elif asked == "hang":
                visit.wait_for_leave()
                return
            else:
                visit.send(wire.whole(asked))

    server = hostile(behave)
    provider = Provider(
        "m", api_key="k", base_url=server.url, provider="openai", max_retries=0, max_connections=1, timeout=10
    )
    for turn in range(5):
        with pytest.raises(errors.APIConnectionError):
            client.text(provider, "break")
        with pytest.raises(errors.BadRequestError):
            client.text(provider, "refuse")
        stream = client.stream(provider, "hang")
        time.sleep(0.02)
        stream.close()
        with pytest.raises(errors.APITimeoutError):
            client.text(provider, "hang", timeout=0.05)
        assert client.text(provider, f"good {turn}") == f"good {turn}"
