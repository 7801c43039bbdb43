"""Servers that refuse at first: what is repeated and when, and how a program sees it."""

from __future__ import annotations

import json
import socket
import threading
import time
from email.utils import formatdate

import pytest
from cases import both

from pyagent import Provider, Timeouts, errors, events


@pytest.fixture
def refuse(connect, wire):
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

        return connect(behave, **{"max_retries": 2, "retry_backoff": 0.01, **options})

    return begin


REPEATED = ["408 A", "409 A", "425 A", "429 A", "500 A", "502 A", "503 A", "504 A", "529 A"]


@pytest.mark.parametrize("status", REPEATED)
def test_statuses_that_are_repeated(client, refuse, status):
    provider, server = refuse((status,))
    response = client.answer(provider)
    assert (response.text, response.attempts, server.connections) == ("at last", 2, 1)
    (past,) = response.retries
    assert (past["attempt"], past["message"], past["status_code"]) == (1, "Not now.", int(status[:3]))
    assert 0 <= past["wait"] <= 0.01
    assert past["kind"]


@pytest.mark.parametrize("status", ["400 A", "401 A", "402 A", "403 A", "404 A", "413 A", "422 A", "501 A"])
def test_statuses_that_are_final(client, refuse, status):
    provider, _ = refuse((status,))
    with pytest.raises(errors.APIStatusError) as caught:
        client.answer(provider)
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
def test_the_vendor_says_how_long(client, refuse, line):
    provider, _ = refuse(("429 Slow down", line))
    begun = time.monotonic()
    response = client.answer(provider)
    assert 0.3 <= time.monotonic() - begun < 2
    assert 0.3 <= response.retries[0]["wait"] <= 0.33


def test_the_vendor_names_a_time(client, refuse):
    """Whole seconds, by a server that does not say what time it is itself."""
    provider, _ = refuse(("503 Busy", f"retry-after: {formatdate(time.time() + 1.2, usegmt=True)}"))
    begun = time.monotonic()
    assert 0 < client.answer(provider).retries[0]["wait"] <= 2.2
    assert time.monotonic() - begun < 4


def test_the_vendor_decides(client, refuse):
    provider, _ = refuse(("400 Odd", "x-should-retry: true"))
    assert client.answer(provider).attempts == 2
    provider, _ = refuse(("503 Down", "x-should-retry: false"))
    with pytest.raises(errors.ServiceUnavailableError) as caught:
        client.answer(provider)
    assert caught.value.attempts == 1


def test_no_pause_is_begun_that_would_pass_the_deadline(client, refuse):
    provider, _ = refuse(("429 Slow down", "retry-after: 30"))
    begun = time.monotonic()
    with pytest.raises(errors.RateLimitError) as caught:
        client.answer(provider, timeouts=Timeouts(total=5))
    assert time.monotonic() - begun < 2
    assert (caught.value.attempts, caught.value.retry_after) == (1, 30)


def test_the_deadline_covers_all_attempts(client, hostile):
    server = hostile(lambda visit: visit.wait_for_leave())
    provider = Provider("m", api_key="k", base_url=server.url, provider="openai", max_retries=50, retry_backoff=0.01)
    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError) as caught:
        client.pieces(provider, timeouts=Timeouts(first_token=0.2, total=1))
    assert caught.value.clock == "total"
    assert 0.9 <= time.monotonic() - begun < 3
    assert 2 <= caught.value.attempts <= 5
    assert [past["attempt"] for past in caught.value.retries] == list(range(1, caught.value.attempts))
    assert {past["kind"] for past in caught.value.retries} == {"timeout"}


def test_what_failed_before_is_on_the_error(client, refuse):
    provider, _ = refuse(("500 A",), ("503 B", "retry-after-ms: 20"), ("429 C",), max_retries=2)
    with pytest.raises(errors.RateLimitError) as caught:
        client.answer(provider)
    assert caught.value.attempts == 3
    assert [(past["attempt"], past["status_code"]) for past in caught.value.retries] == [(1, 500), (2, 503)]
    assert 0.02 <= caught.value.retries[1]["wait"] <= 0.022


def test_what_failed_before_is_seen_in_a_stream(client, refuse):
    provider, _ = refuse(("500 A",), ("503 B",))
    stream = client.stream(provider)
    seen = [event for event in stream.events() if isinstance(event, events.RetryEvent)]
    assert [(event.attempt, event.error.status_code) for event in seen] == [(1, 500), (2, 503)]
    waits = [past["wait"] for past in stream.result.retries]
    assert waits == [event.wait for event in seen]


def test_refused_connections_are_repeated(client, hostile):
    server = hostile(lambda visit: None)
    server.stop()
    provider = Provider("m", api_key="k", base_url=server.url, provider="openai", max_retries=2, retry_backoff=0.01)
    with pytest.raises(errors.APIConnectionError, match="refused") as caught:
        client.answer(provider)
    assert caught.value.attempts == 3
    assert [past["kind"] for past in caught.value.retries] == ["connection", "connection"]


def test_the_vendor_names_a_time_that_is_over(client, refuse):
    provider, _ = refuse(("503 Busy", f"retry-after: {formatdate(time.time() - 3600, usegmt=True)}"))
    begun = time.monotonic()
    assert client.answer(provider).attempts == 2
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("said", ["soon", "-5", "", "nan", "1e999", "10 minutes", "0x1", "\xff", "Mon, 99 Foo 2026"])
def test_the_vendor_says_nothing_that_can_be_understood(client, refuse, said):
    """Then the pause is our own."""
    provider, _ = refuse(("503 Busy", f"retry-after: {said}"))
    begun = time.monotonic()
    assert client.answer(provider).attempts == 2
    assert time.monotonic() - begun < 2


def test_the_vendor_says_it_twice(client, refuse):
    """The exact header wins over the coarse one."""
    provider, _ = refuse(("429 Slow down", "retry-after: 60", "retry-after-ms: 20"))
    begun = time.monotonic()
    assert client.answer(provider).attempts == 2
    assert time.monotonic() - begun < 2


def test_the_vendor_wants_too_much(client, refuse):
    """More than two minutes: the program hears of it at once."""
    provider, _ = refuse(("429 Slow down", "retry-after: 86400"))
    begun = time.monotonic()
    with pytest.raises(errors.RateLimitError) as caught:
        client.answer(provider)
    assert time.monotonic() - begun < 2
    assert (caught.value.attempts, caught.value.retry_after, caught.value.is_retryable) == (1, 86400, True)


def test_a_quota_is_not_asked_for_again(client, answers, wire):
    body = b'{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}'
    lines = (f"content-length: {len(body)}", "x-should-retry: true", "retry-after: 0")
    provider, _ = answers(wire.head(*lines, status="HTTP/1.1 429 No", kind="") + body, wire.whole("a"), max_retries=3)
    with pytest.raises(errors.QuotaExceededError) as caught:
        client.text(provider)
    assert caught.value.attempts == 1


@both
def test_a_server_that_comes_up_late(client, hostile, wire, stream):
    """Refused connections are repeated until somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    up = []

    def listen():
        up.append(hostile(lambda visit: (visit.request(), visit.send(wire.whole("up"))), port))

    provider = Provider("m", api_key="k", base_url=f"http://127.0.0.1:{port}/v1", provider="openai",
                        max_retries=20, retry_backoff=0.1, timeout=10)  # fmt: skip
    timer = threading.Timer(0.2, listen)
    timer.start()
    assert client.ask(provider, stream) == "up"
    timer.join()
    assert up[0].connections == 1


def test_max_retries_of_a_call_counts_over_the_providers(client, refuse):
    provider, _ = refuse(*[("503 Busy",)] * 20, max_retries=1)
    for retries, attempts in ((3, 4), (0, 1), (None, 2)):
        with pytest.raises(errors.ServiceUnavailableError) as caught:
            client.text(provider, max_retries=retries)
        assert caught.value.attempts == attempts


FAILURES = {
    "a reset": lambda visit, wire: visit.reset(),
    "a close": lambda visit, wire: None,
    "half a header": lambda visit, wire: visit.send(b"HTTP/1.1 200 OK\r\nx:"),
    "a header and no more": lambda visit, wire: visit.send(wire.head()),
    "comments and the end": lambda visit, wire: visit.send(wire.head(), b": hello\n\n" * 100),
    "a role and the end": lambda visit, wire: visit.send(wire.head(), wire.piece("")),
    "an overload as first event": lambda visit, wire: visit.send(
        wire.head(), b'data: {"error":{"message":"busy","code":503}}\n\n'
    ),
    "an overload in a 200": lambda visit, wire: visit.send(
        wire.head(kind="application/json"), b'{"error":{"message":"busy.","code":"529"}}'
    ),
    "a clock": lambda visit, wire: visit.wait_for_leave(),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_what_fails_before_the_first_piece_is_repeated(client, connect, wire, failure):
    """Nothing of the attempt that failed is seen, but its report."""

    def behave(visit):
        visit.request()
        if visit.number < 3:
            failure(visit, wire)
        else:
            visit.send(wire.head(), wire.piece("at last", "stop"), wire.done)

    clocks = Timeouts(first_token=0.3, total=10)
    provider, server = connect(behave, timeouts=clocks, max_retries=2, retry_backoff=0.01)
    given = client.events(provider)
    assert [type(event).__name__ for event in given][:2] == ["RetryEvent"] * 2
    assert [event.text for event in given if isinstance(event, events.TextDelta)] == ["at last"]
    assert sum(isinstance(event, events.StartEvent) for event in given) == 1
    assert server.connections == 3


VISIBLE = {
    "text": {"content": "a"},
    "reasoning": {"reasoning": "a"},
    "a refusal": {"refusal": "a"},
    "a tool call": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}]},
}


ENDS = [(VISIBLE["text"], end) for end in ("close", "reset", "overload", "clock")]
ENDS += [(delta, "close") for delta in VISIBLE.values()]


@pytest.mark.parametrize(("delta", "end"), ENDS, ids=[*(f"text-{end}" for _, end in ENDS[:4]), *VISIBLE])
def test_nothing_is_repeated_after_the_first_piece(client, connect, wire, delta, end):
    def behave(visit):
        visit.request()
        event = {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        visit.send(wire.head(), b"data: " + json.dumps(event).encode() + b"\n\n", pause=0.02)
        if end == "reset":
            visit.reset()
        elif end == "overload":
            visit.send(b'data: {"error":{"message":"busy","code":503}}\n\n')
        elif end == "clock":
            visit.wait_for_leave()

    provider, server = connect(behave, timeouts=Timeouts(idle=0.2), max_retries=5, retry_backoff=0.01)
    with pytest.raises(errors.PyAgentError) as caught:
        client.events(provider)
    assert (caught.value.attempts, server.connections) == (1, 1)
