"""A model server that costs next to nothing: it writes bytes that were made before the first request came.

    python benchmarks/server.py

prints its port and serves until its standard input closes. The number of deltas of a streamed answer stands in the
path: POST /deltas/200000/v1/chat/completions. It is not the project's scripted server, so that what pyagent is measured
against shares no code with it.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading

from question import ANSWER, MODEL

WORDS = (
    *(" The", " answer", " to", " that", " is", " not", " at", " all"),
    *(" simple", ".", " First", ",", " a", " word", " on", " it"),
)
SEGMENT = 64  # deltas to a write

_COMMON = {
    "id": "chatcmpl-9aKqX2mV7sT4bLwYc1dEfGhJ",
    "created": 1760000000,
    "model": MODEL,
    "service_tier": "default",
    "system_fingerprint": "fp_44709d6fcb",
}
_USAGE = {"prompt_tokens": 12, "completion_tokens": 19, "total_tokens": 31}


def characters(deltas: int) -> int:
    """How long the text of a streamed answer is: what a client says it read must agree."""
    whole, rest = divmod(deltas, len(WORDS))
    return whole * sum(map(len, WORDS)) + sum(map(len, WORDS[:rest]))


def deltas_in(size: int) -> int:
    """How many deltas a streamed answer of so many bytes had: what a client that only counts bytes must agree with."""
    segments, rest = divmod(size - len(_HEAD) - len(_TAIL), len(_FULL_SEGMENT))
    if rest:
        raise ValueError(f"{size} bytes are no streamed answer of whole segments")
    return segments * SEGMENT


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _event(delta: dict[str, object], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return b"data: " + _json({**_COMMON, "object": "chat.completion.chunk", "choices": [choice]}) + b"\n\n"


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


_CYCLE = [_event({"content": word}) for word in WORDS]
_FULL_SEGMENT = _chunk(b"".join(_CYCLE) * (SEGMENT // len(WORDS)))
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n"
    b"x-request-id: req_bench\r\n\r\n" + _chunk(_event({"role": "assistant", "content": "", "refusal": None}))
)
_TAIL = _chunk(_event({}, "stop") + b"data: [DONE]\n\n") + b"0\r\n\r\n"


def _completion() -> bytes:
    message = {"role": "assistant", "content": ANSWER, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = _json({**_COMMON, "object": "chat.completion", "choices": [choice], "usage": _USAGE})
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nx-request-id: req_bench\r\n\r\n%s"
        % (len(body), body)
    )


_COMPLETION = _completion()


def _stream(connection: socket.socket, deltas: int) -> None:
    connection.sendall(_HEAD)
    for _ in range(deltas // SEGMENT):
        connection.sendall(_FULL_SEGMENT)
    if rest := deltas % SEGMENT:
        connection.sendall(_chunk(b"".join(_CYCLE[i % len(WORDS)] for i in range(rest))))
    connection.sendall(_TAIL)


def _serve(connection: socket.socket) -> None:
    """Answers the requests of one connection until its client leaves."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waiting = b""
    with connection:
        while True:
            while (end := waiting.find(b"\r\n\r\n")) < 0:
                if not (more := connection.recv(65536)):
                    return
                waiting += more
            head, body = waiting[:end], waiting[end + 4 :]
            size = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
            while len(body) < size:
                body += connection.recv(65536)
            waiting = body[size:]
            if json.loads(body[:size]).get("stream"):
                _stream(connection, int(head.partition(b"/deltas/")[2].partition(b"/")[0]))
            else:
                connection.sendall(_COMPLETION)


def _serve_quietly(connection: socket.socket) -> None:
    with contextlib.suppress(ConnectionError):  # a client may leave whenever it likes
        _serve(connection)


def _accept(listener: socket.socket) -> None:
    while True:
        threading.Thread(target=_serve_quietly, args=(listener.accept()[0],), daemon=True).start()


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
