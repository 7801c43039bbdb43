"""The floor: sockets whose bytes are counted and not looked at. Their rate is what the server and Python can give."""

from __future__ import annotations

import functools
import json
import socket
from urllib.parse import urlsplit

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

LABEL = "raw socket, counting bytes"
PACKAGE = ""
MODULE = "socket"
DELTAS = 200_000
REQUESTS = 1_000

END = b"0\r\n\r\n"  # of a streamed answer


class Client:
    """An address, the head of requests to it, and the connections that are not in use."""

    def __init__(self, base_url: str) -> None:
        url = urlsplit(base_url)
        self.address = (url.hostname, url.port)
        self.head = f"POST {url.path}/chat/completions HTTP/1.1\r\nhost: {url.netloc}\r\n".encode()
        self.spare: list[Any] = []

    def request(self, messages: list[dict[str, str]], stream: bool) -> bytes:
        body = json.dumps({"model": MODEL, "messages": messages, "stream": stream}).encode()
        head = b"content-type: application/json\r\nauthorization: Bearer none\r\n"
        return b"%s%scontent-length: %d\r\n\r\n%s" % (self.head, head, len(body), body)

    def take(self) -> Any:
        if self.spare:
            return self.spare.pop()
        connection = socket.create_connection(self.address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def connect(base_url: str) -> Client:
    return Client(base_url)


def stream(client: Client) -> Iterator[memoryview]:
    connection = client.take()
    connection.sendall(client.request(MESSAGES, True))
    buffer, size = bytearray(262_144), 0
    view = memoryview(buffer)
    while not buffer.endswith(END, 0, size):
        size = connection.recv_into(buffer)
        yield view[:size]
    client.spare.append(connection)


def complete(client: Client, messages: list[dict[str, str]]) -> str:
    connection = client.take()
    connection.sendall(client.request(messages, False))
    answer = connection.recv(65_536)
    client.spare.append(connection)
    return _text(answer)


def _text(answer: bytes) -> str:
    start = answer.index(b'"content":"') + len(b'"content":"')
    return answer[start : answer.index(b'"', start)].decode()


async def aconnect(base_url: str) -> Client:
    return Client(base_url)


@functools.cache
def _protocol() -> type:
    """The cheapest that asyncio has: a protocol. Made here, so that asyncio is imported by those who use it."""
    import asyncio

    class Wire(asyncio.Protocol):
        def __init__(self) -> None:
            self.received: list[bytes] = []
            self.arrival: asyncio.Future[None] | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.received.append(data)
            if self.arrival is not None:
                self.arrival.set_result(None)
                self.arrival = None

        async def receive(self) -> bytes:
            if not self.received:
                self.arrival = asyncio.get_running_loop().create_future()
                await self.arrival
            data = b"".join(self.received)
            self.received.clear()
            return data

    return Wire


async def _take(client: Client) -> Any:
    import asyncio

    if client.spare:
        return client.spare.pop()
    _, wire = await asyncio.get_running_loop().create_connection(_protocol(), *client.address)
    return wire


async def astream(client: Client) -> AsyncIterator[bytes]:
    wire = await _take(client)
    wire.transport.write(client.request(MESSAGES, True))
    data = b""
    while not data.endswith(END):
        data = await wire.receive()
        yield data
    client.spare.append(wire)


async def acomplete(client: Client, messages: list[dict[str, str]]) -> str:
    wire = await _take(client)
    wire.transport.write(client.request(messages, False))
    answer = await wire.receive()
    client.spare.append(wire)
    return _text(answer)
