"""http.client and json, the way one writes it by hand with the standard library."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPConnection, HTTPResponse

LABEL = "http.client + json by hand"
PACKAGE = ""
MODULE = "http.client, json"
DELTAS = 200_000
REQUESTS = 1_000


class Client:
    """An address and the connections to it that are not in use."""

    def __init__(self, base_url: str) -> None:
        url = urlsplit(base_url)
        self.address, self.path = (url.hostname or "", url.port), url.path + "/chat/completions"
        self.spare: list[HTTPConnection] = []

    def take(self) -> HTTPConnection:
        from http.client import HTTPConnection

        try:
            return self.spare.pop()
        except IndexError:
            return HTTPConnection(*self.address)

    def ask(self, connection: HTTPConnection, messages: list[dict[str, str]], stream: bool) -> HTTPResponse:
        body = {"model": MODEL, "messages": messages, "stream": stream}
        headers = {"content-type": "application/json", "authorization": "Bearer none"}
        connection.request("POST", self.path, json.dumps(body), headers)
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"status {response.status}")
        return response


def connect(base_url: str) -> Client:
    return Client(base_url)


def stream(client: Client) -> Iterator[str]:
    connection = client.take()
    response = client.ask(connection, MESSAGES, True)
    for line in response:
        if not line.startswith(b"data: "):
            continue
        data = line[6:].strip()
        if data == b"[DONE]":
            break
        piece = json.loads(data)["choices"][0]["delta"].get("content")
        if piece:
            yield piece
    response.read()
    client.spare.append(connection)


def complete(client: Client, messages: list[dict[str, str]]) -> str:
    connection = client.take()
    answer = json.loads(client.ask(connection, messages, False).read())
    client.spare.append(connection)
    return str(answer["choices"][0]["message"]["content"])
