"""A server that says recorded answers again: the address names the case, the bytes come in pieces cut at random."""

from __future__ import annotations

import json
import random
import socketserver
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recorded import Case

PIECES = 150  # of one answer, at most about so many
HOP = {"content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "date"}


class Asked:
    """A request as the server received it."""

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        self.method = method
        self.path = path  # without the part that names the case, and without the query
        self.headers = headers
        self.body: Any = json.loads(body) if body else None


class Replay(socketserver.ThreadingTCPServer):
    """Answers each request for `url(case)` + anything with the case, and remembers who asked what."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self, cases: list[Case]) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.cases = {str(case): case for case in cases}
        self.asked: dict[str, list[Asked]] = {}
        self.seed = random.randrange(2**32)
        self._serving = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._serving.start()

    def url(self, case: Case) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{case}"

    def stop(self) -> None:
        self.shutdown()
        self._serving.join()
        self.server_close()

    def handle_error(self, *_: Any) -> None:
        """A client may leave before the end: after the terminal signal, or after an error."""


class Answering(socketserver.StreamRequestHandler):
    """One connection."""

    server: Replay
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while line := self.rfile.readline():
            method, target, _ = line.decode("ascii").split(" ")
            headers = {}
            while field := self.rfile.readline().strip():
                name, _, value = field.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            body = self.rfile.read(int(headers.get("content-length", "0")))
            _, vendor, name, path = target.partition("?")[0].split("/", 3)
            asked = Asked(method, "/" + path, headers, body)
            self.server.asked.setdefault(f"{vendor}/{name}", []).append(asked)
            self._answer(self.server.cases[f"{vendor}/{name}"])

    def _answer(self, case: Case) -> None:
        chance = random.Random(f"{self.server.seed} {case}")
        kind = {".sse": "text/event-stream", ".ndjson": "application/x-ndjson", ".json": "application/json"}
        said = {"content-type": case.meta["headers"].get("content-type", kind[case.file.suffix])}
        said.update((name, value) for name, value in case.meta["headers"].items() if name not in HOP)
        chunked = case.streams or chance.random() < 0.5
        said.update({"transfer-encoding": "chunked"} if chunked else {"content-length": str(len(case.body))})
        head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        self.connection.sendall(f"HTTP/1.1 {case.status} Recorded\r\n{head}\r\n".encode("latin-1"))
        for piece in cut(case.body, chance):
            self.connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.connection.sendall(b"0\r\n\r\n")

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            self.connection.close()


def cut(data: bytes, chance: random.Random) -> list[bytes]:
    """The data in pieces of random sizes: of a few bytes or of many, whatever the case, but not too many of them."""
    most = max(1 << chance.randrange(1, 13), 2 * len(data) // PIECES)
    pieces = []
    while data:
        size = chance.randint(1, most)
        pieces.append(data[:size])
        data = data[size:]
    return pieces
