"""The two servers of the scenarios, under one roof: what to ask, and what was asked."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from pyagent import Hooks, Provider, RequestContext

VENDORS = {"openai": "/v1", "openai-responses": "/v1", "anthropic": "/v1", "gemini": "/v1beta", "ollama": ""}
FIXTURES = json.loads((Path(__file__).parents[1] / "aimock.json").read_text(encoding="utf-8"))["fixtures"]


class Aimock:
    """The npm package, and what it was asked."""

    name = "aimock"

    def __init__(self, root: str) -> None:
        self.root = root

    def provider(self, vendor: str) -> Provider:
        base = self.root + VENDORS[vendor]
        return Provider("gpt-mock", provider=vendor, api_key="k", base_url=base, max_retries=0)

    def bodies(self, request_id: str) -> list[Any]:
        """What it understood of requests, which is not all that was sent, in the words of chat completions."""
        with urllib.request.urlopen(f"{self.root}/__aimock/journal?requestId={request_id}", timeout=10) as answer:
            return [entry["body"] for entry in json.load(answer)]


class Fake(Aimock):
    """The scripted server of core/fake."""

    name = "fake"

    def provider(self, vendor: str) -> Provider:
        base, hooks = self.root + VENDORS[vendor], Hooks(request=[follow_the_fixtures])
        return Provider("gpt-mock", provider=vendor, api_key="k", base_url=base, max_retries=0, hooks=hooks)

    def bodies(self, request_id: str) -> list[Any]:
        """What was sent."""
        with urllib.request.urlopen(f"{self.root}/_fake/requests", timeout=10) as answer:
            return [seen["body"] for seen in json.load(answer) if seen["headers"].get("x-request-id") == request_id]


def follow_the_fixtures(context: RequestContext) -> None:
    """Scripts the answer that aimock would give."""
    turn: list[str] = []
    for message in context.messages:
        turn = [text_of(message)] if message["role"] == "user" else [*turn, message["role"]]
    for fixture in FIXTURES:
        match = dict(fixture["match"])
        if match.pop("userMessage", "\0") in turn[0] and match.pop("hasToolResult", "tool" in turn) == ("tool" in turn):
            break
    else:
        raise AssertionError(f"no fixture for {turn}")
    said = fixture["response"]
    text, size = said["content"], fixture.get("chunkSize", 20)
    script = {
        "pieces": [text[start : start + size] for start in range(0, len(text), size)],
        "reasoning": said.get("reasoning", ""),
        "tools": said.get("toolCalls", []),
    }
    headers = dict(context.arguments.get("extra_headers") or {})
    context.arguments["extra_headers"] = {**headers, "X-Fake-Script": json.dumps(script)}


def text_of(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def close(provider: Provider) -> None:
    """At once: pytest keeps what a failed test had longer than the check for open handles waits."""
    if provider._client is not None:
        provider._client.close()
