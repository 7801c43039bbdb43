"""Bytes as no well-behaved server sends them: cut anywhere, ended by anything, encoded, mislabelled, or no answer."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from pyagent import Limits, Provider, errors

TEXT = "Grüße, 世界 🌍! "


def bytes_of(data):
    return [data[i : i + 1] for i in range(len(data))]


def test_one_byte_at_a_time(client, serve, wire):
    body = wire.piece(TEXT) + wire.piece("end", "stop") + wire.done
    provider = serve(*bytes_of(wire.head("transfer-encoding: chunked")), *map(wire.chunk, bytes_of(body)), wire.end)
    stream = client.stream(provider)
    assert list(stream) == [TEXT, "end"]
    assert stream.result.finish_reason == "stop"


def test_one_byte_at_a_time_without_a_stream(client, serve, wire):
    assert client.text(serve(*bytes_of(wire.whole(TEXT)))) == TEXT


def test_a_character_cut_between_segments(client, serve, wire):
    event = wire.piece("🌍")
    cuts = [event.index("🌍".encode()) + offset for offset in (1, 2, 3)]
    parts = [event[begin:end] for begin, end in zip([0, *cuts], [*cuts, None])]
    provider = serve(wire.head(), *parts, wire.piece("", "stop"), wire.done, pause=0.02)
    assert client.pieces(provider) == ["🌍"]


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


def test_http_1_0(client, serve, wire):
    old = wire.head(status="HTTP/1.0 200 OK")
    assert client.pieces(serve(old, wire.piece("a"), wire.piece("b", "stop"), wire.done)) == ["a", "b"]
    body = wire.whole("c").partition(b"\r\n\r\n")[2]
    assert client.text(serve(wire.head(status="HTTP/1.0 200 OK", kind="application/json"), body)) == "c"


def test_a_finish_reason_is_an_end(client, serve, wire):
    stream = client.stream(serve(wire.head(), wire.piece("a"), wire.piece("b", "length")))
    assert list(stream) == ["a", "b"]
    assert stream.result.finish_reason == "length"


def test_done_alone_is_an_end(client, serve, wire):
    stream = client.stream(serve(wire.head(), wire.piece("a"), wire.done))
    assert list(stream) == ["a"]


@pytest.mark.parametrize("form", ["close", "chunked", "http/1.0", "length"])
def test_a_clean_end_of_the_body_is_no_end_of_the_answer(client, serve, wire, form):
    event = wire.piece("half of ")
    answers = {
        "close": [wire.head(), event],
        "chunked": [wire.head("transfer-encoding: chunked"), wire.chunk(event), wire.end],
        "http/1.0": [wire.head(status="HTTP/1.0 200 OK"), event],
        "length": [wire.head(f"content-length: {len(event)}"), event],
    }
    stream = client.stream(serve(*answers[form]))
    assert next(stream) == "half of "
    with pytest.raises(errors.StreamInterruptedError) as caught:
        next(stream)
    assert caught.value.partial_text == "half of "
    assert caught.value.is_retryable


@pytest.mark.parametrize("stream", [False, True], ids=["generate", "stream"])
def test_a_body_shorter_than_promised(client, serve, wire, stream):
    body = wire.piece("half of ") if stream else wire.whole("x").partition(b"\r\n\r\n")[2][:-5]
    provider = serve(wire.head("content-length: 5000"), body)
    with pytest.raises(errors.StreamInterruptedError, match="closed in the middle of the answer"):
        client.ask(provider, stream)


def test_chunk_sizes_that_are_no_numbers(client, serve, wire):
    provider = serve(wire.head("transfer-encoding: chunked"), wire.chunk(wire.piece("a")), b"what?\r\n")
    with pytest.raises(errors.APIConnectionError) as caught:
        client.pieces(provider)
    assert caught.value.partial_text == "a"


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


@pytest.mark.parametrize("early", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"])
def test_answers_before_the_answer(client, serve, wire, early):
    assert client.text(serve(early * 3, wire.whole("a"))) == "a"
    body = wire.piece("a", "stop") + wire.done
    assert client.pieces(serve(early, wire.head(), body, pause=0.01)) == ["a"]


@pytest.mark.parametrize("after", [b"garbage that is no event", b"data: {broken\n\n", b"\x00" * 4_000_000], ids=len)
def test_bytes_after_done(client, serve, wire, after):
    provider = serve(wire.head(), wire.piece("a", "stop") + wire.done, after)
    stream = client.stream(provider)
    assert list(stream) == ["a"]
    assert stream.result.finish_reason == "stop"


def test_text_that_is_not_unicode(client, serve, wire):
    """A broken byte becomes the replacement character; it neither ends the answer nor raises."""
    event = wire.piece("a?b", "stop").replace(b"?", b"\xff")
    assert client.pieces(serve(wire.head(), event, wire.done)) == ["a\ufffdb"]
    assert client.text(serve(wire.whole("a?b").replace(b"?", b"\xff"))) == "a\ufffdb"


def test_half_a_surrogate_pair(client, serve, wire):
    event = wire.piece("a?b", "stop").replace(b"?", b"\\ud83d")
    assert client.pieces(serve(wire.head(), event, wire.done)) == ["a\ufffdb"]


NO_ANSWERS = {
    "html": b"<html><body>Please log in</body></html>",
    "text": b"It works!",
    "empty": b"",
    "list": b"[]",
    "object": b'{"object":"chat.completion"}',
    "null": b"null",
    "cut": b'{"choices":[{"message":{"content":"half of ',
}


@pytest.mark.parametrize("stream", [False, True], ids=["generate", "stream"])
@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_a_200_that_is_no_answer(client, serve, wire, body, stream):
    provider = serve(wire.head(f"content-length: {len(body)}", kind="text/html"), body)
    with pytest.raises((errors.ResponseParseError, errors.StreamInterruptedError)) as caught:
        client.ask(provider, stream)
    assert caught.value.message
    if body.startswith(b"<html"):
        assert "Please log in" in f"{caught.value} {caught.value.body}", "the page says what is wrong"


@pytest.mark.parametrize("stream", [False, True], ids=["generate", "stream"])
def test_an_error_object_in_a_200(client, serve, wire, stream):
    body = json.dumps({"error": {"message": "The model is loading", "type": "server_error", "code": 503}}).encode()
    provider = serve(wire.head(f"content-length: {len(body)}", kind="application/json"), body)
    with pytest.raises(errors.APIStatusError, match="The model is loading"):
        client.ask(provider, stream)


def test_an_error_in_the_middle_of_a_stream(client, serve, wire):
    event = b'data: {"error":{"message":"Upstream went away","code":502}}\n\n'
    stream = client.stream(serve(wire.head(), wire.piece("half of "), event))
    assert next(stream) == "half of "
    with pytest.raises(errors.PyAgentError, match="Upstream went away") as caught:
        next(stream)
    assert caught.value.partial_text == "half of "


def test_a_whole_answer_where_a_stream_was_asked_for(client, serve, wire):
    stream = client.stream(serve(wire.whole("all at once")))
    assert list(stream) == ["all at once"]
    assert stream.result.finish_reason == "stop"


def test_a_redirect_to_another_origin_is_not_followed(client, hostile, serve, wire):
    elsewhere = hostile(lambda visit: visit.send(wire.whole("stolen")))
    with pytest.raises(errors.APIStatusError, match="redirect") as caught:
        client.text(serve(wire.head(f"location: {elsewhere.url}/x?token=1", status="HTTP/1.1 307 Moved")))
    assert caught.value.status_code == 307
    assert str(elsewhere.port) in str(caught.value)
    assert elsewhere.connections == 0


@pytest.mark.parametrize("stream", [False, True], ids=["generate", "stream"])
def test_a_redirect_within_the_origin_is_followed(client, connect, wire, stream):
    asked = []

    def behave(visit):
        while True:
            head, body = visit.request()
            asked.append((head.split(" ")[1], "Bearer k" in head, body["model"]))
            if len(asked) == 1:
                visit.send(wire.head("location: /v2/chat", "content-length: 0", status="HTTP/1.1 308 Moved"))
            else:
                visit.send(wire.whole("there"))

    provider, server = connect(behave)
    assert client.ask(provider, stream) == "there"
    assert asked == [("/v1/chat/completions", True, "m"), ("/v2/chat", True, "m")]
    assert server.connections == 1


def test_a_redirect_in_a_circle(client, connect, wire):
    def behave(visit):
        while True:
            visit.request()
            visit.send(wire.head("location: ?again", "content-length: 0", status="HTTP/1.1 307 Moved"))

    provider, _server = connect(behave)
    with pytest.raises(errors.LimitExceededError, match=r"limits\.redirects"):
        client.text(provider, limits=Limits(redirects=2))


def test_a_key_does_not_go_to_a_public_address_in_the_clear():
    with pytest.raises(errors.ConfigurationError, match="allow_http") as caught:
        Provider("m", api_key="sk-secret-1", base_url="http://203.0.113.7/v1", provider="openai").generate_text("x")
    assert caught.value.param == "base_url"
    assert "http://203.0.113.7" in str(caught.value)
    assert "sk-secret" not in str(caught.value)


def test_a_header_without_end(client, serve, wire):
    provider = serve(wire.head("x-padding: " + "x" * 2_000_000), limits=Limits(header_bytes=100_000))
    with pytest.raises(errors.LimitExceededError, match="header_bytes"):
        client.text(provider)


def test_not_http(client, serve):
    with pytest.raises(errors.APIConnectionError, match="HTTP"):
        client.text(serve(b"220 mail.example.com ESMTP\r\n"))
