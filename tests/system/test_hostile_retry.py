"""Servers that refuse at first: what is repeated and when, and how a program sees it."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from pyagent import Provider, Timeouts, errors, events

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def connect(hostile, wire):
    """A Provider for a server that refuses with these header lines in turn, each (status, lines), and then answers."""

    def begin(*refusals, **options):
        waiting = list(refusals)

        def behave(visit):
            while True:
                visit.request()
                if not waiting:
                    visit.send(wire.whole("at last"))
                    continue
                status, *lines = waiting.pop(0)
                body = b'{"error":{"message":"Not now."}}'
                head = wire.head(f"content-length: {len(body)}", *lines, status=f"HTTP/1.1 {status}", kind="")
                visit.send(head + body)

        server = hostile(behave)
        options = {"api_key": "k", "retry_backoff": 0.01, **options}
        return Provider("m", base_url=server.url, provider="openai", **options), server

    return begin


REPEATED = ["408 A", "409 A", "425 A", "429 A", "500 A", "502 A", "503 A", "504 A", "529 A"]


@pytest.mark.parametrize("status", REPEATED)
def test_statuses_that_are_repeated(connect, status):
    provider, server = connect((status,))
    response = provider.generate("x")
    assert (response.text, response.attempts, server.connections) == ("at last", 2, 1)
    (past,) = response.retries
    assert (past["attempt"], past["message"], past["status_code"]) == (1, "Not now.", int(status[:3]))
    assert 0 <= past["wait"] <= 0.01
    assert past["kind"]


@pytest.mark.parametrize("status", ["400 A", "401 A", "402 A", "403 A", "404 A", "413 A", "422 A", "501 A"])
def test_statuses_that_are_final(connect, status):
    provider, _ = connect((status,))
    with pytest.raises(errors.APIStatusError) as caught:
        provider.generate("x")
    assert (caught.value.attempts, caught.value.retries) == (1, [])


@pytest.mark.parametrize(
    "line",
    [
        "retry-after: 0.3",
        "retry-after-ms: 300",
        "x-ratelimit-reset-requests: 300ms",
        "x-ratelimit-reset: 0.3",
    ],
)
def test_the_vendor_says_how_long(connect, line):
    provider, _ = connect(("429 Slow down", line))
    begun = time.monotonic()
    response = provider.generate("x")
    assert 0.3 <= time.monotonic() - begun < 2
    assert 0.3 <= response.retries[0]["wait"] <= 0.33


def test_the_vendor_names_a_time(connect):
    """Whole seconds, by a server that does not say what time it is itself."""
    provider, _ = connect(("503 Busy", f"retry-after: {formatdate(time.time() + 2, usegmt=True)}"))
    begun = time.monotonic()
    assert 0 < provider.generate("x").retries[0]["wait"] <= 2.2
    assert time.monotonic() - begun < 4


def test_the_vendor_decides(connect):
    provider, _ = connect(("400 Odd", "x-should-retry: true"))
    assert provider.generate("x").attempts == 2
    provider, _ = connect(("503 Down", "x-should-retry: false"))
    with pytest.raises(errors.ServiceUnavailableError) as caught:
        provider.generate("x")
    assert caught.value.attempts == 1


def test_no_pause_is_begun_that_would_pass_the_deadline(connect):
    provider, _ = connect(("429 Slow down", "retry-after: 30"))
    begun = time.monotonic()
    with pytest.raises(errors.RateLimitError) as caught:
        provider.generate("x", timeouts=Timeouts(total=5))
    assert time.monotonic() - begun < 2
    assert (caught.value.attempts, caught.value.retry_after) == (1, 30)


def test_the_deadline_covers_all_attempts(hostile):
    server = hostile(lambda visit: visit.wait_for_leave())
    provider = Provider("m", api_key="k", base_url=server.url, provider="openai", max_retries=50, retry_backoff=0.01)
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError) as caught:
        list(provider.stream("x", timeouts=Timeouts(first_token=0.2, total=1)))
    assert caught.value.clock == "total"
    assert 0.9 <= time.monotonic() - begun < 3
    assert 2 <= caught.value.attempts <= 5
    assert [past["attempt"] for past in caught.value.retries] == list(range(1, caught.value.attempts))
    assert {past["kind"] for past in caught.value.retries} == {"timeout"}


def test_what_failed_before_is_on_the_error(connect):
    provider, _ = connect(("500 A",), ("503 B", "retry-after-ms: 20"), ("429 C",), max_retries=2)
    with pytest.raises(errors.RateLimitError) as caught:
        provider.generate("x")
    assert caught.value.attempts == 3
    assert [(past["attempt"], past["status_code"]) for past in caught.value.retries] == [(1, 500), (2, 503)]
    assert 0.02 <= caught.value.retries[1]["wait"] <= 0.022


def test_what_failed_before_is_seen_in_a_stream(connect):
    provider, _ = connect(("500 A",), ("503 B",))
    stream = provider.stream("x")
    seen = [event for event in stream.events() if isinstance(event, events.RetryEvent)]
    assert [(event.attempt, event.error.status_code) for event in seen] == [(1, 500), (2, 503)]
    waits = [past["wait"] for past in stream.result.retries]
    assert waits == [event.wait for event in seen]


def test_refused_connections_are_repeated(hostile):
    server = hostile(lambda visit: None)
    server.stop()
    provider = Provider("m", api_key="k", base_url=server.url, provider="openai", max_retries=2, retry_backoff=0.01)
    with pytest.raises(errors.APIConnectionError, match="refused") as caught:
        provider.generate("x")
    assert caught.value.attempts == 3
    assert [past["kind"] for past in caught.value.retries] == ["connection", "connection"]
