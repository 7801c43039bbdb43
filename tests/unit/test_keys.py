"""Several keys of one vendor: when the next one is taken, and that none of them is ever shown."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pyagent import AuthenticationError, ConfigurationError, Provider, RateLimitError
from pyagent.events import RetryEvent

LIMITED, REJECTED, GOOD = "sk-limited-0001", "sk-rejected-0002", "sk-good-0003"


class Vendor(ThreadingHTTPServer):
    """A server that refuses keys by what stands in them, and repeats the refused one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.keys: list[str] = []

    def take(self) -> list[str]:
        taken, self.keys = self.keys, []
        return taken

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Answering(BaseHTTPRequestHandler):
    server: Vendor
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        key = self.headers["authorization"].split(" ")[1]
        self.server.keys.append(key)
        status = 429 if "limited" in key else 401 if "rejected" in key else 200
        answer = {"choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]}
        body = json.dumps(answer if status == 200 else {"error": {"message": f"no: {key}"}}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing."""


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor() as vendor:
        thread = threading.Thread(target=vendor.serve_forever, args=(0.01,))
        thread.start()
        yield vendor
        vendor.shutdown()
        thread.join()


def ask(vendor: Vendor, *keys: str, **options: Any) -> Provider:
    return Provider.compatible("m", base_url=vendor.url, api_key=keys[0], extra_api_keys=list(keys[1:]), **options)


def test_the_next_key_is_taken_at_once_and_kept(vendor: Vendor) -> None:
    provider = ask(vendor, LIMITED, REJECTED, GOOD, retry_backoff=30)
    response = provider.generate("x")
    assert vendor.take() == [LIMITED, REJECTED, GOOD]
    assert response.attempts == 3
    assert [retry["key_changed"] for retry in response.retries] == [True, True]
    assert str(provider.generate("x")) == "hi"
    assert vendor.take() == [GOOD]


def test_streams_tell_that_the_key_changed_but_not_which(vendor: Vendor) -> None:
    retries = [event for event in ask(vendor, REJECTED, GOOD).stream("x").events() if isinstance(event, RetryEvent)]
    (retry,) = retries
    assert (retry.key_changed, retry.wait, type(retry.error)) == (True, 0, AuthenticationError)
    assert retry.to_dict()["key_changed"] is True
    assert REJECTED not in repr(retry) + str(retry.to_dict())


def test_coroutines_rotate_too(vendor: Vendor) -> None:
    provider = ask(vendor, REJECTED, GOOD)

    async def main() -> list[str]:
        return [str(answer) for answer in await asyncio.gather(*(provider.agenerate("x") for _ in range(4)))]

    assert asyncio.run(main()) == ["hi"] * 4
    assert vendor.take()[-1] == GOOD
    assert str(provider.generate("x")) == "hi"
    assert vendor.take() == [GOOD]


def test_no_retries_means_that_the_next_call_takes_the_next_key(vendor: Vendor) -> None:
    provider = ask(vendor, REJECTED, GOOD, max_retries=0)
    with pytest.raises(AuthenticationError) as caught:
        provider.generate("x")
    assert (caught.value.attempts, REJECTED in repr(vars(caught.value))) == (1, False)
    assert str(provider.generate("x")) == "hi"


def test_when_all_are_at_their_limit_the_error_is_the_vendors(vendor: Vendor) -> None:
    provider = ask(vendor, LIMITED, LIMITED + "b", max_retries=1)
    with pytest.raises(RateLimitError) as caught:
        provider.generate("x")
    assert vendor.take() == [LIMITED, LIMITED + "b"]
    assert "limited" not in repr(vars(caught.value))


def test_a_key_of_the_call_stands_alone(vendor: Vendor) -> None:
    with pytest.raises(AuthenticationError):
        ask(vendor, GOOD, GOOD + "b").generate("x", api_key=REJECTED)
    assert vendor.take() == [REJECTED]


def test_a_provider_shows_no_key_and_pickles_with_all(vendor: Vendor) -> None:
    provider = ask(vendor, REJECTED, GOOD)
    assert "sk-" not in repr(provider)
    assert str(pickle.loads(pickle.dumps(provider)).generate("x")) == "hi"


@pytest.mark.parametrize("keys", ["sk-one-0001", [b"sk-one-0001"], ["sk-one-0001", ""], ["sk-one-0001\n"]])
def test_wrong_keys_are_refused_and_not_shown(keys: Any) -> None:
    with pytest.raises(ConfigurationError, match="extra_api_keys") as caught:
        Provider.openai("m", api_key="k", extra_api_keys=keys)
    assert "sk-one" not in str(caught.value)


def test_keys_that_stand_by_for_none_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="api_key, which is not given"):
        Provider.compatible("m", base_url="http://h/v1", extra_api_keys=["k"])
