"""Event streams as no well-behaved server sends them: cut anywhere, with any line end, and with noise between."""

from __future__ import annotations

import json
import time

import pytest
from cases import bytes_of

from pyagent import Provider, errors

TEXT = "Grüße, 世界 🌍! "


def test_one_byte_at_a_time(client, serve, wire):
    body = wire.piece(TEXT) + wire.piece("end", "stop") + wire.done
    provider = serve(*bytes_of(wire.head("transfer-encoding: chunked")), *map(wire.chunk, bytes_of(body)), wire.end)
    stream = client.stream(provider)
    assert list(stream) == [TEXT, "end"]
    assert stream.result.finish_reason == "stop"


def test_one_byte_at_a_time_without_a_stream(client, serve, wire):
    assert client.text(serve(*bytes_of(wire.whole(TEXT)))) == TEXT


LINE_ENDS = {"cr": b"\r", "crlf": b"\r\n", "lf": b"\n"}


@pytest.mark.parametrize("end", LINE_ENDS.values(), ids=LINE_ENDS)
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
def test_line_ends(client, serve, wire, end, cut):
    body = (wire.piece(TEXT) + b": comment\n\n" + wire.piece("end", "stop") + wire.done).replace(b"\n", end)
    assert client.pieces(serve(wire.head(), *(bytes_of(body) if cut else [body]))) == [TEXT, "end"]


def test_line_ends_of_every_kind_in_one_stream(client, serve, wire):
    body = wire.piece("a").replace(b"\n\n", b"\r\n\n") + wire.piece("b").replace(b"\n\n", b"\n\r")
    body += wire.piece("c").replace(b"\n\n", b"\r\r\n") + wire.piece("d", "stop") + wire.done
    assert client.pieces(serve(wire.head(), body)) == ["a", "b", "c", "d"]


def test_a_byte_order_mark(client, serve, wire):
    body = b"\xef\xbb\xbf" + wire.piece("a", "stop") + wire.done
    assert client.pieces(serve(wire.head(), body)) == ["a"]
    assert client.pieces(serve(wire.head(), *bytes_of(body))) == ["a"]


def test_fields_that_mean_nothing_here(client, serve, wire):
    event = wire.piece("a", "stop").decode().removesuffix("\n\n").removeprefix("data: ")
    first, _, second = event.partition(", ")
    body = (
        f"retry: 10\nid: 7\nevent: message\nunknown: x\nnocolon\ndata:{first},\ndata:{second}\n\n".encode() + wire.done
    )
    assert client.pieces(serve(wire.head(), body)) == ["a"]


def test_the_last_blank_line_is_missing(client, serve, wire):
    body = wire.piece("a", "stop") + b"data: [DONE]"
    assert client.pieces(serve(wire.head(), body)) == ["a"]
    assert client.pieces(serve(wire.head(), (wire.piece("a") + wire.piece("b", "stop")).rstrip())) == ["a", "b"]


@pytest.mark.parametrize("kind", ["", "text/plain", "application/octet-stream", "application/json"])
def test_a_content_type_that_says_nothing(client, serve, wire, kind):
    body = wire.piece("a") + wire.piece("b", "stop") + wire.done
    assert client.pieces(serve(wire.head(kind=kind), body)) == ["a", "b"]
    assert client.text(serve(wire.whole("c").replace(b"application/json", kind.encode() or b"text/html"))) == "c"


def test_a_finish_reason_is_an_end(client, serve, wire):
    stream = client.stream(serve(wire.head(), wire.piece("a"), wire.piece("b", "length")))
    assert list(stream) == ["a", "b"]
    assert stream.result.finish_reason == "length"


def test_done_alone_is_an_end(client, serve, wire):
    stream = client.stream(serve(wire.head(), wire.piece("a"), wire.done))
    assert list(stream) == ["a"]


@pytest.mark.parametrize("after", [b"garbage that is no event", b"data: {broken\n\n", b"\x00" * 4_000_000], ids=len)
def test_bytes_after_done(client, serve, wire, after):
    provider = serve(wire.head(), wire.piece("a", "stop") + wire.done, after)
    stream = client.stream(provider)
    assert list(stream) == ["a"]
    assert stream.result.finish_reason == "stop"


def test_a_whole_answer_where_a_stream_was_asked_for(client, serve, wire):
    stream = client.stream(serve(wire.whole("all at once")))
    assert list(stream) == ["all at once"]
    assert stream.result.finish_reason == "stop"


def test_comments_alone_are_no_answer(client, serve, wire):
    with pytest.raises(errors.StreamInterruptedError, match="terminal signal"):
        client.pieces(serve(wire.head(), b": nothing\n\n" * 100))


def test_comments_between_the_lines_of_an_event(client, serve, wire):
    body = wire.piece("a", "stop").replace(b"data: ", b": one\ndata: ").replace(b"\n\n", b"\n: two\n:\n\n") + wire.done
    assert client.pieces(serve(wire.head(), body)) == ["a"]


def test_empty_data(client, serve, wire):
    body = b"data\n\ndata:\n\ndata: \n\n\n\n\n" + wire.piece("a", "stop") + b"data:\n\n" + wire.done
    assert client.pieces(serve(wire.head(), body)) == ["a"]


def test_field_names_are_exact(client, serve, wire):
    """In capitals, indented or with a space before the colon they are other fields, which nobody knows."""
    stray = b"Data: {broken\n data: {broken\ndata : {broken\ndatas: {broken\n\n"
    assert client.pieces(serve(wire.head(), stray, wire.piece("a", "stop") + wire.done)) == ["a"]


def test_one_space_after_the_colon_is_framing(client, serve, wire):
    for event in (wire.piece("a", "stop").replace(b"data: ", space) for space in (b"data:", b"data:  ", b"data:\t")):
        assert client.pieces(serve(wire.head(), event, b"data:[DONE]\n\n")) == ["a"]


def test_done_with_spaces_around_it(client, serve, wire):
    assert client.pieces(serve(wire.head(), wire.piece("a"), b"data:   [DONE] \n\n")) == ["a"]


def test_an_event_on_many_lines(client, serve, wire):
    """JSON printed prettily, one data field for each line."""
    pretty = json.dumps(json.loads(wire.piece("a", "stop")[6:]), indent=1).encode()
    event = b"".join(b"data: " + line + b"\n" for line in pretty.splitlines()) + b"\n"
    assert event.count(b"data:") > 10
    assert client.pieces(serve(wire.head(), event, wire.done)) == ["a"]
    assert client.pieces(serve(wire.head(), *bytes_of(event), wire.done)) == ["a"]


def test_an_event_on_a_hundred_thousand_lines(client, serve, wire):
    event = wire.piece("a", "stop").replace(b'"choices"', b'\ndata:"choices"' + b"\ndata:" * 100_000)
    event = event.replace(b'"choices"' + b"\ndata:" * 100_000, b"\ndata:" * 100_000 + b'"choices"')
    assert client.pieces(serve(wire.head(), event, wire.done)) == ["a"]


def test_an_event_cut_at_every_byte(client, hostile, wire):
    """The same answer again and again, each time cut in two at another place."""
    body = wire.piece("ü🌍") + wire.piece("b", "stop").replace(b"\n\n", b"\r\n\r\n") + wire.done
    cuts = iter(range(1, len(body)))

    def behave(visit):
        while True:
            visit.request()
            cut = next(cuts)
            visit.send(wire.head(f"content-length: {len(body)}") + body[:cut])
            time.sleep(0.001)
            visit.send(body[cut:])

    server = hostile(behave)
    provider = Provider("m", api_key="k", base_url=server.url, provider="openai", max_retries=0, timeout=10)
    for _ in range(1, len(body)):
        assert client.pieces(provider) == ["ü🌍", "b"]


def test_names_of_events_that_nobody_knows(client, serve, wire):
    """Pings with a name of their own, in JSON, in words or empty, are no part of an answer and no error."""
    pings = b'event: ping\ndata: {"type": "ping"}\n\nevent: ping\ndata: pong\n\nevent: keepalive\ndata\n\nevent: x\n\n'
    body = pings + wire.piece("a") + pings + wire.piece("b", "stop") + pings + wire.done
    assert client.pieces(serve(wire.head(), body)) == ["a", "b"]


def test_a_named_event_with_an_answer_in_it(client, serve, wire):
    assert client.pieces(serve(wire.head(), b"event: completion\n" + wire.piece("a", "stop"), wire.done)) == ["a"]


def test_words_in_place_of_an_event(client, serve, wire):
    with pytest.raises(errors.ResponseParseError, match="upstream gone") as caught:
        client.pieces(serve(wire.head(), wire.piece("half of "), b"data: upstream gone\n\n"))
    assert caught.value.partial_text == "half of "


def test_a_huge_id(client, serve, wire):
    body = b"id: " + b"7" * 1_000_000 + b"\n" + wire.piece("a", "stop").replace(b"c1", b"c" * 1_000_000) + wire.done
    stream = client.stream(serve(wire.head(), body))
    assert list(stream) == ["a"]
    assert len(stream.result.id) == 1_000_000


def test_a_nul_in_an_id(client, serve, wire):
    assert client.pieces(serve(wire.head(), b"id: 1\x002\n" + wire.piece("a", "stop") + wire.done)) == ["a"]


@pytest.mark.parametrize("size", [4095, 4096, 65535, 65536, 65537, 262144])
def test_lines_around_the_size_of_a_buffer(client, serve, wire, size):
    line = wire.piece("x")
    event = wire.piece("x" * (size - len(line) + 1))
    assert len(event) == size
    given = client.pieces(serve(wire.head(), event * 3, wire.piece("", "stop") + wire.done))
    assert list(map(len, given)) == [size - len(line) + 1] * 3


def test_a_hundred_thousand_deltas(client, serve, wire):
    body = wire.piece("ab") * 100_000 + wire.piece("", "stop") + wire.done
    given = client.pieces(serve(wire.head("transfer-encoding: chunked"), wire.chunk(body), wire.end))
    assert (len(given), set(given)) == (100_000, {"ab"})


def test_a_hundred_thousand_chunks_of_one_byte(client, serve, wire):
    body = wire.piece("a" * 99_000, "stop") + wire.done
    given = client.pieces(
        serve(wire.head("transfer-encoding: chunked"), b"".join(map(wire.chunk, bytes_of(body))), wire.end)
    )
    assert "".join(given) == "a" * 99_000


def test_two_answers_in_one_segment(client, serve, wire):
    """What follows [DONE] belongs to nobody."""
    both_of_them = wire.piece("mine", "stop") + wire.done + wire.piece("not mine", "stop") + wire.done
    assert client.pieces(serve(wire.head(), both_of_them)) == ["mine"]


def test_text_after_the_finish_reason(client, serve, wire):
    """Some servers state the reason early: until [DONE] the answer goes on."""
    assert client.pieces(serve(wire.head(), wire.piece("a", "stop") + wire.piece("b") + wire.done)) == ["a", "b"]


def test_blank_lines_before_a_whole_answer(client, serve, wire):
    """Keep-alive of one-shot calls."""
    body = wire.whole("a").partition(b"\r\n\r\n")[2]
    assert client.text(serve(wire.head(kind="application/json"), b"\n" * 10_000, b" \r\n\t" * 1000, body)) == "a"
