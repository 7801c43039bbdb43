"""The floor: a socket whose bytes are counted and not looked at. Its rate is what the server can give."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

from question import MESSAGES, MODEL

LABEL = "raw socket, counting bytes"
PACKAGE = ""
MODULE = "socket"
DELTAS = 200_000
REQUESTS = 2_000

END = b"0\r\n\r\n"


def connect(base_url: str) -> tuple[socket.socket, bytes]:
    url = urlsplit(base_url)
    connection = socket.create_connection((url.hostname, url.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = f"POST {url.path}/chat/completions HTTP/1.1\r\nhost: {url.netloc}\r\ncontent-type: application/json\r\n"
    return connection, head.encode()


def _request(head: bytes, stream: bool) -> bytes:
    body = json.dumps({"model": MODEL, "messages": MESSAGES, "stream": stream}).encode()
    return b"%scontent-length: %d\r\n\r\n%s" % (head, len(body), body)


def stream(client: tuple[socket.socket, bytes]) -> tuple[int, None]:
    from server import deltas_in

    connection, head = client
    connection.sendall(_request(head, True))
    buffer, received, size = bytearray(262_144), 0, 0
    while not buffer.endswith(END, 0, size):
        size = connection.recv_into(buffer)
        received += size
    return deltas_in(received), None


def complete(client: tuple[socket.socket, bytes]) -> str:
    connection, head = client
    connection.sendall(_request(head, False))
    answer = connection.recv(65_536)
    start = answer.index(b'"content":"') + len(b'"content":"')
    return answer[start : answer.index(b'"', start)].decode()
