"""Throttle through the package: threads, coroutines and Providers share one account."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from pyagent import Provider, RateLimitError, StreamCancelledError, Throttle

MODEL = "throttled"


def test_two_providers_share_one_account(server) -> None:  # type: ignore[no-untyped-def]
    def provider(key: str) -> Provider:
        limit = Throttle(requests=2, period=30, max_wait=0)
        return Provider(MODEL, provider="openai", base_url=server.url, api_key=key, throttle=limit)

    first, second, other = provider("shared-key"), provider("shared-key"), provider("another-key")
    assert first.generate_text("a") == "a"
    assert asyncio.run(second.agenerate_text("b")) == "b"
    for refused in (first, second):
        with pytest.raises(RateLimitError, match=r"not within throttle\.max_wait=0") as caught:
            refused.generate_text("c")
        assert (caught.value.code, caught.value.status_code, caught.value.attempts) == ("throttled", None, 0)
        assert 0 < (caught.value.retry_after or 0) <= 30
    assert other.generate_text("d") == "d"
    assert len(server.requests()) == 3


def test_no_more_than_so_many_at_once(server) -> None:  # type: ignore[no-untyped-def]
    provider = Provider(
        MODEL, provider="openai", base_url=server.url, api_key="at-once", throttle=Throttle(concurrency=2)
    )
    slow = {"fake": {"first_delay": 0.05}}
    threads = [
        threading.Thread(target=provider.generate_text, args=("x",), kwargs={"extra_body": slow}) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    most = 0
    while any(thread.is_alive() for thread in threads):
        most = max(most, sum(request["state"] == "open" for request in server.requests()))
        time.sleep(0.005)
    assert len(server.requests()) == 6
    assert most == 2


def test_waiting_for_a_turn_ends_with_the_stream(server) -> None:  # type: ignore[no-untyped-def]
    provider = Provider(
        MODEL, provider="openai", base_url=server.url, api_key="ended", throttle=Throttle(requests=1, period=60)
    )
    assert provider.generate_text("a") == "a"
    stream = provider.stream("b")
    threading.Timer(0.1, stream.cancel).start()
    with pytest.raises(StreamCancelledError):
        next(stream)
    assert len(server.requests()) == 1
