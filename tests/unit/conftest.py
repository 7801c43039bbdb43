"""What the unit tests share: a clean environment, model servers on loopback, and event loops of every kind."""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import os
import select
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pyagent import Provider
from pyagent._fake import FakeServer
from pyagent._registry import ROWS

CORE = ("PYAGENT_LIBRARY", "PYAGENT_EXECUTABLE", "PYAGENT_TRANSPORT")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def collect_where_late() -> None:
    """PyPy sees at its next collection what CPython sees at once: that nothing refers to an object any more."""
    if sys.implementation.name == "pypy":
        gc.collect()


@pytest.fixture
def collect() -> Callable[[], None]:
    """What a test calls between dropping an object and looking for what must have happened at once."""
    return collect_where_late


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
            collect_where_late()
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
        if (name.startswith("PYAGENT_") and name not in CORE) or name.upper() in PROXIES:
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


@pytest.fixture
def echo() -> Iterator[Provider]:
    provider = Provider.echo()
    yield provider
    if provider._client is not None:
        provider._client.close()


class Model(ThreadingHTTPServer):
    """A server whose prompts say how they are answered: "NAME SECONDS" with NAME, after so many seconds.

    The name `fail` is answered with an error, `hold` not at all, and `patient` once as many connections as its number
    says were closed. The server knows how many prompts were asked, how many were
    open at the most, and how many connections were closed while their answer was waited for.
    """

    daemon_threads = True
    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.lock = threading.Lock()
        self.bodies: list[dict[str, Any]] = []
        self.open = self.most = self.asked = self.closed = 0
        self.barrier = 0  # how many prompts must have been asked before any is answered

    def wait_for_asked(self, count: int) -> None:
        self._wait_for("asked", count)

    def wait_for_closed(self, count: int) -> None:
        self._wait_for("closed", count)

    def _wait_for(self, name: str, count: int) -> None:
        deadline = time.monotonic() + 5
        while getattr(self, name) < count:
            assert time.monotonic() < deadline, f"{getattr(self, name)} of {count} {name}"
            collect_where_late()
            time.sleep(0.005)
        assert getattr(self, name) == count

    def handle_error(self, *_: Any) -> None:
        """A client that goes away is what the tests are about."""


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Model

    def do_POST(self) -> None:
        model = self.server
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name, _, seconds = body["messages"][-1]["content"].partition(" ")
        with model.lock:
            model.bodies.append(body)
            model.asked += 1
            model.open += 1
            model.most = max(model.most, model.open)
        number = float(seconds or 0)
        deadline = time.monotonic() + (0 if name == "patient" else 30 if name == "hold" else number)
        while (
            time.monotonic() < deadline or model.asked < model.barrier or (name == "patient" and model.closed < number)
        ):
            if select.select([self.connection], [], [], 0.005)[0]:  # nothing can come but its end
                with model.lock:
                    model.closed += 1
                    model.open -= 1
                self.close_connection = True
                return
        with model.lock:
            model.open -= 1
        self._answer(name)

    def _answer(self, name: str) -> None:
        choice = {"index": 0, "message": {"role": "assistant", "content": name}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
        answer = {"id": "1", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}
        failure = {"error": {"message": "You asked for it."}}
        content = json.dumps(failure if name == "fail" else answer).encode()
        self.send_response(400 if name == "fail" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Keeps the output of the tests clean."""


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as model:
        serving = threading.Thread(target=model.serve_forever, args=(0.01,))
        serving.start()
        yield model
        model.shutdown()
        serving.join()


@pytest.fixture
def asking(model: Model) -> Iterator[Provider]:
    """A Provider that asks `model`."""
    provider = Provider.compatible("m", base_url=f"http://127.0.0.1:{model.server_port}/v1")
    yield provider
    if provider._client is not None:
        provider._client.close()


class Scripted(ThreadingHTTPServer):
    """A server that gives its answers one after the other, whatever the path, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Saying)
        self.answers: list[Any] = []  # an answer's body, or a pair of status and body
        self.bodies: list[dict[str, Any]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Saying(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def do_POST(self) -> None:
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        answer = self.server.answers.pop(0)
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Keeps the output of the tests clean."""


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with Scripted() as scripted:
        serving = threading.Thread(target=scripted.serve_forever, args=(0.01,))
        serving.start()
        yield scripted
        scripted.shutdown()
        serving.join()


@pytest.fixture
def ask(scripted: Scripted) -> Iterator[Callable[..., Provider]]:
    """Makes Providers of any vendor, which ask `scripted`."""
    made: list[Provider] = []

    def make(vendor: str = "compatible", name: str = "m", **options: Any) -> Provider:
        key = None if vendor == "compatible" else "k"
        options = {"api_key": key, "base_url": scripted.url, "provider": vendor, "max_retries": 0, **options}
        made.append(Provider(name, **options))
        return made[-1]

    yield make
    for provider in made:
        if provider._client is not None:
            provider._client.close()


@pytest.fixture(params=["asyncio", "no readers", "uvloop", "trio"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[Callable[[], Awaitable[Any]]], Any]]:
    """Runs a coroutine function on one kind of event loop."""
    if request.param == "trio":
        trio = pytest.importorskip("trio", reason="pip install trio")
        yield trio.run
    elif request.param == "uvloop":
        uvloop = pytest.importorskip("uvloop", reason="pip install uvloop")
        yield lambda main: run_on(uvloop.new_event_loop(), main)
    elif request.param == "asyncio":
        yield lambda main: run_on(asyncio.new_event_loop(), main)
    else:
        yield lambda main: run_on(WithoutReaders(), main)


def run_on(loop: asyncio.AbstractEventLoop, main: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return loop.run_until_complete(asyncio.wait_for(main(), 30))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


class WithoutReaders(asyncio.SelectorEventLoop):
    """A loop that cannot watch descriptors, as the default one of Windows."""

    def add_reader(self, *_: Any) -> None:
        raise NotImplementedError
