"""Proxies: which one a Provider goes through, with which credentials, and when it is asked for by nobody."""

from __future__ import annotations

import pytest

from pyagent import Provider, errors

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def proxy(hostile, wire):
    """Starts a proxy that answers in the vendor's place, with its name, and notes what it was asked."""

    def begin(name):
        def behave(visit):
            while True:
                head, _ = visit.request()
                server.asked.append(head)
                visit.send(wire.whole(name))

        server = hostile(behave)
        server.asked = []
        server.address = f"127.0.0.1:{server.port}"
        return server

    return begin


@pytest.fixture
def socks(hostile, wire):
    """A SOCKS5 proxy that wants a user and a password, and answers in the vendor's place."""

    def behave(visit):
        assert visit.connection.recv(4) == b"\5\2\0\2"
        visit.send(b"\5\2")
        server.asked.append(visit.connection.recv(100))
        visit.send(b"\1\0")
        server.asked.append(visit.connection.recv(100))
        visit.send(b"\5\0\0\1\0\0\0\0\0\0")
        while True:
            visit.request()
            visit.send(wire.whole("socks"))

    server = hostile(behave)
    server.asked = []
    return server


def ask(base_url="http://vendor.test/v1", **options):
    return Provider("m", api_key="k", provider="openai", base_url=base_url, max_retries=0, timeout=10, **options)


def test_each_provider_reads_the_environment_of_its_first_use(client, proxy, monkeypatch):
    one, two = proxy("one"), proxy("two")
    monkeypatch.setenv("http_proxy", f"http://me:p%40ss@{one.address}")
    first, argued = ask(), ask(proxy=two.address)
    assert client.text(first) == "one"
    monkeypatch.setenv("http_proxy", two.address)
    second = ask()
    assert [client.text(asking) for asking in (first, second, argued, first)] == ["one", "two", "two", "one"]
    assert one.connections == 1, "it is used again"
    assert [head.split(" HTTP")[0] for head in one.asked] == ["POST http://vendor.test/v1/chat/completions"] * 3
    assert one.asked[0].endswith("\r\nProxy-Authorization: Basic bWU6cEBzcw==")
    assert "Proxy-Authorization" not in "".join(two.asked)


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_socks(client, socks, monkeypatch, way):
    url = f"socks5://me:secret@127.0.0.1:{socks.port}"
    if way == "environment":
        monkeypatch.setenv("ALL_PROXY", url)
    provider = ask(proxy=url) if way == "argument" else ask()
    assert [client.text(provider), client.text(provider)] == ["socks", "socks"]
    assert socks.asked == [b"\1\2me\6secret", b"\5\1\0\3\x0bvendor.test\0\x50"]


def test_who_goes_without(client, proxy, hostile, wire, monkeypatch):
    """What NO_PROXY names, this machine, and a Provider that says so."""
    monkeypatch.setenv("HTTP_PROXY", proxy("proxy").address)
    here = hostile(lambda visit: (visit.request(), visit.send(wire.whole("here"))))
    assert client.text(ask(here.url)) == "here"
    assert client.text(ask("http://other.invalid/v1", allow_http=True)) == "proxy"
    monkeypatch.setenv("NO_PROXY", "example.test, .invalid")
    for direct in (ask("http://other.invalid/v1", allow_http=True), ask("http://vendor.invalid/v1", proxy="")):
        with pytest.raises(errors.APIConnectionError, match=r"host name .*\.invalid"):
            client.text(direct)
    assert client.text(ask()) == "proxy"


def test_wrong_credentials_for_a_plain_request(client, hostile, wire):
    """The proxy's 407 is not taken for an answer of the vendor's."""

    def behave(visit):
        visit.request()
        visit.send(wire.head("content-length: 0", status="HTTP/1.1 407 Who are you", kind=""))

    server = hostile(behave)
    with pytest.raises(errors.APIConnectionError, match=r"the proxy 127\.0\.0\.1:\d+: it wants other cred") as caught:
        client.text(ask(proxy=f"http://me:hunter2@127.0.0.1:{server.port}"))
    assert not caught.value.is_retryable
    assert "hunter2" not in str(caught.value)
