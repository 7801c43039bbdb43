"""Keys stay where they belong: in the header of the request, and in no message, body, repr, log or other request."""

from __future__ import annotations

import json
import logging
import pickle
import re
import traceback

import pytest
from wire import Wire

from pyagent import Provider, errors, events

KEYS = ["sk-live-51Hq7xTopSecret", "correct-horse-battery"]  # one that looks like a key, one that is known to be one


def everything(error):
    """All that a program could log of an exception."""
    shown = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    fields = {name: getattr(error, name) for name in ("message", "body", "code", "param", "request_id", "response")}
    return "\n".join([str(error), repr(error), shown, repr(fields), repr(error.args), repr(error.retries),
                      pickle.dumps(error).decode("latin-1")])  # fmt: skip


def places(wire, said):
    """Everywhere in an answer that a careless server might repeat a header of the request."""
    error = json.dumps({"error": {"message": f"Bad key: {said}", "code": said, "param": said, "type": said}}).encode()
    event = b"data: " + error + b"\n\n"
    page = f"<html><pre>{said}</pre></html>".encode()
    return {
        "message": wire.head(f"content-length: {len(error)}", status="HTTP/1.1 401 No") + error,
        "event": wire.head() + wire.piece("a") + event,
        "error in a 200": wire.head(f"content-length: {len(error)}") + error,
        "page": wire.head(f"content-length: {len(page)}", status="HTTP/1.1 403 No", kind="text/html") + page,
        "page in a 200": wire.head(f"content-length: {len(page)}", kind="text/html") + page,
        "words": wire.head(status="HTTP/1.1 500 Oh") + said.encode(),
        "broken json": wire.head() + b'data: {"you said": "' + said.encode() + b"\n\n",
        "header": wire.head(f"x-echo: {said}", f"x-request-id: {said}", "content-length: 0", status="HTTP/1.1 400 Bad"),
        "header of a cut answer": wire.head(f"x-echo: {said}") + wire.piece("a"),
        "status line": f"HTTP/1.1 500 {said}\r\ncontent-length: 0\r\n\r\n".encode(),
        "no http": f"ERR {said}\r\n".encode(),
        "redirect": wire.head(f"location: http://127.0.0.1:1/{said}?key={said}", status="HTTP/1.1 302 Go"),
        "content type": wire.head("content-length: 2", kind=said) + b"no",
        "encoding": wire.head(f"content-encoding: {said}", "content-length: 2") + b"no",
        "length": wire.head(f"content-length: {said}") + b"no",
    }


PLACES = list(places(Wire, ""))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", KEYS, ids=["like a key", "like words"])
def test_a_key_that_is_repeated_to_us(client, connect, wire, key, place, caplog, capfd):
    caplog.set_level(logging.DEBUG)

    def behave(visit):
        head, _ = visit.request()
        assert f"Bearer {key}" in head
        visit.send(places(wire, f"Bearer {key}")[place])

    provider, _ = connect(behave, api_key=key)
    with pytest.raises(errors.PyAgentError) as caught:
        client.pieces(provider)
    assert key not in everything(caught.value)
    assert key not in repr(provider)
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_a_key_of_one_call(client, connect, wire):
    """It is as secret as the Provider's."""
    provider, _ = connect(lambda visit: visit.send(places(wire, key_of(visit))["message"]), api_key="other")
    with pytest.raises(errors.AuthenticationError) as caught:
        client.text(provider, api_key=KEYS[1])
    assert KEYS[1] not in everything(caught.value)


def key_of(visit):
    return re.search(r"Bearer (\S+)", visit.request()[0]).group(1)


def test_a_key_among_the_headers(client, connect, wire):
    def behave(visit):
        head, _ = visit.request()
        visit.send(places(wire, re.search(r"(?i)\r\nauthorization: Bearer (\S+)", head).group(1))["message"])

    provider, _ = connect(behave, api_key=None, extra_headers={"Authorization": f"Bearer {KEYS[1]}"})
    with pytest.raises(errors.AuthenticationError) as caught:
        client.text(provider)
    assert KEYS[1] not in everything(caught.value)


BREAKING = {"line feed": "hunter2\nx", "nul": "hunter2\0", "return": "hunter2\rx", "foreign": "hunter2\u00fc\n"}


@pytest.mark.parametrize("value", BREAKING.values(), ids=BREAKING)
def test_a_header_that_would_break_the_request(client, connect, value):
    """Its value may be a secret: the error names the header and a position, and nothing is sent."""
    provider, server = connect(lambda visit: visit.hold())
    with pytest.raises(errors.ConfigurationError, match="X-Token") as caught:
        client.text(provider, extra_headers={"X-Token": value})
    assert "hunter2" not in everything(caught.value)
    assert server.connections == 0


def test_a_key_that_cannot_be_sent(client, connect):
    provider, server = connect(lambda visit: visit.hold())
    for key in BREAKING.values():
        with pytest.raises(errors.ConfigurationError, match="api_key") as caught:
            client.text(provider, api_key=key)
        assert "hunter2" not in everything(caught.value)
    assert server.connections == 0


def test_a_password_in_the_address(client, connect, wire, hostile):
    """The user and password of base_url are no part of what is shown."""
    server = hostile(lambda visit: None)
    server.stop()
    provider = Provider("m", api_key="k", base_url=f"http://me:hunter2@127.0.0.1:{server.port}/v1", provider="openai",
                        max_retries=0)  # fmt: skip
    with pytest.raises(errors.PyAgentError) as caught:
        client.text(provider)
    assert "hunter2" not in everything(caught.value) + repr(provider)


@pytest.mark.parametrize("answer", ["refuses", "hangs up", "says no", "echoes"])
def test_a_password_of_a_proxy(client, hostile, wire, answer):
    """However the proxy fails: its address is named, its password is not, and the key has not left."""

    def behave(visit):
        while b"\r\n\r\n" not in visit._received:
            visit._more()
        assert KEYS[0].encode() not in visit._received
        if answer == "says no":
            visit.send(wire.head("content-length: 0", status="HTTP/1.1 407 Who are you"))
        elif answer == "echoes":
            visit.send(b"HTTP/1.1 502 " + visit._received.replace(b"\r\n", b" ") + b"\r\ncontent-length: 0\r\n\r\n")

    server = hostile(behave)
    if answer == "refuses":
        server.stop()
    provider = Provider("m", api_key=KEYS[0], base_url="https://models.invalid/v1", provider="openai", max_retries=0,
                        proxy=f"http://me:hunter2@127.0.0.1:{server.port}")  # fmt: skip
    with pytest.raises(errors.APIConnectionError) as caught:
        client.text(provider)
    said = everything(caught.value) + repr(provider)
    assert f"127.0.0.1:{server.port}" in said
    assert not [secret for secret in ("hunter2", "bWU6aHVudGVyMg", KEYS[0]) if secret in said]


def test_what_is_remembered_of_an_answer(client, connect, wire):
    """Cookies and credentials of the answer's header are not handed on, wherever headers are."""
    lines = ["set-cookie: session=hunter2", "www-authenticate: hunter2", "proxy-authenticate: hunter2", "x-fine: yes"]

    def behave(visit):
        visit.request()
        visit.send(wire.head(*lines), wire.piece("a"))

    provider, _ = connect(behave)
    with pytest.raises(errors.StreamInterruptedError) as caught:
        client.pieces(provider)
    assert "hunter2" not in everything(caught.value)
    assert caught.value.response["headers"]["x-fine"] == "yes"


def test_a_retry_is_reported_without_the_key(client, connect, wire):
    def behave(visit):
        key = key_of(visit)
        if visit.number == 1:
            visit.send(places(wire, key)["words"])
        else:
            visit.send(wire.whole("fine"))

    provider, _ = connect(behave, api_key=KEYS[1], max_retries=1, retry_backoff=0.01)
    given = client.events(provider)
    (retry,) = [event for event in given if isinstance(event, events.RetryEvent)]
    assert KEYS[1] not in everything(retry.error) + repr(given)
    assert retry.error.message


def test_keys_of_two_providers_do_not_mix(client, connect, wire):
    """They share a connection, and nothing else."""

    def behave(visit):
        while True:
            visit.send(wire.whole(key_of(visit)))

    one, server = connect(behave, api_key="key-of-one")
    two = Provider("m", base_url=server.url, provider="openai", api_key="key-of-two", max_retries=0, timeout=10)
    for _ in range(20):
        assert (client.text(one), client.text(two)) == ("key-of-one", "key-of-two")
    assert server.connections == 1


def test_inspecting_a_client_shows_no_key(client, serve, wire):
    provider = serve(wire.whole("a"), api_key=KEYS[1], extra_headers={"X-Token": "hunter2"})
    assert client.text(provider) == "a"
    seen = json.dumps(provider._client.runtime.inspect(provider._client.number)) + repr(provider)
    assert not [secret for secret in (KEYS[1], "hunter2") if secret in seen]
