"""Text that is hard to carry: broken characters, escapes, NUL, and bodies that are compressed."""

from __future__ import annotations

import gzip
import zlib

import pytest

from pyagent import Provider, errors

TEXT = "Grüße, 世界 🌍! "


def test_a_character_cut_between_segments(client, serve, wire):
    event = wire.piece("🌍")
    cuts = [event.index("🌍".encode()) + offset for offset in (1, 2, 3)]
    parts = [event[begin:end] for begin, end in zip([0, *cuts], [*cuts, None])]
    provider = serve(wire.head(), *parts, wire.piece("", "stop"), wire.done, pause=0.02)
    assert client.pieces(provider) == ["🌍"]


def test_text_that_is_not_unicode(client, serve, wire):
    """A broken byte becomes the replacement character; it neither ends the answer nor raises."""
    event = wire.piece("a?b", "stop").replace(b"?", b"\xff")
    assert client.pieces(serve(wire.head(), event, wire.done)) == ["a\ufffdb"]
    assert client.text(serve(wire.whole("a?b").replace(b"?", b"\xff"))) == "a\ufffdb"


def test_half_a_surrogate_pair(client, serve, wire):
    event = wire.piece("a?b", "stop").replace(b"?", b"\\ud83d")
    assert client.pieces(serve(wire.head(), event, wire.done)) == ["a\ufffdb"]


def gzip_pieces(pieces, kind):
    """Each piece flushed, as a proxy that compresses a live stream does."""
    press = zlib.compressobj(wbits={"gzip": 31, "deflate": 15, "raw deflate": -15}[kind])
    packed = [press.compress(piece) + press.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]
    return [*packed, press.flush()]


@pytest.mark.parametrize("kind", ["gzip", "deflate", "raw deflate"])
def test_a_compressed_stream_that_nobody_asked_for(client, serve, wire, kind):
    packed = gzip_pieces([wire.piece(TEXT), wire.piece("b", "stop"), wire.done], kind)
    head = wire.head(f"content-encoding: {kind.split()[-1]}", "transfer-encoding: chunked")
    provider = serve(head, *map(wire.chunk, packed), wire.end, pause=0.02)
    assert client.pieces(provider) == [TEXT, "b"]


def test_a_compressed_stream_is_given_as_it_comes(hostile, wire):
    def behave(visit):
        visit.request()
        first, *_ = gzip_pieces([wire.piece("first"), b""], "gzip")
        visit.send(wire.head("content-encoding: gzip"), first)
        visit.wait_for_leave()

    stream = Provider("m", api_key="k", base_url=hostile(behave).url, provider="openai", timeout=10).stream("x")
    assert next(stream) == "first"


def test_a_compressed_answer(client, serve, wire):
    body = gzip.compress(wire.whole(TEXT).partition(b"\r\n\r\n")[2])
    head = wire.head("content-encoding: gzip", f"content-length: {len(body)}", kind="application/json")
    assert client.text(serve(head, body)) == TEXT


def test_a_compression_that_is_not_known(client, serve, wire):
    with pytest.raises(errors.ResponseParseError, match="br"):
        client.text(serve(wire.head("content-encoding: br"), b"\x0b\x02\x80"))


def test_a_nul_in_the_text(client, serve, wire):
    """NUL separates deltas inside the library: one in the text must not."""
    body = wire.piece("a\0b") + wire.piece("\0") + wire.piece("c") + wire.piece("\0\0d", "stop") + wire.done
    assert client.pieces(serve(wire.head(), body)) == ["a\0b", "\0", "c", "\0\0d"]
    assert client.text(serve(wire.whole("a\0b\0"))) == "a\0b\0"


def test_a_raw_control_character_in_json(client, serve, wire):
    with pytest.raises(errors.ResponseParseError, match="JSON"):
        client.pieces(serve(wire.head(), wire.piece("a?b", "stop").replace(b"?", b"\0"), wire.done))


def test_line_separators_in_the_text(client, serve, wire):
    """Only CR and LF end a line, whatever Unicode says."""
    text = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\ufeffh"
    assert client.pieces(serve(wire.head(), wire.piece(text), wire.piece("", "stop") + wire.done)) == [text]


def test_escapes_of_every_kind(client, serve, wire):
    event = wire.piece("?", "stop").replace(b"?", rb"\u00fc\ud83c\udf0d\n\t\/\\\"\b\f\r\u0000")
    assert client.pieces(serve(wire.head(), event, wire.done)) == ['ü🌍\n\t/\\"\b\f\r\0']


def test_a_surrogate_pair_over_two_deltas(client, serve, wire):
    """Two halves in two strings are two broken characters: each is replaced, nothing raises."""
    body = wire.piece("?").replace(b"?", rb"\ud83c") + wire.piece("?", "stop").replace(b"?", rb"\udf0d") + wire.done
    assert client.pieces(serve(wire.head(), body)) == ["\ufffd", "\ufffd"]


def test_a_character_cut_between_two_deltas(client, serve, wire):
    body = wire.piece("?").replace(b"?", b"\xf0\x9f") + wire.piece("?", "stop").replace(b"?", b"\x8c\x8d") + wire.done
    given = client.pieces(serve(wire.head(), body))
    assert len(given) == 2
    assert set("".join(given)) == {"\ufffd"}


def test_overlong_and_forbidden_utf8(client, serve, wire):
    for bad in (b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xfe\xff", b"\x80" * 1000):
        event = wire.piece("a?b", "stop").replace(b"?", bad)
        (text,) = client.pieces(serve(wire.head(), event, wire.done))
        assert (text[0], text[-1], set(text[1:-1])) == ("a", "b", {"\ufffd"})
        body = wire.whole("a?b").partition(b"\r\n\r\n")[2].replace(b"?", bad)
        assert client.text(serve(wire.head(kind="application/json"), body)) == text


def test_the_fast_path_sees_what_the_plain_one_sees(client, serve, wire):
    """After a few equal chunks the library takes a short cut; odd ones among them must come out the same."""
    odd = [wire.piece("?").replace(b"?", inside) for inside in (rb"\u0000", b"\xff", rb"\ud83c", rb"\"}]}", b"")]
    body = b"".join(wire.piece("a") * 5 + event for event in odd) + wire.piece("", "stop") + wire.done
    fast = client.pieces(serve(wire.head(), body))
    plain = client.stream(serve(wire.head(), body))
    assert fast == (
        ["a"] * 5 + ["\0"] + ["a"] * 5 + ["\ufffd"] + ["a"] * 5 + ["\ufffd"] + ["a"] * 5 + ['"}]}'] + ["a"] * 5
    )
    assert plain.result.text == "".join(fast)


def test_a_compressed_stream_cut_at_every_byte_of_it(client, hostile, wire):
    packed = b"".join(gzip_pieces([wire.piece("one "), wire.piece("two", "stop"), wire.done], "gzip"))
    cuts = iter(range(1, len(packed)))

    def behave(visit):
        while True:
            visit.request()
            cut = next(cuts)
            visit.send(wire.head("content-encoding: gzip", f"content-length: {len(packed)}") + packed[:cut])
            visit.send(packed[cut:])

    server = hostile(behave)
    provider = Provider("m", api_key="k", base_url=server.url, provider="openai", max_retries=0, timeout=10)
    for _ in range(1, len(packed)):
        assert "".join(client.pieces(provider)) == "one two"


def test_a_compressed_stream_that_is_not(client, serve, wire):
    """Marked as gzip and sent plainly."""
    provider = serve(wire.head("content-encoding: gzip"), wire.piece("a", "stop") + wire.done)
    with pytest.raises(errors.PyAgentError, match="gzip") as caught:
        client.pieces(provider)
    assert not isinstance(caught.value, errors.InternalError)


def test_a_compressed_stream_that_breaks(client, serve, wire):
    first, *_ = gzip_pieces([wire.piece("half of "), b""], "gzip")
    with pytest.raises(errors.ResponseParseError, match="gzip") as caught:
        client.pieces(serve(wire.head("content-encoding: gzip"), first + b"\xff" * 100))
    assert caught.value.partial_text == "half of "


def test_several_compressed_members_in_a_row(client, serve, wire):
    packed = gzip.compress(wire.piece("a")) + gzip.compress(wire.piece("b", "stop") + wire.done)
    assert client.pieces(serve(wire.head("content-encoding: gzip"), packed)) == ["a", "b"]
