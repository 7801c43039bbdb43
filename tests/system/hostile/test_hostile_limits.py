"""Answers that are far too large, endless, or packed small: they fit in bounded memory or are refused.

Each client is a process of its own, so that its peak of resident memory is that of one answer.
"""

from __future__ import annotations

import time
import zlib

import pytest

MIB = 1 << 20


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

    (said,), peak = alone(behave, "client.pieces(provider, timeouts=Timeouts(first_token=1))")
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
    sent = []

    def behave(visit):
        visit.request()
        visit.send(wire.head())
        while True:
            visit.send(wire.piece("x" * 1000))
            sent.append(time.monotonic())

    program = "stream = client.stream(provider); print(len(next(stream))); client.pause(1); stream.close()"
    printed, peak = alone(behave, program)
    assert printed == ["1000"]
    assert peak < 150
    assert len(sent) < 40_000, "the server is held back after some megabytes"
    assert [moment for moment in sent if sent[-1] - 1 < moment < sent[-1] - 0.3] == [], "and stays so"
