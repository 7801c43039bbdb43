"""Where pyagent is better than rusty-agent-sdk on purpose: what was measured there as a fault is right here."""

from __future__ import annotations

import json
import threading
import time

import pytest

from pyagent import Provider, errors

pytestmark = pytest.mark.timeout(60)


def scripted(**script):
    return {"extra_body": {"fake": script}}


def raw_stream(*events, end="\n\n"):
    return "".join(f"data: {event if isinstance(event, str) else json.dumps(event)}{end}" for event in events)


def delta(content, **more):
    return {"choices": [{"index": 0, "delta": {"content": content}, **more}]}


@pytest.mark.parametrize("method", ["generate_text", "stream_text"])
def test_other_threads_run_while_one_waits(vendor, method):
    """There, a second thread got one tick in a second."""
    ticks, ended = [], threading.Event()

    def tick():
        while not ended.wait(0.005):
            ticks.append(time.monotonic())

    ticker = threading.Thread(target=tick)
    ticker.start()
    "".join(getattr(Provider("m"), method)("x", **scripted(text="x", header_delay=0.5)))
    ended.set()
    ticker.join()
    assert len(ticks) > 50


def test_calls_run_side_by_side(vendor):
    provider, begun = Provider("m"), time.monotonic()
    calls = [
        threading.Thread(target=provider.generate_text, args=["x"], kwargs=scripted(header_delay=0.5)) for _ in range(8)
    ]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert time.monotonic() - begun < 2


def test_connections_are_used_again(vendor):
    provider = Provider("m")
    for _ in range(5):
        provider.generate_text("x")
    assert len({request["connection"] for request in vendor.requests()}) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_characters_that_are_cut_stay_whole(vendor, size):
    text = raw_stream(json.dumps(delta("日本語 🌍 é"), ensure_ascii=False), "[DONE]")
    script = {"raw": text, "splits": [size] * (len(text.encode()) // size), "content_type": "text/event-stream"}
    assert "".join(Provider("m").stream_text("x", **scripted(**script))) == "日本語 🌍 é"


@pytest.mark.parametrize("end", ["truncate", "cut", "reset"])
def test_half_an_answer_is_an_error_with_the_half(vendor, end):
    stream = Provider("m").stream_text("x", **scripted(text="one two three", after=2, end=end))
    with pytest.raises(errors.StreamInterruptedError) as caught:
        "".join(stream)
    assert caught.value.partial_text == stream.text == "one two"
    assert len(vendor.requests()) == 1


def test_an_error_inside_the_stream_says_what_the_vendor_said(vendor):
    script = scripted(text="one two", after=1, end="error", error={"message": "The GPU caught fire", "code": 500})
    with pytest.raises(errors.PyAgentError, match="The GPU caught fire") as caught:
        "".join(Provider("m").stream_text("x", **script))
    assert caught.value.partial_text == "one"


@pytest.mark.parametrize("end", ["\r\r", "\r\n\r\n", "\n\n"], ids=["cr", "crlf", "lf"])
def test_every_line_end_is_one(vendor, end):
    body = raw_stream(delta("one "), delta("two", finish_reason="stop"), "[DONE]", end=end)
    script = scripted(raw=body, content_type="text/event-stream")
    assert list(Provider("m").stream_text("x", **script)) == ["one ", "two"]


def test_chunks_without_choices_or_delta_are_passed_over(vendor):
    events = [
        {"choices": []},
        {"id": "c"},
        {"choices": [{"index": 0}]},
        delta("one"),
        delta(None, finish_reason="stop"),
    ]
    script = scripted(raw=raw_stream(*events, "[DONE]"), content_type="text/event-stream")
    assert list(Provider("m").stream_text("x", **script)) == ["one"]


def test_content_null_is_no_error(vendor):
    tools = [{"name": "f", "arguments": {"a": 1}}]
    assert Provider("m").generate_text("x", **scripted(tools=tools)) == ""
    assert Provider("m").generate("x", **scripted(tools=tools)).tool_calls[0].parsed == {"a": 1}
    assert "".join(Provider("m").stream_text("x", **scripted(tools=tools))) == ""


def test_the_finish_reason_outlives_the_usage_chunk(vendor):
    stream = Provider("m").stream_text("x", include_usage=True, **scripted(text="one", finish_reason="length"))
    assert "".join(stream) == "one"
    assert (stream.finish_reason, stream.completion_tokens) == ("length", 1)


@pytest.mark.parametrize("unread", [0, 5000])
def test_dropping_a_stream_stops_the_download_at_once(vendor, unread):
    """There, the connection was open half a second later, and with many unread pieces the drop could hang."""
    script = scripted(pieces=["a"], repeat=1_000_000, delay=0.0 if unread else 0.01, per_write=64)
    stream = Provider("m").stream_text("x", **script)
    assert next(stream) == "a"
    time.sleep(0.2 if unread else 0)
    begun = time.monotonic()
    del stream
    assert time.monotonic() - begun < 0.2
    while (state := vendor.only()["state"]) == "open" and time.monotonic() < begun + 2:
        time.sleep(0.01)
    assert state == "disconnected"
    assert time.monotonic() - begun < 0.5


def test_a_stream_may_take_longer_than_the_timeout(vendor):
    """The timeout bounds each wait, not the whole: its documentation said so, its code did not do so."""
    stream = Provider("m", timeout=0.6).stream_text("x", **scripted(pieces=["a"], repeat=12, delay=0.1))
    begun = time.monotonic()
    assert "".join(stream) == "a" * 12
    assert time.monotonic() - begun > 1


def test_messages_keep_what_they_hold(vendor):
    """It dropped tool_calls, tool_call_id and name, and refused lists of parts."""
    messages = [
        {"role": "user", "name": "ada", "content": [{"type": "text", "text": "Look"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "4"},
    ]
    Provider("m").generate_text(messages=messages)
    assert vendor.only()["body"]["messages"] == messages


def test_retry_after_is_obeyed(vendor):
    begun = time.monotonic()
    fault = {"status": 429, "headers": {"retry-after": "1"}, "key": "wait", "times": 1}
    assert Provider("m", retry_backoff=0.01).generate_text("x", extra_body={"fake": fault}) == "x"
    assert 1 <= time.monotonic() - begun < 4
