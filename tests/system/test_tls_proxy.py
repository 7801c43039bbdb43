"""Through nginx with a certificate of a private authority, in front of the servers that nobody here wrote."""

from __future__ import annotations

import concurrent.futures
import socket
import time

import pytest

from pyagent import Provider, errors

pytestmark = pytest.mark.timeout(60)

GREETING = "Grüße from a server that nobody here wrote: 你好, 🌍."


@pytest.fixture
def proxy(tls_proxy, aimock):
    return tls_proxy(aimock.port)


def ask(base_url, **options):
    return Provider("gpt-mock", api_key="k", base_url=base_url, provider="openai", max_retries=0, **options)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.timeout(300)
def test_with_the_authority(proxy, authority):
    provider = ask(proxy.http1, ca_file=str(authority.ca))
    response = provider.generate("greet")
    assert response.text == GREETING
    assert response.headers["x-protocol"] == "HTTP/1.1"
    stream = provider.stream("greet")
    assert len(list(stream)) == 17
    assert stream.text == GREETING
    assert stream.result.headers["x-connection"] == response.headers["x-connection"], "the connection is used again"


def test_without_the_authority(proxy):
    provider = ask(proxy.http1, timeout=10)
    for attempt in (provider.generate_text, lambda prompt: list(provider.stream_text(prompt))):
        with pytest.raises(errors.APIConnectionError) as caught:
            attempt("greet")
        assert "certificate is signed by an authority that is not trusted" in str(caught.value)
        assert "ca_file" in str(caught.value), "the error names the next step"
        assert not caught.value.is_retryable


def test_the_authority_from_the_environment(proxy, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    assert ask(proxy.http1).generate_text("greet") == GREETING


def test_a_folder_of_authorities_from_the_environment(proxy, authority, monkeypatch, tmp_path):
    folder = tmp_path / "authorities"
    folder.mkdir()
    (folder / "private.pem").write_bytes(authority.ca.read_bytes())
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    assert ask(proxy.http1).generate_text("greet") == GREETING


def test_a_certificate_for_another_name(proxy, authority):
    with pytest.raises(errors.APIConnectionError, match="certificate is for another name") as caught:
        ask(proxy.by_address, ca_file=str(authority.ca)).generate_text("greet")
    assert "127.0.0.1" in str(caught.value)


def test_an_authority_that_cannot_be_read(proxy, tmp_path):
    with pytest.raises(errors.ConfigurationError, match="ca_file") as caught:
        ask(proxy.http1, ca_file=str(tmp_path / "nowhere.pem")).generate_text("greet")
    assert "nowhere.pem" in str(caught.value)


def test_plain_http_where_tls_is_spoken(proxy):
    with pytest.raises(errors.APIStatusError, match="plain HTTP request was sent to HTTPS port"):
        ask(proxy.http1.replace("https://", "http://")).generate_text("greet")


def test_tls_where_plain_http_is_spoken(aimock):
    with pytest.raises(errors.APIConnectionError, match="http://") as caught:
        ask(aimock.url.replace("http://", "https://")).generate_text("greet")
    assert "does not speak TLS" in str(caught.value)


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_events_arrive_through_the_proxy_as_they_are_sent(proxy, authority, http2):
    """Ten pieces, 50 ms apart, after 100 ms."""
    provider = ask(proxy.http2, ca_file=str(authority.ca), http2=http2)
    provider.generate_text("greet")  # the handshake is not what is measured
    begun = time.monotonic()
    arrived = [time.monotonic() - begun for _ in provider.stream("slowly")]
    assert len(arrived) == 10
    assert arrived[0] < 0.4
    gaps = [later - earlier for earlier, later in zip(arrived, arrived[1:])]
    assert sum(gap > 0.02 for gap in gaps) >= 8, gaps


def test_http2_where_it_is_asked_for(proxy, authority):
    provider = ask(proxy.http2, ca_file=str(authority.ca), http2=True)
    response = provider.generate("greet")
    assert (response.text, response.headers["x-protocol"]) == (GREETING, "HTTP/2.0")
    stream = provider.stream("greet")
    assert "".join(stream) == GREETING
    assert stream.result.headers["x-protocol"] == "HTTP/2.0"


def test_http2_carries_many_calls_on_one_connection(proxy, authority):
    provider = ask(proxy.http2, ca_file=str(authority.ca), http2=True)
    first = provider.generate("greet").headers["x-connection"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: provider.stream("slowly").result, range(8)))
    assert {answer.text for answer in answers} == {"abcdefghijklmnopqrst"}
    assert {answer.headers["x-connection"] for answer in answers} == {first}


def test_http1_unless_it_is_asked_for(proxy, authority):
    assert ask(proxy.http2, ca_file=str(authority.ca)).generate("greet").headers["x-protocol"] == "HTTP/1.1"


def test_http2_falls_back_where_the_server_has_none(proxy, authority):
    response = ask(proxy.http1, ca_file=str(authority.ca), http2=True).generate("greet")
    assert (response.text, response.headers["x-protocol"]) == (GREETING, "HTTP/1.1")


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_errors_and_breaks_come_through_the_proxy(proxy, authority, http2):
    provider = ask(proxy.http2, ca_file=str(authority.ca), http2=http2)
    with pytest.raises(errors.RateLimitError) as refused:
        provider.generate_text("busy")
    assert refused.value.retry_after == 7
    with pytest.raises(errors.StreamInterruptedError) as broken:
        list(provider.stream("break off"))
    assert broken.value.partial_text
    assert "This answer breaks off".startswith(broken.value.partial_text[:10])


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_closing_a_stream_reaches_the_server_behind_the_proxy(tls_proxy, hostile, authority, http2):
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"more "}}]}\n\n'

    def never_ends(visit):
        visit.request()
        visit.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        while True:
            visit.send(piece, pause=0.02)

    upstream = hostile(never_ends)
    provider = ask(tls_proxy(upstream.port).http2, ca_file=str(authority.ca), http2=http2)
    stream = provider.stream("x")
    assert next(stream) == "more "
    closed = time.monotonic()
    stream.close()
    while not upstream.left and time.monotonic() < closed + 5:
        time.sleep(0.01)
    assert upstream.left, "the server still sends"
    assert upstream.left[0] - closed < 1


def test_a_client_certificate(proxy, authority):
    certificate, key = map(str, authority.client)
    provider = ask(proxy.strict, ca_file=str(authority.ca), client_cert=(certificate, key))
    assert provider.generate_text("greet") == GREETING
    assert "".join(provider.stream_text("greet")) == GREETING


def test_a_client_certificate_is_missing(proxy, authority):
    with pytest.raises(errors.BadRequestError) as caught:
        ask(proxy.strict, ca_file=str(authority.ca)).generate_text("greet")
    assert "No required SSL certificate was sent" in str(caught.value)
    assert caught.value.status_code == 400


def test_a_client_certificate_with_another_key(proxy, authority):
    pair = (str(authority.client[0]), str(authority.server[1]))
    with pytest.raises(errors.ConfigurationError, match="client_cert"):
        ask(proxy.strict, ca_file=str(authority.ca), client_cert=pair).generate_text("greet")


def test_nothing_behind_the_proxy(tls_proxy, authority):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(errors.InternalServerError) as caught:
        ask(tls_proxy(port).http1, ca_file=str(authority.ca)).generate_text("greet")
    assert caught.value.status_code == 502
    assert "Bad Gateway" in str(caught.value)
    assert "nginx" in caught.value.body


@pytest.mark.timeout(300)
def test_the_second_server_through_the_proxy(tls_proxy, mock_ai_api, authority):
    proxy = tls_proxy(mock_ai_api.port)
    provider = Provider(
        "gpt-4.1:mock-text", api_key="k", base_url=proxy.http2, provider="openai", ca_file=str(authority.ca), http2=True
    )
    assert provider.generate_text("Hello") == "Hello. It's nice to meet you."
    stream = provider.stream("Hello")
    assert "".join(stream) == "Hello. It's nice to meet you."
    assert stream.result.headers["x-protocol"] == "HTTP/2.0"
