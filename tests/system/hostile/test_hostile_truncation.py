"""Answers that break off: wherever and however they end early, a cut answer is never taken for a whole one."""

from __future__ import annotations

import time

import pytest
from cases import both
from wire import Wire

from pyagent import errors


# Where a stream is cut: the bytes that come before it, and the text that has arrived by then.
def cuts(wire):
    chunked, event, last = wire.head("transfer-encoding: chunked"), wire.piece("half of "), wire.piece("it", "stop")
    whole = chunked + wire.chunk(event)
    return {
        "in the status line": (b"HTTP/1.1 20", None),
        "in the header": (b"HTTP/1.1 200 OK\r\ncontent-ty", None),
        "after the header": (chunked, ""),
        "in the size of a chunk": (whole + b"4", "half of "),
        "after the size of a chunk": (whole + b"4f\r\n", "half of "),
        "in a chunk": (whole + b"4f\r\ndata: {", "half of "),
        "between two chunks": (whole, "half of "),
        "in an event": (chunked + wire.chunk(event + last[:20]), "half of "),
        "in a character": (chunked + wire.chunk(event + wire.piece("ü")[:-30] + b"\xc3"), "half of "),
        "after an event without its blank line": (chunked + wire.chunk(event[:-1]), "half of "),
    }


CUTS = list(cuts(Wire))


@pytest.mark.parametrize("end", ["close", "reset", "half-close"])
@pytest.mark.parametrize("where", CUTS)
def test_a_stream_cut(client, connect, wire, where, end):
    start, text = cuts(wire)[where]

    def behave(visit):
        visit.request()
        visit.send(start)
        if end == "half-close":
            visit.half_close()
            visit.wait_for_leave()
        elif end == "reset":
            time.sleep(0.05)  # a reset overtakes what was sent
            visit.reset()

    with pytest.raises(errors.APIConnectionError) as caught:
        client.pieces(connect(behave)[0])
    assert isinstance(caught.value, errors.StreamInterruptedError) is (text is not None)
    assert caught.value.partial_text == (text or "")
    assert caught.value.is_retryable


COMPLETE = {"before [DONE]": 0, "in [DONE]": 9, "before the last chunk": None}  # how much of [DONE] comes


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("where", COMPLETE)
def test_a_stream_cut_after_its_finish_reason_is_whole(client, connect, wire, where, end):
    body = wire.chunk(wire.piece("all of it", "stop")) + wire.chunk(wire.done)[: COMPLETE[where]]

    def behave(visit):
        visit.request()
        visit.send(wire.head("transfer-encoding: chunked") + body, pause=0.05)
        if end == "reset":
            visit.reset()

    stream = client.stream(connect(behave)[0])
    assert list(stream) == ["all of it"]
    assert stream.result.finish_reason == "stop"


def test_a_stream_cut_at_every_byte_is_whole_or_an_error(client, connect, wire):
    """However it is cut: the text is never shorter than it should be without an exception that has it."""
    answer = wire.head() + wire.piece("one ") + wire.piece("two") + wire.piece("", "stop") + wire.done
    provider, _ = connect(lambda visit: (visit.request(), visit.send(answer[: visit.number])))
    whole = len(answer) - len(wire.done) - len(b"\n\n")  # the finish reason is complete without the line's end
    for cut in range(1, len(answer)):
        (outcome,) = client.outcomes([client.stream(provider)])
        if cut >= whole:
            assert outcome == "one two"
        else:
            assert isinstance(outcome, errors.APIConnectionError)
            assert outcome.partial_text in {"", "one ", "one two"}


def test_a_whole_answer_cut_at_every_byte_is_an_error(client, connect, wire):
    answer = wire.whole("one two")
    provider, _ = connect(lambda visit: (visit.request(), visit.send(answer[: visit.number])))
    for _ in range(1, len(answer)):
        with pytest.raises(errors.APIConnectionError):
            client.text(provider)
    assert client.text(provider) == "one two"


def test_a_whole_answer_without_a_length_that_is_cut(client, connect, wire):
    """Nothing but its JSON says that it is not complete."""
    body = wire.whole("one two").partition(b"\r\n\r\n")[2]
    head = wire.head(kind="application/json")
    provider, _ = connect(lambda visit: (visit.request(), visit.send(head + body[: visit.number])))
    for _ in range(1, len(body)):
        with pytest.raises((errors.ResponseParseError, errors.StreamInterruptedError)):
            client.text(provider)
    assert client.text(provider) == "one two"


def test_a_length_that_is_too_small(client, answers, wire):
    """The rest of the answer must not become the beginning of the next one."""
    cut = wire.whole("mine").replace(b"content-length: 1", b"content-length:  ")
    provider, server = answers(cut, wire.whole("next"))
    with pytest.raises((errors.ResponseParseError, errors.StreamInterruptedError)):
        client.text(provider)
    assert client.text(provider) == "next"
    assert server.connections == 2


def test_a_length_that_is_too_large(client, connect, wire):
    """The answer is complete as JSON, but not as HTTP: the server promised more, so it was cut."""
    answer = wire.whole("mine").replace(b"content-length: 1", b"content-length: 9")

    def behave(visit):
        visit.request()
        visit.send(answer)

    with pytest.raises(errors.StreamInterruptedError):
        client.text(connect(behave)[0])


def test_a_server_that_stops_listening_in_the_middle_of_the_request(client, connect):
    def behave(visit):
        visit.connection.recv(100)
        visit.reset()

    provider, _ = connect(behave)
    with pytest.raises(errors.APIConnectionError, match=r"reset|closed"):
        client.text(provider, "x" * 3_000_000)


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


@both
def test_a_reset_instead_of_an_answer(client, connect, stream):
    def behave(visit):
        visit.request()
        visit.reset()

    provider, server = connect(behave)
    with pytest.raises(errors.APIConnectionError, match="reset") as caught:
        client.ask(provider, stream)
    assert caught.value.is_retryable
    assert (caught.value.attempts, server.connections) == (1, 1)


def test_a_reset_in_the_middle(client, connect, wire):
    def behave(visit):
        visit.request()
        visit.send(wire.head(), wire.piece("half of "), pause=0.1)
        visit.reset()

    provider, server = connect(behave, max_retries=2)
    stream = client.stream(provider)
    assert next(stream) == "half of "
    with pytest.raises(errors.StreamInterruptedError, match="reset") as caught:
        next(stream)
    assert caught.value.partial_text == "half of "
    assert server.connections == 1, "after the first piece nothing is asked for again"


@both
def test_a_connection_that_closes_without_an_answer(client, connect, wire, stream):
    """A new connection is no stale one: the request is repeated only where retries are allowed."""
    good = wire.head() + wire.piece("ok", "stop") + wire.done if stream else wire.whole("ok")

    def behave(visit):
        visit.request()
        if visit.number > 1:
            visit.send(good)

    provider, server = connect(behave)
    with pytest.raises(errors.APIConnectionError, match="closed the connection without an answer"):
        client.ask(provider, stream)
    assert server.connections == 1
    assert client.ask(provider, stream) == "ok"

    provider, server = connect(behave, max_retries=1)
    assert client.ask(provider, stream) == "ok"
    assert server.connections == 2
