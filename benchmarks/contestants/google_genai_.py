"""The google-genai package, in Google's own format."""

from __future__ import annotations

from question import MODEL, QUESTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LABEL = "google-genai"
PACKAGE = "google-genai"
MODULE = "google.genai"
DELTAS = 10_240
REQUESTS = 300


def connect(base_url: str) -> Any:
    from google import genai

    where = genai.types.HttpOptions(base_url=base_url.removesuffix("/v1"), api_version="v1")
    return genai.Client(api_key="none", http_options=where)


def stream(client: Any) -> Iterator[str]:
    for chunk in client.models.generate_content_stream(model=MODEL, contents=QUESTION):
        if piece := chunk.text:
            yield piece


def complete(client: Any, messages: list[dict[str, str]]) -> str:
    return str(client.models.generate_content(model=MODEL, contents=messages[-1]["content"]).text)
