"""Conversations over the Responses API, from end to end: what an answer leaves goes back as it came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyagent import Provider, Response

SCRIPT = {
    "reasoning": "Let me see.",
    "text": "I add.",
    "tools": [{"id": "call_1", "name": "add", "arguments": '{"a": 1}'}],
    "usage": {
        "prompt_tokens": 5,
        "completion_tokens": 9,
        "total_tokens": 14,
        "completion_tokens_details": {"reasoning_tokens": 4},
    },
}


def streamed(provider: Provider, **options: Any) -> Response:
    stream = provider.stream(**options)
    for _ in stream:
        pass
    return stream.result


def whole(provider: Provider, **options: Any) -> Response:
    return provider.generate(**options)


@pytest.mark.parametrize("ask", [streamed, whole], ids=["stream", "generate"])
def test_a_conversation(server: Any, ask: Callable[..., Response]) -> None:
    provider = Provider("gpt-5", provider="openai-responses", api_key="k", base_url=server.url)
    first = ask(provider, prompt="One and two?", extra_body={"fake": SCRIPT}, reasoning_effort="low", max_tokens=50)
    assert (first.text, first.reasoning) == ("I add.", "Let me see.")
    assert [(call.id, call.name, call.arguments) for call in first.tool_calls] == [("call_1", "add", '{"a": 1}')]
    assert (first.finish_reason, first.raw_finish_reason, first.provider) == (
        "tool_calls",
        "completed",
        "openai-responses",
    )
    assert (first.usage.prompt_tokens, first.usage.completion_tokens, first.usage.reasoning_tokens) == (5, 9, 4)
    asked = server.only()
    assert asked["path"] == "/v1/responses"
    sent = asked["body"]
    assert (sent["reasoning"], sent["max_output_tokens"]) == ({"effort": "low"}, 50)
    server.clear()
    result = {"role": "tool", "tool_call_id": "call_1", "content": "3"}
    ask(provider, messages=[{"role": "user", "content": "One and two?"}, first.message, result])
    items = server.only()["body"]["input"]
    kinds = [item.get("type", item.get("role")) for item in items]
    assert kinds == ["user", "reasoning", "message", "function_call", "function_call_output"]


def test_an_answer_that_is_kept(server: Any) -> None:
    provider = Provider("gpt-5", provider="openai-responses", api_key="k", base_url=server.url)
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "And?"}]
    assert provider.generate_text(messages=messages, previous_response_id="resp_1") == "And?"
    sent = server.only()["body"]
    assert (sent["previous_response_id"], sent["instructions"], len(sent["input"])) == ("resp_1", "Be brief.", 1)


def test_azure(server: Any) -> None:
    provider = Provider(
        "gpt-5", provider="azure-responses", api_key="k", base_url=f"http://{server.address}", deployment="mine"
    )
    assert provider.generate_text("hi") == "hi"
    asked = server.only()
    assert (asked["path"], asked["headers"]["api-key"], asked["body"]["model"]) == ("/openai/v1/responses", "k", "mine")
