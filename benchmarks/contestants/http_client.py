"""http.client and json, the way one writes it by hand with the standard library."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from question import MESSAGES, MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

LABEL = "http.client + json by hand"
PACKAGE = ""
MODULE = "http.client, json"
DELTAS = 200_000
REQUESTS = 1_000


def connect(base_url: str) -> tuple[HTTPConnection, str]:
    from http.client import HTTPConnection

    url = urlsplit(base_url)
    return HTTPConnection(url.hostname or "", url.port), url.path + "/chat/completions"


def _ask(client: tuple[HTTPConnection, str], stream: bool) -> HTTPResponse:
    connection, path = client
    body = {"model": MODEL, "messages": MESSAGES, "stream": stream}
    headers = {"content-type": "application/json", "authorization": "Bearer none"}
    connection.request("POST", path, json.dumps(body), headers)
    response = connection.getresponse()
    if response.status != 200:
        raise RuntimeError(f"status {response.status}")
    return response


def stream(client: tuple[HTTPConnection, str]) -> tuple[int, int]:
    pieces = characters = 0
    response = _ask(client, True)
    for line in response:
        if not line.startswith(b"data: "):
            continue
        data = line[6:].strip()
        if data == b"[DONE]":
            break
        piece = json.loads(data)["choices"][0]["delta"].get("content")
        if piece:
            pieces += 1
            characters += len(piece)
    response.read()
    return pieces, characters


def complete(client: tuple[HTTPConnection, str]) -> str:
    answer = json.loads(_ask(client, False).read())
    return str(answer["choices"][0]["message"]["content"])
