"""Servers that compress whatever the request says: pieces at once, bombs and lies as errors."""

from __future__ import annotations

import functools
import gzip
import threading
import zlib

import pytest
from cases import both

from pyagent import Limits, errors

WINDOWS = {"gzip": 31, "deflate": 15}
each = pytest.mark.parametrize("encoding", WINDOWS)


@each
def test_each_piece_arrives_when_it_is_sent(client, connect, wire, encoding):
    """The server sends a piece when the one before it was read: whatever holds a piece back ends in a timeout."""
    taken = threading.Semaphore(1)

    def behave(visit):
        visit.request()
        packer = zlib.compressobj(wbits=WINDOWS[encoding])
        visit.send(wire.head(f"content-encoding: {encoding}", "transfer-encoding: chunked"))
        for number in range(5):
            assert taken.acquire(timeout=5)
            event = wire.piece(f"{number} ")
            visit.send(wire.chunk(packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH)))
        last = packer.compress(wire.piece("end", "stop") + wire.done) + packer.flush()
        visit.send(wire.chunk(last) + wire.end)

    stream, pieces = client.stream(connect(behave)[0]), []
    while len(pieces) < 6:
        pieces.append(next(stream))
        taken.release()
    assert "".join(pieces) == "0 1 2 3 4 end"


@functools.cache
def bomb(encoding):
    packer = zlib.compressobj(9, wbits=WINDOWS[encoding])
    zeros = bytes(16 << 20)
    return b"".join(packer.compress(zeros) for _ in range(16)) + packer.flush()


@each
@pytest.mark.memory(100)
def test_a_bomb_as_a_body(client, connect, wire, encoding):
    """256 MB that weigh 256 kB."""
    packed = bomb(encoding)

    def behave(visit):
        visit.request()
        head = wire.head(f"content-encoding: {encoding}", f"content-length: {len(packed)}", kind="application/json")
        visit.send(head + packed)

    with pytest.raises(errors.LimitExceededError, match="body_bytes"):
        client.answer(connect(behave, limits=Limits(body_bytes=4 << 20))[0])


@each
@pytest.mark.memory(200)
def test_a_bomb_as_an_event(client, connect, wire, encoding):
    packer = zlib.compressobj(9, wbits=WINDOWS[encoding])
    packed = packer.compress(b"data: ") + packer.compress(b"x" * (64 << 20)) + packer.flush()

    def behave(visit):
        visit.request()
        visit.send(wire.head(f"content-encoding: {encoding}", f"content-length: {len(packed)}") + packed)

    with pytest.raises(errors.LimitExceededError, match="event_bytes"):
        client.pieces(connect(behave, limits=Limits(event_bytes=1 << 20))[0])


@both
def test_a_body_that_is_not_what_it_claims(client, connect, wire, stream):
    def behave(visit):
        visit.request()
        visit.send(wire.whole("plain", "content-encoding: gzip"))

    provider, _ = connect(behave)
    with pytest.raises(errors.ResponseParseError, match="content encoding gzip"):
        client.ask(provider, stream)


def test_a_stream_that_breaks_off(client, connect, wire):
    packed = gzip.compress(wire.piece("never seen whole" * 1000, "stop") + wire.done)

    def behave(visit):
        visit.request()
        visit.send(wire.head("content-encoding: gzip") + packed[: len(packed) // 2])

    with pytest.raises(errors.APIConnectionError):
        client.pieces(connect(behave)[0])


def test_a_refusal_is_decoded(client, connect, wire):
    packed = gzip.compress(b'{"error":{"message":"Not like this."}}')

    def behave(visit):
        visit.request()
        lines = ["content-encoding: gzip", f"content-length: {len(packed)}"]
        visit.send(wire.head(*lines, status="HTTP/1.1 400 Bad") + packed)

    with pytest.raises(errors.BadRequestError, match="Not like this"):
        client.answer(connect(behave)[0])
