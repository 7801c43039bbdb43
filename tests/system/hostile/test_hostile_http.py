"""HTTP/1.1 at its edges: framing that is odd but legal works, framing that is wrong is an error, and neither leaks."""

from __future__ import annotations

import time

import pytest

from pyagent import Limits, errors


def body_of(answer):
    return answer.partition(b"\r\n\r\n")[2]


def test_chunks_in_every_legal_spelling(client, answers, wire):
    body = wire.piece("a", "stop") + wire.done
    size = len(body) - 10
    spelled = b'%X;name=value; quoted="x;y"\r\n' % 10 + body[:10] + b"\r\n"
    spelled += b"000%x \r\n" % size + body[10:] + b"\r\n0;last\r\nx-trailer: 1\r\nx-other: 2\r\n\r\n"
    provider, server = answers(wire.head("Transfer-Encoding:  Chunked") + spelled, wire.whole("b"))
    stream = client.stream(provider)
    assert list(stream) == ["a"]
    assert stream.result.finish_reason == "stop"
    time.sleep(0.05)
    assert client.text(provider) == "b"
    assert server.connections == 1, "trailers were read to their end"


BAD_SIZES = [b"-5", b"zz", b"", b"0x10", b"fffffffffffffffff", b"7fffffffffffffff", b"1 0"]


@pytest.mark.parametrize("size", BAD_SIZES)
def test_chunk_sizes_that_cannot_be(client, answers, wire, size):
    start = wire.chunk(wire.piece("a"))
    provider, _ = answers(wire.head("transfer-encoding: chunked") + start + size + b"\r\n")
    with pytest.raises(errors.PyAgentError) as caught:
        client.pieces(provider, timeout=2)
    assert not isinstance(caught.value, errors.InternalError)
    assert caught.value.partial_text == "a"


def test_chunk_sizes_that_are_no_numbers(client, serve, wire):
    provider = serve(wire.head("transfer-encoding: chunked"), wire.chunk(wire.piece("a")), b"what?\r\n")
    with pytest.raises(errors.APIConnectionError) as caught:
        client.pieces(provider)
    assert caught.value.partial_text == "a"


def test_a_chunk_longer_than_it_says(client, answers, wire):
    event = wire.piece("a")
    provider, _ = answers(wire.head("transfer-encoding: chunked") + wire.chunk(event)[:-2] + b"more\r\n" + wire.end)
    with pytest.raises(errors.APIConnectionError):
        client.pieces(provider)


def test_header_lines_in_old_spellings(client, answers, wire):
    """Line feeds alone, folded values, spaces around values, no reason phrase, a name in capitals."""
    body = body_of(wire.whole("a"))
    head = f"HTTP/1.1 200\nCONTENT-LENGTH:   {len(body)}  \nx-folded: one\n two\nX-Request-ID:r-1\n\n".encode()
    response = client.answer(answers(head + body)[0])
    assert (response.text, response.request_id) == ("a", "r-1")
    assert response.headers["x-folded"] == "one two"


@pytest.mark.parametrize("length", ["-1", "many", "1e3", "99999999999999999999", "0x10"])
def test_lengths_that_cannot_be(client, answers, wire, length):
    provider, _ = answers(wire.head(f"content-length: {length}") + body_of(wire.whole("a")))
    with pytest.raises(errors.PyAgentError) as caught:
        client.text(provider)
    assert not isinstance(caught.value, errors.InternalError)


def test_a_length_that_is_stated_twice(client, answers, wire):
    body = body_of(wire.whole("a"))
    length = f"content-length: {len(body)}"
    assert client.text(answers(wire.head(length, length) + body)[0]) == "a"


def test_chunks_beat_a_length(client, answers, wire):
    head = wire.head("content-length: 3", "transfer-encoding: chunked")
    provider, _ = answers(head + wire.chunk(wire.piece("a", "stop") + wire.done) + wire.end)
    assert client.pieces(provider) == ["a"]


@pytest.mark.parametrize(
    "status", ["204 No Content", "205 Reset", "304 Not Modified", "101 Switching", "299 Odd", "999 No"]
)
@pytest.mark.parametrize("stream", [False, True], ids=["generate", "stream"])
def test_statuses_without_an_answer(client, answers, wire, status, stream):
    provider, _ = answers(wire.head("content-length: 0", status=f"HTTP/1.1 {status}"))
    with pytest.raises(errors.PyAgentError) as caught:
        client.ask(provider, stream)
    assert not isinstance(caught.value, errors.InternalError)


@pytest.mark.parametrize("line", ["HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 abc", "HTTP/2 200", "ICY 200 OK", ""])
def test_status_lines_that_are_none(client, answers, line):
    provider, _ = answers(f"{line}\r\ncontent-length: 0\r\n\r\n".encode())
    with pytest.raises(errors.APIConnectionError):
        client.text(provider)


def test_not_http(client, serve):
    with pytest.raises(errors.APIConnectionError, match="HTTP"):
        client.text(serve(b"220 mail.example.com ESMTP\r\n"))


def test_a_header_line_without_a_name(client, answers):
    with pytest.raises(errors.PyAgentError) as caught:
        client.text(answers(b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n{}")[0])
    assert not isinstance(caught.value, errors.InternalError)


def test_a_header_without_end(client, serve, wire):
    provider = serve(wire.head("x-padding: " + "x" * 2_000_000), limits=Limits(header_bytes=100_000))
    with pytest.raises(errors.LimitExceededError, match="header_bytes"):
        client.text(provider)


@pytest.mark.parametrize("early", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"])
def test_answers_before_the_answer(client, serve, wire, early):
    assert client.text(serve(early * 3, wire.whole("a"))) == "a"
    body = wire.piece("a", "stop") + wire.done
    assert client.pieces(serve(early, wire.head(), body, pause=0.01)) == ["a"]


def test_interim_answers_without_end(client, connect):
    def behave(visit):
        visit.request()
        while True:
            visit.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)

    provider, _server = connect(behave)
    begun = time.monotonic()
    with pytest.raises(errors.LimitExceededError, match="header_bytes"):
        client.text(provider)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("line", [b"a:\n", b"a: b\r\n", b" \n"], ids=["empty", "value", "folded"])
def test_a_megabyte_of_header_lines_costs_little(client, answers, wire, line):
    """The same name a few hundred thousand times: joining the values must not cost the square of their number."""
    head = b"HTTP/1.1 200 OK\r\na:\n" + line * (900_000 // len(line))
    answer = head + wire.whole("a").partition(b"\r\n")[2]
    provider, _ = answers(answer)
    begun = time.process_time()
    assert client.text(provider) == "a"
    assert time.process_time() - begun < 2


def test_http_1_0(client, serve, wire):
    old = wire.head(status="HTTP/1.0 200 OK")
    assert client.pieces(serve(old, wire.piece("a"), wire.piece("b", "stop"), wire.done)) == ["a", "b"]
    body = wire.whole("c").partition(b"\r\n\r\n")[2]
    assert client.text(serve(wire.head(status="HTTP/1.0 200 OK", kind="application/json"), body)) == "c"


def test_http_1_0_closes_unless_it_says_otherwise(client, answers, wire):
    old = [wire.whole("a").replace(b"HTTP/1.1", b"HTTP/1.0") for _ in range(2)]
    provider, server = answers(*old)
    assert [client.text(provider) for _ in old] == ["a", "a"]
    assert server.connections == 2
    kept = [wire.whole("a", "connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0") for _ in range(2)]
    provider, server = answers(*kept)
    assert [client.text(provider) for _ in kept] == ["a", "a"]
    assert server.connections == 1


@pytest.mark.parametrize("line", ["connection: close", "Connection: Close, x"])
def test_close_is_obeyed(client, connect, wire, line):
    def behave(visit):
        visit.request()
        visit.send(wire.whole(f"number {visit.number}", line))
        visit.wait_for_leave()

    provider, server = connect(behave)
    assert [client.text(provider) for _ in range(3)] == ["number 1", "number 2", "number 3"]
    assert server.connections == 3


@pytest.mark.parametrize("late", [False, True], ids=["at once", "later"])
def test_bytes_behind_an_answer_are_no_answer_to_the_next_request(client, connect, wire, late):
    """A second answer that nobody asked for, as after a mistake in a proxy's framing: it could be another user's."""

    def behave(visit):
        visit.request()
        visit.send(wire.whole("mine"), pause=0.1 if late else 0)
        visit.send(wire.whole("someone else's") if visit.number == 1 else b"")
        visit.wait_for_leave()

    provider, server = connect(behave)
    assert client.text(provider) == "mine"
    time.sleep(0.3)
    assert client.text(provider) == "mine"
    assert server.connections == 2


def test_a_goodbye_on_an_idle_connection_is_no_answer(client, connect, wire):
    """Some servers say 408 before they close a connection that was idle for too long."""
    goodbye = wire.head("content-length: 0", "connection: close", status="HTTP/1.1 408 Request Timeout")

    def behave(visit):
        visit.request()
        visit.send(wire.whole("a"), pause=0.1)
        visit.send(goodbye)

    provider, server = connect(behave)
    for _ in range(3):
        assert client.text(provider) == "a"
        time.sleep(0.3)
    assert server.connections == 3


def test_an_error_answer_leaves_the_connection_usable(client, answers, wire):
    refusal = b'{"error":{"message":"No","type":"x"}}'
    head = wire.head(f"content-length: {len(refusal)}", status="HTTP/1.1 400 Bad", kind="application/json")
    provider, server = answers(head + refusal, wire.whole("a"))
    with pytest.raises(errors.BadRequestError, match="No"):
        client.text(provider)
    assert client.text(provider) == "a"
    assert server.connections == 1


def test_a_connection_is_used_again_after_a_stream(client, connect, wire):
    def behave(visit):
        for _ in range(5):
            visit.request()
            body = wire.piece("a", "stop") + wire.done
            visit.send(wire.head("transfer-encoding: chunked"), wire.chunk(body), wire.end)

    provider, server = connect(behave)
    for _ in range(5):
        stream = client.stream(provider)
        assert list(stream) == ["a"]
        time.sleep(0.05)  # what follows [DONE] is read in the background
    assert server.connections == 1


@pytest.mark.memory(200)
def test_a_server_that_answers_and_reads_nothing(client, connect, wire):
    """It refuses a large request after its header and keeps the connection: its answer is heard, not waited away."""
    refusal = b'{"error":{"message":"Too large for me"}}'

    def behave(visit):
        visit.connection.recv(1000)
        head = wire.head(f"content-length: {len(refusal)}", status="HTTP/1.1 413 Too Large", kind="application/json")
        visit.send(head + refusal)
        visit.hold()

    provider, _server = connect(behave)
    with pytest.raises(errors.APIStatusError, match="Too large for me"):
        client.text(provider, "x" * 16_000_000)


def test_an_answer_before_the_request_was_read(client, connect, wire):
    """A server that refuses a large request early is heard."""

    def behave(visit):
        visit.connection.recv(1000)
        body = b'{"error":{"message":"Too large for me"}}'
        head = wire.head(f"content-length: {len(body)}", status="HTTP/1.1 413 Too Large", kind="application/json")
        visit.send(head + body)
        visit.wait_for_leave()

    provider, _ = connect(behave)
    with pytest.raises(errors.APIStatusError, match="Too large for me") as caught:
        client.ask(provider, False, system_prompt="x" * 3_000_000)
    assert caught.value.status_code == 413
