"""What the unit tests share: a clean environment and one scripted model server on loopback."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pyagent import Provider
from pyagent._fake import FakeServer
from pyagent._registry import ROWS

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Server:
    """The scripted server, and what it says about the requests that it got."""

    def __init__(self, fake: FakeServer) -> None:
        self.address = fake.address
        self.url = fake.url

    def requests(self) -> list[dict[str, Any]]:
        return list(self._ask("GET"))

    def clear(self) -> None:
        self._ask("DELETE")

    def only(self) -> dict[str, Any]:
        (request,) = self.requests()
        return request

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 2.0) -> dict[str, Any]:
        """The first request that is as wanted, once there is one."""
        deadline = time.monotonic() + seconds
        while True:
            seen = self.requests()
            for request in seen:
                if wanted(request):
                    return request
            assert time.monotonic() < deadline, f"not seen within {seconds} s; the server saw {seen}"
            time.sleep(0.005)

    def wait_for_state(self, state: str, seconds: float = 2.0) -> dict[str, Any]:
        return self.wait_for(lambda request: bool(request["state"] == state), seconds)

    def _ask(self, method: str) -> Any:
        connection = http.client.HTTPConnection(self.address, timeout=5)
        try:
            connection.request(method, "/_fake/requests")
            body = connection.getresponse().read()
            return json.loads(body) if body else None
        finally:
            connection.close()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in ROWS.values():
        for name in (*row.key_env, *row.base_url_env, *row.api_version_env, *row.deployment_env):
            monkeypatch.delenv(name, raising=False)
    for name in list(os.environ):
        # Not the library: whoever names one wants it tested, and which test loads it is a matter of order.
        if (name.startswith("PYAGENT_") and name != "PYAGENT_LIBRARY") or name.upper() in PROXIES:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def _fake_server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture
def server(_fake_server: FakeServer) -> Server:
    server = Server(_fake_server)
    server.clear()
    return server


@pytest.fixture
def provider(server: Server) -> Iterator[Provider]:
    provider = Provider.compatible("m", base_url=server.url)
    yield provider
    if provider._client is not None:  # pytest keeps the object longer than the check for open handles waits
        provider._client.close()


@pytest.fixture
def script() -> Callable[..., dict[str, Any]]:
    """Makes the extra_body that tells the server how to answer."""
    return lambda **fields: {"fake": fields}
