"""Answers that are far too large, endless, or packed small: they fit in bounded memory or are refused.

Most clients are processes of their own, so that the peak of resident memory is that of one answer.
"""

from __future__ import annotations

import json
import time
import zlib

import pytest
from cases import wait_until

from pyagent import Limits, errors

MIB = 1 << 20


@pytest.mark.memory(128)
def test_an_event_of_16_mib(alone, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("x" * 16 * MIB), wire.piece("", "stop"), wire.done)

    printed, peak = alone(behave, "print(len(''.join(client.stream(provider))))")
    assert printed == [str(16 * MIB)]
    assert peak < 800


@pytest.mark.memory(200)
def test_an_answer_of_32_mib(alone, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.whole("x" * 32 * MIB))

    printed, peak = alone(behave, "print(len(client.text(provider)))")
    assert printed == [str(32 * MIB)]
    assert peak < 700


def test_a_long_stream_is_not_kept_twice(alone, wire):
    """64 MiB in pieces of 64 KiB: the text is kept for partial_text, the pieces are not."""

    def behave(visit):
        visit.request()
        visit.send(wire.head(), *[wire.piece("x" * 65536)] * 1024, wire.piece("", "stop"), wire.done)

    printed, peak = alone(behave, "print(sum(map(len, client.stream(provider))))")
    assert printed == [str(64 * MIB)]
    assert peak < 400


def endless(visit):
    while True:
        visit.send(b"x" * 65536)


@pytest.mark.parametrize(
    ("start", "program", "named"),
    [
        (b"data: ", "client.pieces(provider, limits=Limits(event_bytes=1_000_000))", "event_bytes"),
        (b'{"choices": "', "client.answer(provider, limits=Limits(body_bytes=1_000_000))", "body_bytes"),
        (b'{"choices": "', "client.pieces(provider, limits=Limits(body_bytes=1_000_000))", "body_bytes"),
    ],
    ids=["event", "body", "body of a stream"],
)
def test_what_never_ends_is_refused(alone, wire, start, program, named):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), start)
        endless(visit)

    (said,), peak = alone(behave, program)
    assert said.startswith("LimitExceededError")
    assert named in said
    assert "1000000" in said
    assert peak < 120


def test_a_comment_that_never_ends_is_not_kept(alone, wire):
    """It is no event, so no limit is reached; it is no progress either, so the clock runs out."""

    def behave(visit):
        visit.request()
        visit.send(wire.head(), b": ")
        endless(visit)

    (said,), peak = alone(behave, "client.pieces(provider, timeouts=Timeouts(first_token=0.4))")
    assert said.startswith("APITimeoutError")
    assert peak < 120


def test_a_header_that_never_ends_is_refused(alone):
    def behave(visit):
        visit.request()
        visit.send(b"HTTP/1.1 200 OK\r\nx: ")
        endless(visit)

    (said,), peak = alone(behave, "client.answer(provider)")
    assert said.startswith("LimitExceededError")
    assert "header_bytes" in said
    assert peak < 120


def test_an_error_page_that_never_ends_is_cut(alone, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(status="HTTP/1.1 500 Oh", kind="text/html"), b"<html>")
        endless(visit)

    (said,), peak = alone(behave, "client.answer(provider)")
    assert said.startswith("InternalServerError")
    assert len(said) < 2000
    assert peak < 120


@pytest.mark.parametrize("method", ["stream", "generate"])
def test_a_bomb_is_refused(alone, wire, method):
    """A kilobyte of gzip for a megabyte of text, a thousand times: limits count what it unpacks to."""
    press = zlib.compressobj(wbits=31)
    start = press.compress(b"data: " if method == "stream" else b'{"choices": "') + press.flush(zlib.Z_FULL_FLUSH)
    packed = start + (press.compress(b"x" * MIB) + press.flush(zlib.Z_FULL_FLUSH)) * 1024
    assert len(packed) < 2 * MIB

    def behave(visit):
        visit.request()
        visit.send(wire.head("content-encoding: gzip"), packed)

    limits = "limits=Limits(event_bytes=4_000_000, body_bytes=4_000_000)"
    program = f"client.answer(provider, {limits})" if method == "generate" else f"client.pieces(provider, {limits})"
    (said,), peak = alone(behave, program)
    assert said.startswith("LimitExceededError")
    assert peak < 150


def test_a_reader_that_sleeps_slows_the_server_down(alone, wire):
    sent, left = [], []

    def behave(visit):
        visit.request()
        visit.send(wire.head())
        try:
            while True:
                visit.send(wire.piece("x" * 50_000))
                sent.append(time.monotonic())
        finally:
            left.append(time.monotonic())

    lines = ("stream = client.stream(provider)", "print(len(next(stream)))", "client.pause(1.5)", "stream.close()")
    printed, peak = alone(behave, *lines)
    assert printed == ["50000"]
    assert peak < 150
    wait_until(lambda: left)
    assert len(sent) < 800, "the server is held back after some megabytes"
    assert [moment for moment in sent if left[0] - 1 < moment < left[0] - 0.2] == [], "and stays so"


def test_an_event_of_too_many_lines_is_refused(alone, wire):
    """No line is long, and each is empty: what has been read counts all the same."""

    def behave(visit):
        visit.request()
        visit.send(wire.head())
        while True:
            visit.send(b"data: x\n" * 10_000)

    (said,), peak = alone(behave, "client.pieces(provider, limits=Limits(event_bytes=1_000_000))")
    assert said.startswith("LimitExceededError")
    assert "event_bytes" in said
    assert peak < 120


def test_a_field_that_never_ends_is_refused(alone, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), b"id: ")
        endless(visit)

    (said,), peak = alone(behave, "client.pieces(provider, limits=Limits(event_bytes=1_000_000))")
    assert said.startswith("LimitExceededError")
    assert peak < 120


@pytest.mark.parametrize("before", [b"5;", b"", b"0\r\n"], ids=["extension", "size", "trailer"])
def test_a_line_of_a_chunked_body_that_never_ends_is_refused(alone, wire, before):
    def behave(visit):
        visit.request()
        visit.send(wire.head("transfer-encoding: chunked") + before)
        endless(visit)

    (said,), peak = alone(behave, "client.pieces(provider)")
    assert said.startswith(("StreamInterruptedError", "LimitExceededError"))
    assert peak < 120


def test_trailers_without_end_are_refused(alone, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head("transfer-encoding: chunked"), b"0\r\n")
        while True:
            visit.send(b"x-trailer: y\r\n" * 10_000)

    (said,), peak = alone(behave, "client.pieces(provider)")
    assert said.startswith(("StreamInterruptedError", "LimitExceededError"))
    assert peak < 120


def test_header_lines_without_end_are_refused(alone):
    def behave(visit):
        visit.request()
        visit.send(b"HTTP/1.1 200 OK\r\n")
        number = 0
        while True:
            visit.send(b"".join(b"x-%d: y\r\n" % n for n in range(number, number + 1000)))
            number += 1000

    (said,), peak = alone(behave, "client.answer(provider)")
    assert said.startswith("LimitExceededError")
    assert "header_bytes" in said
    assert peak < 160


@pytest.mark.parametrize("length", [1 << 40, (1 << 63) - 1])
def test_a_length_is_not_believed(alone, wire, length):
    """An answer that says it is huge costs what comes of it."""

    def behave(visit):
        visit.request()
        visit.send(wire.head(f"content-length: {length}"), wire.piece("a"))

    (said,), peak = alone(behave, "client.pieces(provider)")
    assert said.startswith("StreamInterruptedError")
    (said,), peak_of_one = alone(behave, "client.text(provider)")
    assert said.startswith("StreamInterruptedError")
    assert max(peak, peak_of_one) < 100


def test_a_chunk_size_is_not_believed(alone, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head("transfer-encoding: chunked") + b"7fffffffffff\r\n" + wire.piece("a"))

    (said,), peak = alone(behave, "client.pieces(provider)")
    assert said.startswith("StreamInterruptedError")
    assert peak < 100


def test_too_many_choices_and_tool_calls_are_refused(alone, wire):
    """One event of a few megabytes must not keep a processor busy for minutes."""
    calls = [{"index": i, "id": f"c{i}", "function": {"name": "f", "arguments": "{}"}} for i in range(50_000)]
    choices = {
        "choices": [{"index": i, "delta": {"content": "x"}} for i in range(50_000)],
        "tool calls": [{"index": 0, "delta": {"tool_calls": calls}}],
    }
    for many in choices.values():
        event = b"data: " + json.dumps({"choices": many}).encode() + b"\n\n"

        def behave(visit, event=event):
            visit.request()
            visit.send(wire.head(), event, wire.piece("a", "stop"), wire.done)

        begun = time.monotonic()
        (said,), peak = alone(behave, "client.pieces(provider)")
        assert said.startswith("LimitExceededError")
        assert peak < 250
        assert time.monotonic() - begun < 8


def test_the_limit_of_a_call_counts_over_the_providers(client, serve, wire):
    provider = serve(wire.head(), wire.piece("x" * 5000), wire.piece("", "stop"), wire.done,
                     limits=Limits(event_bytes=1000))  # fmt: skip
    with pytest.raises(errors.LimitExceededError, match="1000 bytes"):
        client.pieces(provider)
    assert client.pieces(provider, limits=Limits(event_bytes=10_000)) == ["x" * 5000]


def test_what_fits_exactly(client, serve, wire):
    """A limit of as many bytes as there are is no limit; one less is."""
    body = wire.whole("abc").partition(b"\r\n\r\n")[2]
    provider = serve(wire.whole("abc"))
    assert client.text(provider, limits=Limits(body_bytes=len(body))) == "abc"
    with pytest.raises(errors.LimitExceededError, match="body_bytes"):
        client.text(provider, limits=Limits(body_bytes=len(body) - 1))
    event = len(wire.piece("abc", "stop")) - len(b"data: \n\n")
    provider = serve(wire.head(), wire.piece("abc", "stop") + wire.done)
    assert client.pieces(provider, limits=Limits(event_bytes=event)) == ["abc"]
    with pytest.raises(errors.LimitExceededError, match="event_bytes"):
        client.pieces(provider, limits=Limits(event_bytes=event - 1))


def test_a_limit_ends_the_connection(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), b"data: ")
        while True:
            visit.send(b"x" * 65536)

    provider, server = connect(behave)
    with pytest.raises(errors.LimitExceededError):
        client.pieces(provider, limits=Limits(event_bytes=1_000_000))
    wait_until(lambda: server.left)
