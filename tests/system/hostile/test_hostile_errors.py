"""Servers that say no, in every status and shape, or say yes and mean no."""

from __future__ import annotations

import gzip
import json
import time

import pytest
from cases import both

from pyagent import Limits, Provider, Timeouts, errors

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


def refusal(wire, status, body, *lines, kind="application/json"):
    return wire.head(f"content-length: {len(body)}", *lines, status=f"HTTP/1.1 {status}", kind=kind) + body


def test_every_status_has_a_class(client, connect, wire):
    """300 to 599, also those that nobody has defined: an error of the right family, never a bug of pyagent."""
    statuses = iter(range(300, 600))
    body = b'{"error":{"message":"No."}}'

    def behave(visit):
        status = 300
        while status != 304:  # it has no body, so that what is sent ends the connection
            visit.request()
            status = next(statuses)
            visit.send(refusal(wire, f"{status} Said so", body))

    provider, _ = connect(behave)
    for status in range(300, 600):
        with pytest.raises(errors.PyAgentError) as caught:
            client.text(provider)
        assert not isinstance(caught.value, errors.InternalError)
        if status in {408, 499, 504, 522, 524}:
            assert isinstance(caught.value, errors.APIConnectionError)
        elif status >= 400:
            assert isinstance(caught.value, errors.InternalServerError) is (status >= 500 or status == 498)
            assert isinstance(caught.value, errors.APIStatusError)
        assert caught.value.status_code == status
        assert caught.value.attempts == 1


def test_what_the_vendor_says_is_on_the_error(client, serve, wire):
    body = b'{"error":{"message":"No such tool.","type":"invalid_request_error","param":"tools[3]","code":"bad_tool"}}'
    with pytest.raises(errors.BadRequestError) as caught:
        client.text(serve(refusal(wire, "400 Bad", body, "x-request-id: r-7")))
    error = caught.value
    assert (error.message, error.code, error.param, error.request_id) == (
        "No such tool.",
        "bad_tool",
        "tools[3]",
        "r-7",
    )
    assert (error.status_code, error.provider, error.model, error.body) == (400, "openai", "m", body.decode())


SHAPES = {
    "a string": b'{"error": "Out of luck"}',
    "a list": b'[{"error": {"message": "Out of luck"}}]',
    "errors": b'{"errors": [{"message": "Out of luck"}]}',
    "detail": b'{"detail": [{"msg": "Out of luck"}]}',
    "nested": b'{"error": {"message": {"error": {"message": "Out of luck"}}}}',
    "words": b"Out of luck",
    "latin-1": b"Out of luck \xe4\xf6\xfc",
    "blank lines first": b'\n\n  {"message": "Out of luck"}',
}


@both
@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_shapes_of_error_bodies(client, serve, wire, body, stream):
    with pytest.raises(errors.InternalServerError, match="Out of luck"):
        client.ask(serve(refusal(wire, "500 Oh", body)), stream)


@both
def test_an_empty_error_body(client, serve, wire, stream):
    with pytest.raises(errors.ServiceUnavailableError) as caught:
        client.ask(serve(refusal(wire, "503 Down", b"")), stream)
    assert "503" in str(caught.value)


@both
def test_a_proxys_page(client, serve, wire, stream):
    """HTML under an error status, under any content type, in any size: its beginning is shown, no more."""
    page = b"<!DOCTYPE html><html><title>502 Bad gateway | example</title>" + b"<p>x</p>" * 100_000
    with pytest.raises(errors.ServiceUnavailableError, match="Bad gateway") as caught:
        client.ask(serve(refusal(wire, "502 Bad", page, kind="application/json")), stream)
    assert len(str(caught.value)) < 1000
    assert len(caught.value.body) <= 64 * 1024


def test_an_error_body_of_megabytes(client, serve, wire):
    body = b'{"error":{"message":"' + b"x" * 8_000_000 + b'"}}'
    with pytest.raises(errors.BadRequestError) as caught:
        client.text(serve(refusal(wire, "400 Bad", body)))
    assert len(caught.value.body) <= 64 * 1024
    assert len(str(caught.value)) < 2_000_000


def test_an_error_body_that_never_comes(client, connect, wire):
    """The status is known, but the clock decides: a server that hangs is a server that hangs."""

    def behave(visit):
        visit.request()
        visit.send(wire.head("content-length: 100", status="HTTP/1.1 500 Oh"))
        visit.wait_for_leave()

    begun = time.monotonic()
    with pytest.raises(errors.APITimeoutError):
        client.text(connect(behave, timeouts=Timeouts(total=0.3))[0])
    assert time.monotonic() - begun < 3


def test_an_error_body_that_is_cut(client, serve, wire):
    """What has come of it is better than that the connection broke."""
    body = b'{"error":{"message":"Out of luck'
    with pytest.raises(errors.InternalServerError, match="Out of luck"):
        client.text(serve(wire.head("content-length: 100", status="HTTP/1.1 500 Oh"), body))


def test_an_error_body_in_chunks_and_compressed(client, serve, wire):
    packed = gzip.compress(b'{"error":{"message":"Out of luck"}}')
    head = wire.head("content-encoding: gzip", "transfer-encoding: chunked", status="HTTP/1.1 403 No")
    with pytest.raises(errors.PermissionDeniedError, match="Out of luck"):
        client.text(serve(head, *(wire.chunk(packed[i : i + 1]) for i in range(len(packed))), wire.end))


@both
def test_json_of_any_depth(client, serve, wire, stream):
    for status, kind in (("200 OK", errors.ResponseParseError), ("400 Bad", errors.BadRequestError)):
        for body in (b"[" * 500_000, b'{"error":' * 100_000 + b"1" + b"}" * 100_000, b'{"choices":' + b"[" * 100_000):
            with pytest.raises(kind):
                client.ask(serve(refusal(wire, status, body)), stream)
    with pytest.raises(errors.ResponseParseError):
        client.pieces(serve(wire.head(), b"data: " + b'{"choices":[' * 100_000 + b"\n\n"))


def test_numbers_of_any_size(client, serve, wire):
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":1e400,"completion_tokens":99999999999999999999}}\n\n'
    index = b'data: {"choices":[{"index":-1,"delta":{}},{"index":1e99,"delta":{}}],"created":-1e400}\n\n'
    stream = client.stream(serve(wire.head(), index + usage + wire.piece("a", "stop") + wire.done))
    assert stream.result.text == "a"
    assert stream.result.usage.prompt_tokens is None


def test_fields_of_the_wrong_type(client, serve, wire):
    odd = b'data: {"id":7,"model":{},"created":"x","usage":[],"choices":[{"index":"0","delta":{"content":"a"}}]}\n\n'
    odd += b'data: {"choices":{}}\n\ndata: {"choices":[null]}\n\ndata: {"choices":[{"delta":7}]}\n\n'
    assert client.pieces(serve(wire.head(), odd, wire.piece("b", "stop") + wire.done)) == ["a", "b"]


def test_an_error_event_with_a_name(client, serve, wire):
    event = b'event: error\ndata: {"message":"Overloaded","type":"overloaded_error"}\n\n'
    with pytest.raises(errors.ServiceUnavailableError, match="Overloaded") as caught:
        client.pieces(serve(wire.head(), wire.piece("half of "), event))
    assert caught.value.partial_text == "half of "


def test_an_error_of_one_choice(client, serve, wire):
    event = (
        b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"message":"Gone","code":502}}]}\n\n'
    )
    with pytest.raises(errors.ServiceUnavailableError, match="Gone"):
        client.pieces(serve(wire.head(), wire.piece("a"), event, wire.done))


def test_a_stream_under_an_error_status(client, serve, wire):
    """Some gateways answer 429 with an event stream that has the error in it."""
    event = b'data: {"error":{"message":"Slow down"}}\n\n'
    with pytest.raises(errors.RateLimitError, match="Slow down"):
        client.pieces(serve(wire.head(f"content-length: {len(event)}", status="HTTP/1.1 429 Slow"), event))


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
